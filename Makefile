# make build   the tool: .build/release/sparsec
# make demo    trains a network to sparsity, compiles pruned networks, predicts, and compares with dense
# make test    all tests: those of the packages, then those of the kernels in C
# make lint    formatting
# make bench   whole networks beside other engines (Docs/Performance.md); takes more than an hour
#
# Each of them installs what is missing (Scripts/setup.sh).

# The tool and its tests are built once, with the same flags: the tests reach into the modules, and the
# reference evaluator is unusable without optimisation. `swift test` would add -enable-testing a second
# time, which is reason enough for it to build everything again.
SWIFT_FLAGS = -c release -Xswiftc -enable-testing
TEST_FLAGS = $(SWIFT_FLAGS) --disable-testable-imports

build: setup
	swift build $(SWIFT_FLAGS) --product sparsec

demo: build
	swift build $(SWIFT_FLAGS) --product example-weights
	swift build $(SWIFT_FLAGS) --product example-digits
	@Scripts/demo.sh

test: setup
	swift test $(TEST_FLAGS)
	$(MAKE) -j$$(nproc) -C Benchmarks/Kernels test

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

bench:
	python3 Benchmarks/Networks/bench.py

setup:
	@Scripts/setup.sh

clean:
	swift package clean

.PHONY: build demo test lint bench setup clean

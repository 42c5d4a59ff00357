"""Times training steps of sparsec and of TensorFlow, in turns, and writes JSON and a table.

    python3 Benchmarks/Training/bench.py [--nets lenet …] [--threads 1 2]

A step is forward, backward and update. TensorFlow lives in a virtual environment of its own. The images are constant,
so that data takes no time on either side. A time is the median of the rounds' medians.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

import nets

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TENSORFLOW = "tensorflow-cpu==2.21.0"
# Milliseconds of Caffe with OpenBLAS for forward and backward of CaffeNet, batch 16, one thread (the figure,
# measured on another machine); ratios to TensorFlow that are wanted otherwise.
TARGETS = {"lenet": 1.4, "cifar10_full": 1.2, "resnet20": 1.3, "caffenet": None}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nets", nargs="+", choices=list(nets.NETS), default=list(nets.NETS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--time", type=float, default=8.0, help="seconds of a turn")
    parser.add_argument("--sparsec", type=Path, default=ROOT / ".build/release/sparsec")
    parser.add_argument("--build", type=Path, default=HERE / "build")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def peer_python(build: Path) -> Path:
    """The Python of TensorFlow's environment, which is made if it is not there."""
    folder = build / "tensorflow"
    python, stamp = folder / "bin/python", folder / "packages.txt"
    if not stamp.exists() or stamp.read_text() != TENSORFLOW:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", TENSORFLOW], check=True)
        stamp.write_text(TENSORFLOW)
    return python


def environment(threads: int) -> dict[str, str]:
    result = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    return result | {"OMP_NUM_THREADS": str(threads)}


def pinned(command: list[str | Path], threads: int) -> list[str]:
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[-threads:])
    return ["taskset", "-c", cores, *map(str, command)]


def sparsec_steps(name: str, options: argparse.Namespace, threads: int) -> list[float]:
    """Milliseconds of single steps: the log tells when each was made."""
    folder = options.build / name
    folder.mkdir(parents=True, exist_ok=True)
    net = nets.NETS[name]()
    (folder / "net.prototxt").write_text(nets.prototxt(net))
    (folder / "solver.prototxt").write_text(nets.solver("net.prototxt", 1_000_000, 1))
    command = pinned([options.sparsec, "train", "--solver", "solver.prototxt", "--log-style", "json",
                      "--threads", str(threads)], threads)
    process = subprocess.Popen(command, cwd=folder, env=environment(threads), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    times: list[float] = []
    end = None
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] != "train":
            continue
        times.append(event["seconds"])
        end = end or time.monotonic() + options.time
        if time.monotonic() > end:
            break
    process.kill()
    errors = process.stderr.read()
    process.wait()
    if len(times) < 3:
        sys.exit(f"sparsec made no steps of {name}: {errors.strip()}")
    return [1000 * (b - a) for a, b in zip(times[1:], times[2:])]


def peer_steps(name: str, options: argparse.Namespace, threads: int, python: Path) -> list[float]:
    command = pinned([python, HERE / "tensorflow_peer.py", name, threads, options.time], threads)
    result = subprocess.run(command, env=environment(threads), text=True, capture_output=True)
    if result.returncode:
        sys.exit(f"TensorFlow failed on {name}: {result.stderr.strip().splitlines()[-1]}")
    return [float(line) for line in result.stdout.split()][1:]


def measure(name: str, threads: int, options: argparse.Namespace, python: Path | None) -> dict:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(options.rounds):
        ours.append(statistics.median(sparsec_steps(name, options, threads)))
        if python:
            theirs.append(statistics.median(peer_steps(name, options, threads, python)))
    row = {"net": name, "batch": nets.NETS[name]().batch, "threads": threads,
           "sparsec_ms": statistics.median(ours), "sparsec_rounds": ours}
    if theirs:
        row |= {"tensorflow_ms": statistics.median(theirs), "tensorflow_rounds": theirs,
                "ratio": statistics.median(theirs) / statistics.median(ours), "target": TARGETS[name]}
    return row


def table(document: dict) -> str:
    lines = [f"{document['time']}; {document['cpu']}; {document['rounds']} rounds of {document['seconds']} s.", "",
             "| net (batch) | threads | sparsec, ms | TensorFlow, ms | ratio | target |",
             "| --- | --- | --- | --- | --- | --- |"]
    for row in document["rows"]:
        title = nets.NETS[row["net"]]().name
        theirs = f"{row['tensorflow_ms']:.1f}" if "ratio" in row else ""
        ratio = f"**{row['ratio']:.2f}**" if "ratio" in row else ""
        lines.append(f"| {title} ({row['batch']}) | {row['threads']} | {row['sparsec_ms']:.1f} | {theirs} | "
                     f"{ratio} | {row.get('target') or ''} |")
    return "\n".join(lines) + "\n"


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    options = arguments()
    python = None if options.without_peer else peer_python(options.build)
    document = {"time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "cpu": cpu_name(),
                "rounds": options.rounds, "seconds": options.time, "rows": []}
    for name in options.nets:
        for threads in options.threads:
            row = measure(name, threads, options, python)
            document["rows"].append(row)
            print(json.dumps({k: v for k, v in row.items() if not k.endswith("rounds")}), flush=True)
    output = options.output or options.build / "results.json"
    output.write_text(json.dumps(document, indent=1) + "\n")
    print("\n" + table(document) + f"\n{output} has everything")


if __name__ == "__main__":
    main()

"""Times training steps of sparsec and of TensorFlow, in turns, and writes JSON and a table.

    python3 Benchmarks/Training/bench.py [--nets lenet …] [--threads 1 2]
    python3 Benchmarks/Training/bench.py --data mnist_train_lmdb cifar10_train_lmdb

A step is forward, backward and update. TensorFlow lives in a virtual environment of its own. The images are constant,
so that data takes no time on either side. A time is the median of the rounds' medians, each over stretches of a
quarter of a second. Beside it stands the time that processors worked for a step: where other programs want them too
that is what can be compared, on one thread.

With --data, whose databases `sparsec convert` makes, sparsec is compared with itself: the same net with images from
LMDB and with constant ones.
"""
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

import nets

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE.parent / "Networks"))
import machine  # noqa: E402

TENSORFLOW = "tensorflow-cpu==2.21.0"
# How many times as fast as TensorFlow we want to be. CaffeNet is held against Caffe instead, which is not run here.
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
    parser.add_argument("--data", nargs=2, type=Path, metavar=("MNIST", "CIFAR10"),
                        help="LMDBs for LeNet and cifar10_full, with which they are compared instead")
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


def pinned(command: list[str | Path], threads: int) -> list[str]:
    cores = ",".join(map(str, sorted(machine.cores_for(threads))))
    return ["taskset", "-c", cores, *map(str, command)]


def stretches(ends: list[tuple[int, float]]) -> list[float]:
    """Milliseconds of a step over stretches of at least a quarter of a second, from (steps made, seconds)."""
    result: list[float] = []
    first = ends[0]
    for steps, end in ends[1:]:
        if end - first[1] >= 0.25:
            result.append(1000 * (end - first[1]) / (steps - first[0]))
            first = (steps, end)
    return result


def sparsec_steps(
    name: str, options: argparse.Namespace, threads: int, lmdb: Path | None = None
) -> tuple[float, float]:
    """Milliseconds of a step by the clock, from when the log says they were made, and of processors."""
    folder = options.build / (name + ("_lmdb" if lmdb else ""))
    folder.mkdir(parents=True, exist_ok=True)
    net = nets.NETS[name]()
    (folder / "net.prototxt").write_text(nets.prototxt(net, lmdb and lmdb.resolve()))
    (folder / "solver.prototxt").write_text(nets.solver("net.prototxt", 100_000_000, net.display))
    command = pinned([options.sparsec.resolve(), "train", "--solver", "solver.prototxt", "--log-style", "json",
                      "--threads", str(threads)], threads)
    process = subprocess.Popen(command, cwd=folder, env=machine.clean_environment(threads), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ends: list[tuple[int, float]] = []
    end = None
    used = 0.0
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] != "train":
            continue
        ends.append((event["iteration"], event["seconds"]))
        if len(ends) == 2:
            # The first step takes memory.
            end = time.monotonic() + options.time
            used = machine.process_seconds(process.pid)
        if end is None:
            continue
        if time.monotonic() > end and len(ends) > 3:
            break
    used = machine.process_seconds(process.pid) - used
    process.kill()
    errors = process.stderr.read()
    process.wait()
    times = stretches(ends[1:]) if len(ends) > 2 else []
    if not times:
        sys.exit(f"sparsec made no steps of {name}: {errors.strip()}")
    return statistics.median(times), 1000 * used / (ends[-1][0] - ends[1][0])


def peer_steps(name: str, options: argparse.Namespace, threads: int, python: Path) -> tuple[float, float]:
    command = pinned([python, HERE / "tensorflow_peer.py", name, threads, options.time], threads)
    result = subprocess.run(command, env=machine.clean_environment(threads), text=True, capture_output=True)
    if result.returncode:
        sys.exit(f"TensorFlow failed on {name}: {result.stderr.strip().splitlines()[-1]}")
    steps = [tuple(map(float, line.split())) for line in result.stdout.splitlines()[1:]]
    ends = [(0, 0.0)]
    for clock, _ in steps:
        ends.append((len(ends), ends[-1][1] + clock / 1000))
    return statistics.median(stretches(ends)), statistics.mean(used for _, used in steps)


def measure(name: str, threads: int, options: argparse.Namespace, python: Path | None, lmdb: Path | None) -> dict:
    turns = {"sparsec": lambda: sparsec_steps(name, options, threads)}
    if lmdb:
        turns["lmdb"] = lambda: sparsec_steps(name, options, threads, lmdb)
    if python:
        turns["tensorflow"] = lambda: peer_steps(name, options, threads, python)
    load = machine.Disturbance([])
    rounds = [{who: turn() for who, turn in turns.items()} for _ in range(options.rounds)]
    row = {"net": name, "batch": nets.NETS[name]().batch, "threads": threads, "others": load.cores(),
           "target": None if lmdb else TARGETS[name]}
    for who in turns:
        row[who] = {"ms": statistics.median(r[who][0] for r in rounds),
                    "cpu_ms": statistics.median(r[who][1] for r in rounds), "rounds": [r[who] for r in rounds]}
    for who in turns.keys() - {"sparsec"}:
        row["ratio"] = statistics.median(r[who][0] / r["sparsec"][0] for r in rounds)
        row["cpu_ratio"] = statistics.median(r[who][1] / r["sparsec"][1] for r in rounds)
    return row


def table(document: dict) -> str:
    other = "LMDB" if "lmdb" in document["rows"][0] else "TensorFlow"
    lines = [f"{document['time']}; {document['cpu']}; {document['rounds']} rounds of {document['seconds']} s.", "",
             f"| net (batch) | threads | sparsec, ms | {other}, ms | ratio | target | sparsec, CPU ms | {other}, CPU ms "
             "| ratio | others |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in document["rows"]:
        peer = row.get("lmdb") or row.get("tensorflow")
        cells = [f"{nets.NETS[row['net']]().name} ({row['batch']})", str(row["threads"])]
        for time_name, ratio in (("ms", "ratio"), ("cpu_ms", "cpu_ratio")):
            cells += [f"{one[time_name]:.1f}" if one else "" for one in (row["sparsec"], peer)]
            cells.append(f"{row[ratio]:.2f}" if peer else "")
            if ratio == "ratio":
                cells.append(str(row["target"] or ""))
        lines.append("| " + " | ".join(cells + [f"{row['others']:.2f}"]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    options = arguments()
    options.build.mkdir(parents=True, exist_ok=True)
    databases = dict(zip(("lenet", "cifar10_full"), options.data or []))
    python = None if options.without_peer or options.data else peer_python(options.build)
    document = {"time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "cpu": machine.cpu_name(),
                "rounds": options.rounds, "seconds": options.time, "rows": []}
    for name in options.nets:
        if options.data and name not in databases:
            continue
        for threads in options.threads:
            row = measure(name, threads, options, python, databases.get(name))
            document["rows"].append(row)
            ratios = {k: round(row[k], 3) for k in ("ratio", "cpu_ratio") if k in row}
            print(name, threads, round(row["sparsec"]["ms"], 2), ratios, "others", row["others"], flush=True)
    output = options.output or options.build / ("data.json" if options.data else "results.json")
    output.write_text(json.dumps(document, indent=1) + "\n")
    print("\n" + table(document) + f"\n{output} has everything")


if __name__ == "__main__":
    main()

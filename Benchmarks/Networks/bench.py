#!/usr/bin/env python3
"""Times whole networks: sparsec beside the other ways to run them on a CPU.

    python3 Benchmarks/Networks/bench.py

builds sparsec, installs the peers, makes the models, checks that all compute the same, times them
in turns, and writes results.json and the tables of Docs/Performance.md. See --help for less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import layers
import machine
import report
from build import Built, Tools, build, convert_for_mnn
from engines import Engine, Sparsec, Worker
from models import MODELS, Model
from peers import EXPORTER, PEERS, Absent, Peer, python_of
from tools import add_places, prepare, say, version, wait_for_quiet

TOLERANCE = 1e-3  # max|a - b| / max|b|; half floats would show as more, a wrong layer as much more


def arguments() -> argparse.Namespace:
    names = [m.name for m in MODELS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", metavar="MODEL", choices=names, default=names,
                        help="of " + ", ".join(names))
    parser.add_argument("--peers", nargs="*", metavar="PEER", choices=[p.name for p in PEERS],
                        default=[p.name for p in PEERS],
                        help="of " + ", ".join(p.name for p in PEERS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5, help="how often each engine has its turn")
    parser.add_argument("--time", type=float, default=1.0, help="seconds of a turn")
    parser.add_argument("--warmup", type=float, default=0.3, help="seconds in front of a turn")
    parser.add_argument("--no-layers", action="store_true", help="without oneDNN, layer by layer")
    add_places(parser)
    parser.add_argument("--output", type=Path, help="results as JSON (build/results.json)")
    parser.add_argument("--render", type=Path, metavar="RESULTS.json",
                        help="only write the page's table, from older results")
    result = parser.parse_args()
    if min(*result.batches, *result.threads, result.rounds, 1) < 1 or result.time <= 0:
        parser.error("batches, threads, rounds and times are positive")
    if max(result.threads) > (os.cpu_count() or 1):
        parser.error(f"this machine has {os.cpu_count()} cores")
    return result


def prepare_peers(
    options: argparse.Namespace, tools: Tools
) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python of every peer that can be installed, and the reasons for the others."""
    pythons: dict[str, Path] = {}
    absent: dict[str, str] = {}
    try:
        tools.onnx_python = python_of("onnx", EXPORTER, tools.build)
    except Absent as reason:
        say(f"no peers, since there is no ONNX: {reason}")
        return {}, {p.name: f"no ONNX: {reason}" for p in PEERS}
    for peer in PEERS:
        if peer.name not in options.peers:
            absent[peer.name] = "not asked for"
            continue
        try:
            pythons[peer.name] = python_of(peer.environment, peer.packages, tools.build)
        except Absent as reason:
            absent[peer.name] = str(reason)
            say(f"{peer.title}: {reason}")
    tools.mnn_python = pythons.get("mnn")
    return pythons, absent


def start_worker(
    peer: Peer, python: Path, tools: Tools, built: Built, batch: int, threads: int
) -> tuple[Worker, dict[str, Any]]:
    """A worker that computes what sparsec computes; raises Absent if there is none."""
    if peer.name == "mnn":
        convert_for_mnn(tools, built, batch)
    worker = Worker(peer, python, threads, built.folder / f"{peer.name}.log")
    try:
        loaded = worker.ask(do="load", model=str(built.onnx(batch, peer.name)), batch=batch,
                            threads=threads, input=str(built.input(batch)))
        error = worker.ask(do="check", expected=str(built.expected(batch)))["error"]
        # A default precision may be a lower one; it is shown as what it is.
        if not error <= (TOLERANCE if peer.counts else 0.1):
            raise Absent(f"{peer.title}: its output differs from sparsec's by {error:.2g}")
    except BaseException:
        worker.close()
        raise
    return worker, {"version": loaded["version"], "error": error}


def summary(measurements: list[dict[str, float]]) -> dict[str, Any]:
    medians = [m["median_ms"] for m in measurements]
    median = statistics.median(medians)
    return {
        "median_ms": median, "spread": round((max(medians) - min(medians)) / median, 3),
        "p10_ms": statistics.median(m["p10_ms"] for m in measurements),
        "p90_ms": statistics.median(m["p90_ms"] for m in measurements),
        "runs": sum(int(m["runs"]) for m in measurements), "round_medians_ms": medians,
    }


def time_engines(
    engines: dict[str, Engine], options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """All engines in turns; every round begins with another one. An engine that fails is closed."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in engines}
    failed: dict[str, str] = {}
    for turn in range(options.rounds):
        names = list(engines)
        first = turn % max(len(names), 1)
        for name in names[first:] + names[:first]:
            try:
                taken[name].append(engines[name].time(options.time, options.warmup))
            except Absent as reason:
                failed[name] = str(reason)
                engines.pop(name).close()
    return {
        name: {"absent": failed[name]} if name in failed else summary(measurements)
        for name, measurements in taken.items()
    }


def run_configuration(
    model: Model, built: Built, tools: Tools, pythons: dict[str, Path], options: argparse.Namespace,
    batch: int, threads: int,
) -> dict[str, Any]:
    """Every engine at one batch size and number of threads."""
    sparsec = Sparsec(tools.sparsec, built.network, batch, threads)
    engines: dict[str, Engine] = {"sparsec": sparsec}
    facts: dict[str, dict[str, Any]] = {"sparsec": {}}
    absent: dict[str, str] = {}
    try:
        sparsec.run(built.input(batch), built.expected(batch))
        for peer in PEERS:
            if peer.name not in pythons:
                continue
            try:
                engines[peer.name], facts[peer.name] = start_worker(
                    peer, pythons[peer.name], tools, built, batch, threads)
                say(f"  {peer.title}: max relative error {facts[peer.name]['error']:.1e}")
            except Absent as reason:
                absent[peer.name] = str(reason)
                say(f"  {reason}")
        disturbance = machine.Disturbance([e.pid for e in engines.values() if e.pid])
        results = time_engines(engines, options)
        others = disturbance.cores()
    finally:
        for engine in engines.values():
            engine.close()
    for name, result in results.items():
        result |= facts[name]
    results |= {name: {"absent": reason} for name, reason in absent.items()}
    run = {"batch": batch, "threads": threads, "others_cores": others, "results": results}
    return run | report.verdict(model, run)


def run_model(
    model: Model, tools: Tools, pythons: dict[str, Path], options: argparse.Namespace
) -> dict[str, Any]:
    result: dict[str, Any] = {"name": model.name, "title": model.title, "runs": []}
    try:
        built = build(model, tools, sorted(set(options.batches)))
        convolutions = built.facts.pop("convolutions", [])
        result |= built.facts
        for batch in options.batches:
            for threads in options.threads:
                say(f"{model.name}: batch {batch}, {threads} thread(s)")
                run = run_configuration(model, built, tools, pythons, options, batch, threads)
                result["runs"].append(run)
                say("  " + report.one_line(run))
    except Absent as reason:
        say(f"{model.name}: {reason}")
        return result | {"absent": str(reason)}
    if convolutions and not options.no_layers:
        try:
            result["layers"] = layers.compare(
                tools.sparsec, built.network, convolutions, tools.build, min(options.rounds, 3),
                2 * options.time)
        except Absent as reason:
            say(f"{model.name}: {reason}")
            result["layers"] = {"absent": str(reason)}
    return result


def main() -> int:
    options = arguments()
    if options.render:
        report.update_page(options.page, json.loads(options.render.read_text()))
        return 0
    tools = prepare(options)
    tools.build.mkdir(parents=True, exist_ok=True)
    output = options.output or tools.build / "results.json"
    pythons, absent = prepare_peers(options, tools)
    if options.wait is not None:
        wait_for_quiet(options.wait)
    document: dict[str, Any] = {
        "machine": machine.description(), "sparsec": version(tools.sparsec),
        "settings": {"rounds": options.rounds, "turn_s": options.time, "warmup_s": options.warmup},
        "peers": [{"name": p.name, "title": p.title, "packages": p.packages, "fp32": p.counts}
                  | ({"absent": absent[p.name]} if p.name in absent else {}) for p in PEERS],
        "models": [],
    }
    for name in options.models:
        model = next(m for m in MODELS if m.name == name)
        document["models"].append(run_model(model, tools, pythons, options))
        output.write_text(json.dumps(document, indent=1) + "\n")
    print(report.markdown(document))
    report.update_page(options.page, document)
    say(f"{output} has everything")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Absent as problem:
        sys.exit(f"bench: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)

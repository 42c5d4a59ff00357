"""What the workers of all peers share: a conversation in lines of JSON.

Requests come over stdin, answers go to the file descriptor that the first argument names; what
libraries print on stdout and stderr goes to a log file.

A worker runs inside the virtual environment of its peer, holds one network and does what it is told:
    {"do": "load", "model": PATH, "batch": N, "threads": N, "input": X.npy} -> {"version": …}
    {"do": "check", "expected": X.npz}                                      -> {"error": …}
    {"do": "time", "seconds": S, "warmup": S}                               -> {"median_ms": …, …}
An error is answered by {"failed": REASON}.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy


class Network(Protocol):
    """A loaded network with its input in place."""

    version: str

    def run(self) -> None: ...

    def output(self) -> numpy.ndarray: ...


Answer = dict[str, Any]
Loader = Callable[[str, int, int, numpy.ndarray], Network]


def scores(values: numpy.ndarray, counted: numpy.ndarray) -> numpy.ndarray:
    """What a Softmax was made of, up to a shift: probabilities hide errors of all but the largest."""
    logarithms = numpy.log(numpy.maximum(values, 1e-38)) * counted
    return (logarithms - logarithms.sum(1, keepdims=True) / counted.sum(1, keepdims=True)) * counted


def error(actual: numpy.ndarray, expected: numpy.ndarray) -> float:
    """max|a - b| / max|b|, the project's measure; of the scores if these are probabilities."""
    if actual.size != expected.size:
        raise ValueError(f"{actual.size} values come out instead of {expected.size}")
    expected = expected.reshape(len(expected), -1).astype(float)
    actual = actual.reshape(expected.shape).astype(float)
    if numpy.abs(expected.sum(axis=1) - 1).max() < 1e-3 and expected.min() >= 0:
        counted = expected > 1e-30
        actual, expected = scores(actual, counted), scores(expected, counted)
    return float(numpy.abs(actual - expected).max() / numpy.abs(expected).max())


def measure(run: Callable[[], None], seconds: float, warmup: float) -> Answer:
    """Runs for a time, at least three times, and sums up how long each run took."""
    clock = time.perf_counter
    end = clock() + warmup
    run()
    while clock() < end:
        run()
    times: list[float] = []
    start = clock()
    while len(times) < 3 or clock() - start < seconds:
        before = clock()
        run()
        times.append(clock() - before)
    times.sort()
    return {
        "median_ms": 1e3 * statistics.median(times), "p10_ms": 1e3 * times[len(times) // 10],
        "p90_ms": 1e3 * times[len(times) * 9 // 10], "runs": len(times),
    }


def answer(
    request: Answer, network: Network | None, load: Loader
) -> tuple[Answer, Network | None]:
    if request["do"] == "load":
        data = numpy.load(request["input"])
        network = load(request["model"], request["batch"], request["threads"], data)
        network.run()
        return {"version": network.version}, network
    if network is None:
        raise RuntimeError("no network is loaded")
    if request["do"] == "check":
        network.run()
        expected = numpy.load(request["expected"])
        return {"error": error(network.output(), expected[expected.files[0]])}, network
    return measure(network.run, request["seconds"], request["warmup"]), network


def serve(load: Loader) -> None:
    """Answers requests until stdin ends."""
    answers = os.fdopen(int(sys.argv[1]), "w")
    network: Network | None = None
    for line in sys.stdin:
        try:
            reply, network = answer(json.loads(line), network, load)
        except Exception as problem:  # whatever a library throws, the benchmark goes on
            reply = {"failed": f"{type(problem).__name__}: {problem}".splitlines()[0][:300]}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def stem(path: str) -> str:
    return str(Path(path).with_suffix(""))

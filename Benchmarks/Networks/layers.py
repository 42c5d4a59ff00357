"""Compares sparsec's convolutions with oneDNN's, layer by layer."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

import machine
from engines import Sparsec
from peers import HERE, Absent, last_line


def compiled(build: Path) -> Path:
    """The program that times oneDNN; raises Absent where it cannot be compiled."""
    source, program = HERE / "onednn_layers.c", build / "onednn_layers"
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    compiler = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if not compiler:
        raise Absent("oneDNN: there is no C compiler")
    result = subprocess.run([compiler, "-O2", source, "-o", program, "-ldnnl"],
                            capture_output=True, text=True)
    if result.returncode != 0:
        errors = [l for l in result.stderr.splitlines() if "error" in l]
        raise Absent("oneDNN (libdnnl-dev): " + last_line("\n".join(errors), "cannot be compiled"))
    return program


def line_for(convolution: dict[str, Any]) -> str:
    c = convolution
    numbers = [c["channels"], c["height"], c["width"], c["outputs"], c["groups"], *c["kernel"],
               *c["stride"], *c["pad"], *c["dilation"]]
    return " ".join(map(str, numbers)) + " " + c["name"]


def onednn_times(
    program: Path, convolutions: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    """Objects with direct_ms and winograd_ms by name, and the version of oneDNN under ''."""
    cores = machine.cores_for(1)
    result = subprocess.run(
        [program, str(seconds)], input="\n".join(map(line_for, convolutions)) + "\n",
        capture_output=True, text=True, env=machine.clean_environment(1),
        preexec_fn=lambda: os.sched_setaffinity(0, cores))
    if result.returncode != 0:
        raise Absent("oneDNN: " + last_line(result.stderr, f"exit code {result.returncode}"))
    first, *rest = [json.loads(line) for line in result.stdout.splitlines()]
    return {"": first["version"]} | {layer["name"]: layer for layer in rest}


def middle(values: list[float]) -> float | None:
    return round(statistics.median(values), 5) if values else None


def compare(
    tool: Path, network: Path, convolutions: list[dict[str, Any]], build: Path, rounds: int,
    seconds: float,
) -> dict[str, Any]:
    """One row per convolution; the two take turns, and a time is the median of the rounds.

    A layer of sparsec includes what is fused into it. One that the compiled network lacks was removed.
    """
    program = compiled(build)
    ours: dict[str, list[float]] = {}
    kernels: dict[str, dict[str, Any]] = {}
    theirs: dict[str, dict[str, list[float]]] = {c["name"]: {} for c in convolutions}
    version = ""
    for _ in range(rounds):
        for layer in Sparsec(tool, network, 1, 1).bench(seconds, 0.2, "--layers")["layers"]:
            ours.setdefault(layer["name"], []).append(layer["ms"])
            kernels[layer["name"]] = layer
        times = onednn_times(program, convolutions, seconds / len(convolutions))
        version = times.pop("")
        for name, layer in times.items():
            for algorithm in ("direct_ms", "winograd_ms"):
                if layer[algorithm] is not None:
                    theirs[name].setdefault(algorithm, []).append(layer[algorithm])
    rows = []
    for c in convolutions:
        name = c["name"]
        rows.append({
            "name": name, "density": round(c["nonzeros"] / c["weights"], 4),
            "sparsec_ms": middle(ours.get(name, [])),
            "kernel": kernels.get(name, {}).get("kernel", "removed"),
            "fused": kernels.get(name, {}).get("fused", []),
            "direct_ms": middle(theirs[name].get("direct_ms", [])),
            "winograd_ms": middle(theirs[name].get("winograd_ms", [])),
        })
    return {"version": version, "convolutions": rows}

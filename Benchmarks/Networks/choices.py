#!/usr/bin/env python3
"""Judges sparsec's choice of kernels: the cost model against what is measured, network by network.

    python3 Benchmarks/Networks/choices.py

compiles every model twice, with the cost model's choice and with `--tune measure`, and compares
predicted and measured times of every kernel that was tried. Writes choices.json and a table of
Docs/Performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import machine
import report
from build import Tools, make_weights
from engines import Sparsec
from models import MODELS, Model
from peers import Absent, last_line
from tools import add_places, prepare, say, version, wait_for_quiet

BEGIN, END = "<!-- choices: written by choices.py -->", "<!-- end of choices -->"
TARGET = 0.1  # of the network's time
SMALL = 0.005  # layers below this share of the network's time do not count among the errors
LIMIT = 7200  # seconds until a compilation counts as stuck


def arguments() -> argparse.Namespace:
    names = [m.name for m in MODELS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", metavar="MODEL", choices=names, default=names,
                        help="of " + ", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="turns of the two networks")
    parser.add_argument("--time", type=float, default=1.0, help="seconds of a turn")
    parser.add_argument("--reuse-times", action="store_true",
                        help="of kernels that an earlier run measured")
    add_places(parser)
    parser.add_argument("--output", type=Path, help="results as JSON (build/choices.json)")
    parser.add_argument("--render", type=Path, metavar="CHOICES.json",
                        help="only write the page's table, from older results")
    result = parser.parse_args()
    if result.rounds < 1 or result.time <= 0:
        parser.error("rounds and times are positive")
    return result


def compiled(tools: Tools, folder: Path, name: str, *options: str) -> dict[str, Any]:
    """The report of one compilation to `name`.so; kernel times are kept below the build folder."""
    output = folder / f"{name}.json"
    command = [str(c) for c in (
        tools.sparsec, "compile", folder / "net.prototxt", folder / "net.caffemodel",
        "-o", folder / f"{name}.so", "--report", output, *options)]
    environment = machine.clean_environment(1) | {"XDG_CACHE_HOME": str(tools.build / "times")}
    try:
        result = subprocess.run(command, capture_output=True, text=True, env=environment,
                                timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Absent(f"sparsec compile: still at it after {LIMIT} s") from None
    if result.returncode != 0:
        raise Absent("sparsec compile: " + last_line(result.stderr, f"exit {result.returncode}"))
    return json.loads(output.read_text())


def judged_layers(chosen: dict[str, Any], measured: dict[str, Any]) -> list[dict[str, Any]]:
    """Per layer the model's kernel, the fastest one measured, and all predictions that were tried."""
    kernels = {layer["name"]: layer["kernel"] for layer in chosen["layers"]}
    rows = []
    for layer in measured["layers"]:
        tried = {c["kernel"]: c for c in layer["candidates"] if c.get("measured_ms")}
        kernel = kernels.get(layer["name"])
        if kernel not in tried:
            continue
        best = min(tried, key=lambda name: tried[name]["measured_ms"])
        rows.append({
            "layer": layer["name"], "type": layer["type"], "model": kernel, "best": best,
            "predicted_ms": tried[kernel]["predicted_ms"],
            "model_ms": tried[kernel]["measured_ms"], "best_ms": tried[best]["measured_ms"],
            "break_even_sparsity": layer.get("break_even_sparsity"),
            "candidates": [
                {"kernel": name, "predicted_ms": c["predicted_ms"], "measured_ms": c["measured_ms"]}
                for name, c in tried.items()],
        })
    return rows


def quantile(values: list[float], share: float) -> float:
    """Between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def errors(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Of (predicted, measured): the median of their ratio, and the factor by which they differ."""
    ratios = [predicted / measured for predicted, measured in pairs if predicted > 0]
    factors = [max(ratio, 1 / ratio) for ratio in ratios]
    return {"ratio": round(statistics.median(ratios), 3),
            "factor_median": round(statistics.median(factors), 3),
            "factor_p90": round(quantile(factors, 0.9), 3)} if ratios else {}


def judgement(rows: list[dict[str, Any]]) -> dict[str, Any]:
    total = sum(row["model_ms"] for row in rows)
    lost = sum(row["model_ms"] - row["best_ms"] for row in rows)
    large = [row for row in rows if row["model_ms"] >= SMALL * total]
    every = [(c["predicted_ms"], c["measured_ms"]) for row in large for c in row["candidates"]]
    return {
        "chosen": errors([(row["predicted_ms"], row["model_ms"]) for row in large]),
        "tried": errors(every),
        "sum_ratio": round(sum(row["predicted_ms"] for row in rows) / total, 3),
        "regret": round(lost / total, 4), "met": lost <= TARGET * total,
    }


def network_times(
    tools: Tools, folder: Path, options: argparse.Namespace
) -> dict[str, float]:
    """Medians of the two networks, in turns."""
    taken: dict[str, list[float]] = {"model": [], "measured": []}
    for _ in range(options.rounds):
        for name, times in taken.items():
            engine = Sparsec(tools.sparsec, folder / f"choice-{name}.so", 1, 1)
            times.append(engine.time(options.time, 0.2)["median_ms"])
    return {f"{name}_ms": statistics.median(times) for name, times in taken.items()}


def judge(model: Model, tools: Tools, options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {"name": model.name, "title": model.title}
    folder = tools.build / "models" / model.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        say(f"{model.name}: weights and the model's choice")
        make_weights(model, tools, folder)
        chosen = compiled(tools, folder, "choice-model")
        say(f"{model.name}: measuring kernels")
        measured = compiled(tools, folder, "choice-measured", "--tune", "measure")
        rows = judged_layers(chosen, measured)
        if not rows:
            raise Absent("no layer was measured")
        result |= judgement(rows) | {"network": network_times(tools, folder, options)}
        result["layers"] = rows
    except Absent as reason:
        say(f"{model.name}: {reason}")
        return result | {"absent": str(reason)}
    say(f"  regret {100 * result['regret']:.1f} %, predictions off by a factor of "
        f"{result['chosen']['factor_median']:.2f}")
    return result


def worst(model: dict[str, Any]) -> str:
    """The layer that loses most by the model's choice."""
    row = max(model["layers"], key=lambda row: row["model_ms"] - row["best_ms"])
    if row["model"] == row["best"]:
        return "none"
    lost = row["model_ms"] - row["best_ms"]
    return f"{row['layer']}: {row['best']} is {report.milliseconds(lost)} ms faster"


def kernels_timed(model: dict[str, Any]) -> int:
    return sum(len(row["candidates"]) for row in model["layers"])


def markdown(document: dict[str, Any]) -> str:
    settings, there = document["settings"], document["machine"]
    rows, absent = [], []
    for model in document["models"]:
        if "absent" in model:
            absent.append(f"- {model['title']}: {model['absent']}.\n")
            continue
        chosen, network = model["chosen"], model["network"]
        rows.append([
            model["title"], str(len(model["layers"])), str(kernels_timed(model)),
            f"{chosen['ratio']:.2f}", f"{chosen['factor_median']:.2f}",
            f"{chosen['factor_p90']:.2f}", f"{model['tried']['factor_median']:.2f}",
            f"{model['tried']['factor_p90']:.2f}", f"**{100 * model['regret']:.1f} %**",
            "yes" if model["met"] else "no", worst(model),
            report.milliseconds(network["model_ms"]), report.milliseconds(network["measured_ms"]),
        ])
    header = ["model", "layers", "kernels timed", "predicted / measured", "factor", "90 %",
              "factor, all timed", "90 %", "regret", "met", "largest loss",
              "ms, model's choice", "ms, measured choice"]
    head = (f"{there['date']}; {there['cpu']}; load average at the start {there['load_average']}. "
            f"{document['sparsec']}; {settings['rounds']} turns of {settings['turn_s']:g} s.\n\n")
    if there["load_average"] > 0.3:
        head += "**The machine was not idle: these figures are provisional.**\n\n"
    return (head + report.table(header, rows) + ("\n" + "".join(absent) if absent else ""))


def main() -> int:
    options = arguments()
    if options.render:
        document = json.loads(options.render.read_text())
        report.replace(options.page, BEGIN, END, markdown(document))
        return 0
    tools = prepare(options)
    tools.build.mkdir(parents=True, exist_ok=True)
    if not options.reuse_times:
        shutil.rmtree(tools.build / "times", ignore_errors=True)
    if options.wait is not None:
        wait_for_quiet(options.wait)
    os.sched_setaffinity(0, machine.cores_for(1))
    document: dict[str, Any] = {
        "machine": machine.description(), "sparsec": version(tools.sparsec),
        "settings": {"rounds": options.rounds, "turn_s": options.time, "target": TARGET},
        "models": [],
    }
    output = options.output or tools.build / "choices.json"
    for name in options.models:
        model = next(m for m in MODELS if m.name == name)
        document["models"].append(judge(model, tools, options))
        output.write_text(json.dumps(document, indent=1) + "\n")
    print(markdown(document))
    report.replace(options.page, BEGIN, END, markdown(document))
    say(f"{output} has everything")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Absent as problem:
        sys.exit(f"choices: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)

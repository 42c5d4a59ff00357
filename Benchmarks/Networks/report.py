"""Turns results into tables, and keeps the page about performance in step with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models import Model
from peers import PEERS

BEGIN, END = "<!-- results: written by bench.py -->", "<!-- end of results -->"
# conv2 to conv5 of CaffeNet with real SSL weights: the sum of sparsec's times against oneDNN's.
LAYER_TARGET = ("caffenet-ssl", ("conv2", "conv3", "conv4", "conv5"), 6.0)


def verdict(model: Model, run: dict[str, Any]) -> dict[str, Any]:
    """The best FP32 peer, how many times as fast sparsec is, and the target if there is one."""
    results = run["results"]
    times = {p.name: results[p.name]["median_ms"] for p in PEERS
             if p.counts and "median_ms" in results.get(p.name, {})}
    ours = results.get("sparsec", {}).get("median_ms")
    target = next((t.ratio for t in model.targets
                   if (t.batch, t.threads) == (run["batch"], run["threads"])), None)
    best = min(times, key=lambda name: times[name], default=None)
    ratio = round(times[best] / ours, 3) if best and ours else None
    met = ratio >= target if ratio is not None and target is not None else None
    return {"best_peer": best, "ratio": ratio, "target": target, "met": met}


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def one_line(run: dict[str, Any]) -> str:
    parts = [f"{name} {milliseconds(r['median_ms'])} ms" for name, r in run["results"].items()
             if "median_ms" in r]
    if run["ratio"] is not None:
        parts.append(f"{run['ratio']:.2f} x {run['best_peer']}")
    return ", ".join(parts)


def cell(result: dict[str, Any] | None) -> str:
    """Median and, where the rounds differ by more than a tenth, by how much."""
    if not result or "median_ms" not in result:
        return "absent" if result else "-"
    spread = f" ±{50 * result['spread']:.0f}%" if result["spread"] > 0.1 else ""
    return milliseconds(result["median_ms"]) + spread


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def network_table(document: dict[str, Any], batch: int, threads: int) -> str:
    asked = [p for p in document["peers"] if p.get("absent") != "not asked for"]
    titles = {p["name"]: p["title"] for p in document["peers"]}
    rows = []
    for model in document["models"]:
        for run in model["runs"]:
            if (run["batch"], run["threads"]) != (batch, threads):
                continue
            met = {True: "yes", False: "no", None: ""}[run["met"]]
            rows.append([
                model["title"], cell(run["results"].get("sparsec")),
                *(cell(run["results"].get(p["name"])) for p in asked),
                titles.get(run["best_peer"], "-"),
                f"**{run['ratio']:.2f}**" if run["ratio"] is not None else "-",
                f"{run['target']:g}" if run["target"] is not None else "", met,
                f"{run['others_cores']:.2f}",
            ])
    if not rows:
        return ""
    header = ["ms", "sparsec", *(p["title"] for p in asked), "best FP32 peer", "ratio", "target",
              "met", "others"]
    return (f"### Batch {batch}, {threads} thread{'s' if threads > 1 else ''}\n\n"
            + table(header, rows) + "\n")


def build_table(document: dict[str, Any]) -> str:
    rows = [
        [m["title"], f"{100 * (1 - m['nonzeros'] / max(m['weights'], 1)):.1f} %",
         f"{m['compile_s']:.1f}", str(m["compile_peak_mb"]), f"{m['caffemodel_mb']:.1f}",
         f"{m['so_mb']:.1f}", f"{m['so_limit_mb']:.1f}"]
        for m in document["models"] if "compile_s" in m
    ]
    if not rows:
        return ""
    header = ["model", "zeros", "compile s", "peak MB", "caffemodel MB", ".so MB", ".so limit MB"]
    return "### Compilation\n\n" + table(header, rows) + "\n"


def sum_of(rows: list[dict[str, Any]], *keys: str) -> float | None:
    """The sum over layers of the smallest of some times; None where a layer has none."""
    total = 0.0
    for row in rows:
        times = [row[key] for key in keys if row[key] is not None]
        if not times:
            return None
        total += min(times)
    return total


def small_network_table(document: dict[str, Any]) -> str:
    """Every convolution of the networks that have few; results.json has those of the others too."""
    rows = []
    for model in document["models"]:
        layers = model.get("layers", {}).get("convolutions", [])
        for row in layers if len(layers) <= 8 else []:
            rows.append([
                model["title"], row["name"], f"{100 * row['density']:.1f} %", row["kernel"],
                ", ".join(row["fused"]), milliseconds(row["sparsec_ms"]),
                milliseconds(row["direct_ms"]), milliseconds(row["winograd_ms"])])
    header = ["ms", "layer", "non-zeros", "kernel", "fused", "sparsec", "direct", "Winograd"]
    return table(header, rows) + "\n" if rows else ""


def layer_tables(document: dict[str, Any]) -> str:
    rows = []
    for model in document["models"]:
        layers = model.get("layers", {}).get("convolutions", [])
        kept = [row for row in layers if row["sparsec_ms"] is not None]
        ours, theirs = sum_of(kept, "sparsec_ms"), sum_of(kept, "direct_ms", "winograd_ms")
        if not kept or ours is None or theirs is None:
            continue
        rows.append([model["title"], str(len(kept)), milliseconds(ours),
                     milliseconds(sum_of(kept, "direct_ms")), milliseconds(theirs),
                     f"{theirs / ours:.2f}", ""])
        name, chosen, target = LAYER_TARGET
        part = [row for row in kept if row["name"] in chosen]
        ours, theirs = sum_of(part, "sparsec_ms"), sum_of(part, "direct_ms", "winograd_ms")
        if model["name"] == name and part and ours and theirs:
            rows.append([f"{model['title']}: {chosen[0]} to {chosen[-1]}", str(len(part)),
                         milliseconds(ours), milliseconds(sum_of(part, "direct_ms")),
                         milliseconds(theirs), f"{theirs / ours:.2f}", f"{target:g}"])
    if not rows:
        return ""
    libraries = {m.get("layers", {}).get("version") for m in document["models"]} - {None}
    header = ["sums in ms", "convolutions", "sparsec", "oneDNN direct", "oneDNN best", "ratio",
              "target"]
    return (f"### Convolutions one by one, beside oneDNN {', '.join(sorted(libraries))}\n\n"
            + table(header, rows) + "\n" + small_network_table(document))


def notes(document: dict[str, Any]) -> str:
    """What is missing and why, and which networks a peer got in another form; one line each."""
    lines: dict[str, None] = {}
    for peer in document["peers"]:
        if "absent" in peer:
            lines[f"{peer['title']}: {peer['absent']}."] = None
    for model in document["models"]:
        if "absent" in model:
            lines[f"{model['title']}: {model['absent']}."] = None
        for run in model["runs"]:
            for name, result in run["results"].items():
                if "absent" in result:
                    where = f"batch {run['batch']}, {run['threads']} thread(s)"
                    lines[f"{model['title']}, {where}: {result['absent']}."] = None
        for peer, rewrites in model.get("rewrites", {}).items():
            for rewrite in rewrites:
                line = f"{model['title']}: {peer} got {rewrite}, because it crashes otherwise."
                lines[line] = None
        if "absent" in model.get("layers", {}):
            lines[f"{model['title']}: {model['layers']['absent']}."] = None
    return "".join(f"- {line}\n" for line in lines)


def versions(document: dict[str, Any]) -> str:
    found: dict[str, str] = {}
    for model in document["models"]:
        for run in model["runs"]:
            for peer in document["peers"]:
                version = run["results"].get(peer["name"], {}).get("version")
                if version:
                    found[peer["title"]] = version
    return "; ".join(f"{title} {version}" for title, version in found.items())


def markdown(document: dict[str, Any]) -> str:
    machine, settings = document["machine"], document["settings"]
    configurations = dict.fromkeys(
        (run["batch"], run["threads"]) for m in document["models"] for run in m["runs"])
    head = (
        f"{machine['date']}; {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"Linux {machine['kernel']}; load average at the start {machine['load_average']}. "
        f"{document['sparsec']}; {versions(document)}. {settings['rounds']} rounds of turns of "
        f"{settings['turn_s']:g} s.\n\n"
    )
    if machine["load_average"] > 0.3:
        head += "**The machine was not idle: these figures are provisional.**\n\n"
    remarks = notes(document)
    return (head + "".join(network_table(document, *c) for c in configurations)
            + layer_tables(document) + build_table(document)
            + (f"### Missing or rewritten\n\n{remarks}" if remarks else "")).rstrip() + "\n"


def replace(page: Path, first: str, last: str, content: str) -> None:
    """Replaces what is between two lines; raises SystemExit if the page has none."""
    text = page.read_text() if page.exists() else f"{first}\n{last}\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SystemExit(f"{page} has no lines {first!r} and {last!r}")
    page.write_text(f"{before}{first}\n\n{content}\n{last}{after}")


def update_page(page: Path, document: dict[str, Any]) -> None:
    replace(page, BEGIN, END, markdown(document))

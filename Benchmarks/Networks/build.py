"""Makes what is needed to measure a model: definition, weights, .so, ONNX, MNN, input."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import caffe
import machine
from models import Model
from networks import DEFINITIONS
from peers import HERE, Absent, last_line


@dataclass
class Tools:
    """Where everything is. `mnn_python` is None when MNN is absent."""

    sparsec: Path
    example_weights: Path
    shared: Path
    build: Path
    onnx_python: Path | None = None
    mnn_python: Path | None = None


@dataclass
class Built:
    """A model's files, and facts about how they came to be."""

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> Path:
        return self.folder / "net.so"

    def input(self, batch: int) -> Path:
        return self.folder / f"input-{batch}.npy"

    def expected(self, batch: int) -> Path:
        return self.folder / f"output-{batch}.npz"

    def onnx(self, batch: int, peer: str) -> Path:
        """The peer's own file if its network had to be rewritten."""
        own = self.folder / f"net-{batch}-{peer}.onnx"
        return own if own.exists() else self.folder / f"net-{batch}.onnx"


def call(command: list[object], what: str, limit: float = 1800) -> str:
    try:
        result = subprocess.run(
            [str(c) for c in command], capture_output=True, text=True, timeout=limit,
            env=machine.clean_environment(os.cpu_count() or 1))
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Absent(f"{what}: {problem}") from None
    if result.returncode != 0:
        raise Absent(f"{what}: {last_line(result.stderr, f'exit code {result.returncode}')}")
    return result.stdout


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def is_current(file: Path, stamp: str) -> bool:
    mark = file.with_name(file.name + ".stamp")
    return file.exists() and mark.exists() and mark.read_text() == stamp


def set_current(file: Path, stamp: str) -> None:
    file.with_name(file.name + ".stamp").write_text(stamp)


def shared_folder(tools: Tools, name: str) -> Path:
    folder = tools.shared / "models" / name
    if not folder.is_dir():
        raise Absent(f"there is no {name} below {tools.shared / 'models'} (see --shared)")
    return folder


def real_weights(folder: Path, to: Path) -> None:
    packed = sorted(folder.glob("*.caffemodel.gz"))
    if not packed:
        raise Absent(f"there is no .caffemodel.gz in {folder}")
    with gzip.open(packed[0]) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


def make_weights(model: Model, tools: Tools, folder: Path) -> None:
    definition, weights = folder / "net.prototxt", folder / "net.caffemodel"
    is_real = model.definition not in DEFINITIONS
    if is_real:
        deploy = shared_folder(tools, model.definition) / "deploy.prototxt"
        definition.write_text(deploy.read_text())
    else:
        definition.write_text(DEFINITIONS[model.definition]())
    stamp = digest(model, definition.read_text(), 2)
    if is_current(weights, stamp):
        return
    if is_real and not model.is_dense:
        real_weights(shared_folder(tools, model.definition), weights)
    else:
        densities = [w for item in model.densities.items() for w in ("--density", "%s=%s" % item)]
        call([tools.example_weights, definition, *densities, "--default-density",
              model.default_density, "--seed", model.seed, "-o", weights], "example-weights")
        if model.real_layers:
            real = folder / "real.caffemodel"
            real_weights(shared_folder(tools, model.real_layers), real)
            caffe.replace_layers(weights, real, weights)
    set_current(weights, stamp)


def compile_network(tools: Tools, folder: Path, batch: int) -> dict[str, Any]:
    """Compiles anew in every run, since that is measured too."""
    report = folder / "report.json"
    command = [str(c) for c in (
        tools.sparsec, "compile", folder / "net.prototxt", folder / "net.caffemodel", "-o",
        folder / "net.so", "--batch", batch, "--report", report)]
    start = time.monotonic()
    with (folder / "compile.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log,
                                   env=machine.clean_environment(1))
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = (folder / "compile.log").read_text(errors="replace")
        raise Absent(f"sparsec compile: {last_line(said, f'exit code {process.returncode}')}")
    layers = json.loads(report.read_text())["layers"]
    nonzeros, weights, budget = 0, 0, 0
    for layer in layers:
        kept, all_weights = layer.get("nonzeros") or 0, layer.get("weights") or 0
        nonzeros, weights = nonzeros + kept, weights + all_weights
        skips_zeros = any(word in layer["kernel"] for word in ("sparse", "hardcoded"))
        budget += 6 * kept if skips_zeros else 4 * all_weights
    return {
        "compile_s": round(seconds, 2), "compile_peak_mb": round(usage.ru_maxrss / 1024),
        "caffemodel_mb": round((folder / "net.caffemodel").stat().st_size / 2**20, 1),
        "so_mb": round((folder / "net.so").stat().st_size / 2**20, 2),
        "so_limit_mb": round(1.3 * budget / 2**20 + 5, 2),
        "weights": weights, "nonzeros": nonzeros,
    }


def write_input(file: Path, shape: list[int]) -> None:
    """Seeded normal numbers as .npy, the format that sparsec and the peers read."""
    generator = random.Random(1)
    count = 1
    for extent in shape:
        count *= extent
    header = str({"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = struct.pack(f"<{count}f", *(generator.gauss(0, 1) for _ in range(count)))
    length = struct.pack("<H", len(header))
    file.write_bytes(b"\x93NUMPY\x01\x00" + length + header.encode() + values)


def export(tools: Tools, built: Built, batch: int) -> None:
    """ONNX for all peers, and the one that DeepSparse needs if that differs."""
    folder = built.folder
    weights = (folder / "net.caffemodel.stamp").read_text()
    exporter = (HERE / "export_onnx.py").read_text() + (HERE / "caffe.py").read_text()
    for peer, options in (("", []), ("-deepsparse", ["--rewrite-for", "deepsparse"])):
        file, notes = folder / f"net-{batch}{peer}.onnx", folder / f"net-{batch}{peer}.json"
        stamp = digest(weights, exporter)
        if not is_current(notes, stamp):
            notes.write_text(call(
                [tools.onnx_python, HERE / "export_onnx.py", folder / "net.prototxt",
                 folder / "net.caffemodel", batch, file, *options], f"ONNX for batch {batch}"))
            set_current(notes, stamp)
        facts = json.loads(notes.read_text())
        if peer and not facts["rewrites"]:
            file.unlink(missing_ok=True)
        if peer:
            built.facts["rewrites"] = {"deepsparse": facts["rewrites"]} if facts["rewrites"] else {}
        else:
            built.facts["convolutions"] = facts["convolutions"]


def convert_for_mnn(tools: Tools, built: Built, batch: int) -> None:
    """Raises Absent if MNN's converter does not manage."""
    if not tools.mnn_python:
        return
    source, target = built.folder / f"net-{batch}.onnx", built.folder / f"net-{batch}.mnn"
    stamp = (built.folder / f"net-{batch}.json.stamp").read_text()
    if is_current(target, stamp):
        return
    # Not by the command mnnconvert: it installs packages outside of its environment and reports on
    # what it converts.
    converter = "import sys, MNN, _tools; _tools.mnnconvert(sys.argv)"
    call([tools.mnn_python, "-c", converter, "-f", "ONNX", "--modelFile", source, "--MNNModel",
          target, "--bizCode", "net", "--detectSparseSpeedUp"], "MNN's converter")
    if not target.exists():
        raise Absent("MNN's converter: it wrote no file")
    set_current(target, stamp)


def build(model: Model, tools: Tools, batches: list[int]) -> Built:
    """Raises Absent with the reason if the model cannot be measured at all."""
    folder = tools.build / "models" / model.name
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{model.name}: weights and compilation", file=sys.stderr, flush=True)
    make_weights(model, tools, folder)
    built = Built(folder, compile_network(tools, folder, max(batches)))
    _, extents = caffe.input_of(caffe.parse_prototxt((folder / "net.prototxt").read_text()))
    for batch in batches:
        write_input(built.input(batch), [batch, *extents[1:]])
        if tools.onnx_python:
            export(tools, built, batch)
    return built

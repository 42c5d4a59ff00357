"""The programs that sparsec is compared with, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Absent(Exception):
    """Something cannot be measured; the message is the reason, in one line."""


@dataclass(frozen=True)
class Peer:
    """`packages` are what pip installs; `arguments` go to the worker.

    Peers with the same environment share it. A peer that is not in FP32 by force is shown, but does not
    count as the best FP32 peer.
    """

    name: str
    title: str
    environment: str
    packages: tuple[str, ...]
    worker: str
    arguments: tuple[str, ...] = ()
    counts: bool = True


OPENVINO = ("openvino==2026.4.1", "numpy==2.4.6")
PEERS = [
    Peer("onnxruntime", "ONNX Runtime", "onnxruntime",
         ("onnxruntime==1.31.1", "numpy==2.4.6"), "onnxruntime_worker.py"),
    Peer("openvino", "OpenVINO FP32", "openvino", OPENVINO, "openvino_worker.py", ("f32",)),
    Peer("openvino-default", "OpenVINO default", "openvino", OPENVINO, "openvino_worker.py",
         ("default",), counts=False),
    Peer("deepsparse", "DeepSparse", "deepsparse",
         ("deepsparse==1.8.0", "onnx==1.14.1", "numpy==1.26.4"), "deepsparse_worker.py"),
    Peer("mnn", "MNN", "mnn", ("MNN==3.6.1", "numpy==2.4.6"), "mnn_worker.py"),
]
EXPORTER = ("onnx==1.23.2", "numpy==2.4.6")


def last_line(text: str, otherwise: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else otherwise


def python_of(environment: str, packages: tuple[str, ...], build: Path) -> Path:
    """The Python of a virtual environment, which is made and filled if it is not there yet."""
    folder = build / "environments" / environment
    python, stamp = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages) + "\n"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {', '.join(packages)}", file=sys.stderr, flush=True)
    try:
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *packages],
            check=True, capture_output=True, text=True, timeout=1800,
        )
    except subprocess.CalledProcessError as problem:
        reason = last_line(problem.stderr or "", "pip failed")
        raise Absent(f"{packages[0]} cannot be installed: {reason}") from None
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Absent(f"{packages[0]} cannot be installed: {problem}") from None
    stamp.write_text(wanted)
    return python

"""DeepSparse, with the scheduler for one request at a time."""

from __future__ import annotations

import os

os.environ.setdefault("NM_DISABLE_ANALYTICS", "1")

import deepsparse  # noqa: E402  (reads the environment when imported)
import numpy  # noqa: E402
from worker import serve  # noqa: E402


class Engine:
    version = deepsparse.__version__

    def __init__(self, model: str, batch: int, threads: int, data: numpy.ndarray) -> None:
        self.engine = deepsparse.Engine(
            model, batch_size=batch, num_cores=threads, num_streams=1, scheduler="single_stream"
        )
        self.inputs = [numpy.ascontiguousarray(data)]
        self.outputs: list[numpy.ndarray] = []

    def run(self) -> None:
        self.outputs = self.engine.run(self.inputs, val_inp=False)

    def output(self) -> numpy.ndarray:
        return self.outputs[0]


serve(Engine)

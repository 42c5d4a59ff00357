"""ONNX Runtime, input and output bound once."""

from __future__ import annotations

import numpy
import onnxruntime
from worker import serve


class Session:
    version = onnxruntime.__version__

    def __init__(self, model: str, batch: int, threads: int, data: numpy.ndarray) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input(self.session.get_inputs()[0].name, data)
        self.binding.bind_output(self.session.get_outputs()[0].name)

    def run(self) -> None:
        self.session.run_with_iobinding(self.binding)

    def output(self) -> numpy.ndarray:
        return self.binding.copy_outputs_to_cpu()[0]


serve(Session)

"""MNN, through a session. The model is the .mnn file beside the .onnx file."""

from __future__ import annotations

import MNN
import numpy
from worker import serve, stem


def tensor(data: numpy.ndarray) -> MNN.Tensor:
    """In the layout NCHW."""
    kind, layout = MNN.Halide_Type_Float, MNN.Tensor_DimensionType_Caffe
    return MNN.Tensor(data.shape, kind, data, layout)


class Session:
    version = MNN.version()

    def __init__(self, model: str, batch: int, threads: int, data: numpy.ndarray) -> None:
        self.interpreter = MNN.Interpreter(stem(model) + ".mnn")
        self.session = self.interpreter.createSession(
            {"backend": "CPU", "numThread": threads, "precision": "high"}
        )
        self.input = self.interpreter.getSessionInput(self.session)
        self.interpreter.resizeTensor(self.input, data.shape)
        self.interpreter.resizeSession(self.session)
        self.host = tensor(data)

    def run(self) -> None:
        # Every time, since MNN reuses the input's memory for what comes later.
        self.input.copyFrom(self.host)
        self.interpreter.runSession(self.session)

    def output(self) -> numpy.ndarray:
        device = self.interpreter.getSessionOutput(self.session)
        shape = device.getShape()
        host = tensor(numpy.zeros(shape, numpy.float32))
        device.copyToHostTensor(host)
        return numpy.array(host.getNumpyData(), dtype=numpy.float32).reshape(shape)


serve(Session)

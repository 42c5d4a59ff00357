"""OpenVINO. The second argument is the precision: f32, or default for what it takes by itself."""

from __future__ import annotations

import sys

import numpy
import openvino
from worker import serve

PRECISION = sys.argv[2]


class Request:
    def __init__(self, model: str, batch: int, threads: int, data: numpy.ndarray) -> None:
        core = openvino.Core()
        properties: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        if PRECISION != "default":
            properties["INFERENCE_PRECISION_HINT"] = PRECISION
        compiled = core.compile_model(model, "CPU", properties)
        used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.version = f"{openvino.__version__.split('-')[0]}, precision {used}"
        self.request = compiled.create_infer_request()
        self.data = numpy.ascontiguousarray(data)
        self.request.set_input_tensor(openvino.Tensor(self.data, shared_memory=True))

    def run(self) -> None:
        self.request.infer()

    def output(self) -> numpy.ndarray:
        return numpy.array(self.request.get_output_tensor().data)


serve(Request)

"""Writes a Caffe network as ONNX, with the weights of its caffemodel and a fixed batch.

    export_onnx.py NET.prototxt NET.caffemodel BATCH OUT.onnx [--rewrite-for deepsparse]

Prints one JSON document: the convolutions with their shapes, and what was rewritten. It runs in the
virtual environment that has the packages onnx and numpy.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy
import onnx
from caffe import Message, input_of, parse_prototxt, read_caffemodel
from onnx import helper, numpy_helper

Shape = tuple[int, ...]
Value = tuple[str, Shape]
OPSET = 13


@dataclass
class Layer:
    """A layer with the ONNX values that it reads and their shapes."""

    fields: Message
    name: str
    inputs: list[str]
    shapes: list[Shape]


@dataclass
class ConvolutionShape:
    """A convolution as oneDNN wants to know it; one item."""

    name: str
    channels: int
    height: int
    width: int
    outputs: int
    groups: int
    kernel: list[int]
    stride: list[int]
    pad: list[int]
    dilation: list[int]
    nonzeros: int
    weights: int


def pair(fields: Message, name: str, default: int, short: str = "") -> list[int]:
    """A size along height and width: NAME_h and NAME_w, or NAME once or twice."""
    short = short or name
    if fields.all(short + "_h"):
        return [int(fields.one(short + "_h")), int(fields.one(short + "_w"))]
    values = [int(v) for v in fields.all(name)] or [default]
    return (values * 2)[:2]


class Exporter:
    def __init__(self, net: Message, model: Path, batch: int, rewrites_padded_1x1: bool) -> None:
        self.weights = {
            layer.name: [
                numpy.frombuffer(blob.data, dtype="<f4").reshape(blob.shape) for blob in layer.blobs
            ]
            for layer in read_caffemodel(model)
        }
        self.rewrites_padded_1x1 = rewrites_padded_1x1
        self.rewrites: list[str] = []
        self.convolutions: list[ConvolutionShape] = []
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.shapes: dict[str, Shape] = {}
        # The ONNX value that a blob's name stands for at the moment: layers may work in place.
        self.names: dict[str, str] = {}
        self.normalized: dict[str, onnx.NodeProto] = {}  # BatchNorms whose Scale may come
        layers = [layer for layer in net.all("layer") if isinstance(layer, Message)]
        self.input, extents = input_of(net)
        self.shapes[self.input] = (batch, *extents[1:])
        self.names[self.input] = self.input
        for layer in layers:
            if layer.one("type") != "Input":
                self.add(layer)

    def initializer(self, name: str, values: numpy.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(numpy.ascontiguousarray(values), name))
        return name

    def node(self, operation: str, name: str, inputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def add(self, layer: Message) -> None:
        kind, name = str(layer.one("type")), str(layer.one("name"))
        writers = {
            "Convolution": self.convolution, "InnerProduct": self.inner_product,
            "Pooling": self.pooling, "LRN": self.lrn, "ReLU": self.relu, "Softmax": self.softmax,
            "BatchNorm": self.batch_norm, "Scale": self.scale, "Eltwise": self.eltwise,
            "Concat": self.concat, "Dropout": self.dropout,
        }
        if kind not in writers:
            raise ValueError(f"layer {name}: no ONNX for type {kind}")
        bottoms = [str(b) for b in layer.all("bottom")]
        inputs, shapes = [self.names[b] for b in bottoms], [self.shapes[b] for b in bottoms]
        top = str(layer.one("top"))
        self.names[top], self.shapes[top] = writers[kind](Layer(layer, name, inputs, shapes))
        self.output = top

    def convolution(self, layer: Layer) -> Value:
        fields = layer.fields.message("convolution_param")
        kernel = pair(fields, "kernel_size", 1, "kernel")
        stride, pad = pair(fields, "stride", 1), pair(fields, "pad", 0)
        dilation, groups = pair(fields, "dilation", 1), int(fields.one("group", 1))
        blobs = self.weights[layer.name]
        n, channels, height, width = layer.shapes[0]
        outputs = int(fields.one("num_output"))
        weights = blobs[0].reshape(outputs, channels // groups, *kernel)
        extent = [
            (size + 2 * p - d * (k - 1) - 1) // s + 1
            for size, p, d, k, s in zip((height, width), pad, dilation, kernel, stride)
        ]
        self.convolutions.append(ConvolutionShape(
            layer.name, channels, height, width, outputs, groups, kernel, stride, pad, dilation,
            int(numpy.count_nonzero(weights)), weights.size))
        attributes = {
            "kernel_shape": kernel, "strides": stride, "dilations": dilation, "group": groups,
        }
        operands = [layer.inputs[0], self.initializer(layer.name + "_weights", weights)]
        bias = blobs[1].reshape(-1) if len(blobs) > 1 else None
        if self.rewrites_padded_1x1 and kernel == [1, 1] and stride == [1, 1] and pad != [0, 0]:
            self.padded_behind(layer.name, operands, pad, bias, attributes)
        else:
            if bias is not None:
                operands.append(self.initializer(layer.name + "_bias", bias))
            self.node("Conv", layer.name, operands, pads=pad * 2, **attributes)
        return layer.name, (n, outputs, *extent)

    def padded_behind(
        self, name: str, operands: list[str], pad: list[int], bias: numpy.ndarray | None,
        attributes: dict[str, object],
    ) -> None:
        """A 1x1 convolution, padded with zeros behind instead of in front; then its bias."""
        pads = self.initializer(name + "_pads", numpy.array([0, 0, *pad] * 2, dtype=numpy.int64))
        product = self.node("Conv", name + "_unpadded", operands, **attributes)
        padded = self.node("Pad", name if bias is None else name + "_padded", [product, pads])
        if bias is not None:
            added = self.initializer(name + "_bias", bias.reshape(1, -1, 1, 1))
            self.node("Add", name, [padded, added])
        self.rewrites.append(f"{name} (padded 1x1 convolution) as Conv, Pad and Add")

    def inner_product(self, layer: Layer) -> Value:
        blobs = self.weights[layer.name]
        outputs = int(layer.fields.message("inner_product_param").one("num_output"))
        source = layer.inputs[0]
        if len(layer.shapes[0]) > 2:
            source = self.node("Flatten", layer.name + "_flat", [source], axis=1)
        weights = self.initializer(layer.name + "_weights", blobs[0].reshape(outputs, -1))
        zeros = numpy.zeros(outputs, numpy.float32)
        bias = self.initializer(
            layer.name + "_bias", blobs[1].reshape(-1) if len(blobs) > 1 else zeros)
        self.node("Gemm", layer.name, [source, weights, bias], transB=1)
        return layer.name, (layer.shapes[0][0], outputs)

    def pooling(self, layer: Layer) -> Value:
        fields = layer.fields.message("pooling_param")
        n, channels, *size = layer.shapes[0]
        average = fields.one("pool") == "AVE"
        if fields.one("global_pooling"):
            operation = "GlobalAveragePool" if average else "GlobalMaxPool"
            return self.node(operation, layer.name, layer.inputs), (n, channels, 1, 1)
        kernel = pair(fields, "kernel_size", 1, "kernel")
        stride, pad = pair(fields, "stride", 1), pair(fields, "pad", 0)
        extent, end = [], []
        for length, k, s, p in zip(size, kernel, stride, pad):
            # Caffe rounds up, but a window has to begin inside the image or its padding in front.
            count = math.ceil((length + 2 * p - k) / s) + 1
            if p and (count - 1) * s >= length + p:
                count -= 1
            extent.append(count)
            end.append(max((count - 1) * s + k - length - p, 0))
        if average and any(e > p for e, p in zip(end, pad)):
            raise ValueError(f"layer {layer.name}: ONNX has no average over cut off windows")
        attributes = {"kernel_shape": kernel, "strides": stride, "pads": [*pad, *end]}
        if average:
            if kernel == size and pad == [0, 0]:
                return self.node("GlobalAveragePool", layer.name, layer.inputs), (n, channels, 1, 1)
            self.node("AveragePool", layer.name, layer.inputs, count_include_pad=1, **attributes)
        else:
            self.node("MaxPool", layer.name, layer.inputs, **attributes)
        return layer.name, (n, channels, *extent)

    def lrn(self, layer: Layer) -> Value:
        fields = layer.fields.message("lrn_param")
        if fields.one("norm_region", "ACROSS_CHANNELS") != "ACROSS_CHANNELS":
            raise ValueError(f"layer {layer.name}: ONNX has no LRN within channels")
        self.node(
            "LRN", layer.name, layer.inputs, size=int(fields.one("local_size", 5)),
            bias=float(fields.one("k", 1)), alpha=float(fields.one("alpha", 1)),
            beta=float(fields.one("beta", 0.75)))
        return layer.name, layer.shapes[0]

    def relu(self, layer: Layer) -> Value:
        if layer.fields.message("relu_param").one("negative_slope"):
            raise ValueError(f"layer {layer.name}: ONNX is written only for a plain ReLU")
        return self.node("Relu", layer.name, layer.inputs), layer.shapes[0]

    def softmax(self, layer: Layer) -> Value:
        return self.node("Softmax", layer.name, layer.inputs, axis=1), layer.shapes[0]

    def batch_norm(self, layer: Layer) -> Value:
        """With scale one and bias zero, until a Scale layer behind it brings its own."""
        mean, variance, factor = self.weights[layer.name]
        # Caffe stores sums; a factor of zero stands for a mean and a variance of zero.
        factor = 1 / float(factor.reshape(-1)[0]) if factor.reshape(-1)[0] else 0.0
        channels = layer.shapes[0][1]
        values = {
            "_scale": numpy.ones(channels), "_bias": numpy.zeros(channels),
            "_mean": mean.reshape(-1) * factor, "_variance": variance.reshape(-1) * factor,
        }
        operands = [self.initializer(layer.name + suffix, v.astype(numpy.float32))
                    for suffix, v in values.items()]
        epsilon = float(layer.fields.message("batch_norm_param").one("eps", 1e-5))
        self.node("BatchNormalization", layer.name, [layer.inputs[0], *operands], epsilon=epsilon)
        self.normalized[layer.name] = self.nodes[-1]
        return layer.name, layer.shapes[0]

    def scale(self, layer: Layer) -> Value:
        if len(layer.inputs) != 1 or layer.inputs[0] not in self.normalized:
            raise ValueError(f"layer {layer.name}: ONNX is written only behind a BatchNorm")
        node = self.normalized.pop(layer.inputs[0])
        blobs = self.weights[layer.name]
        node.input[1] = self.initializer(layer.name + "_scale", blobs[0].reshape(-1))
        if len(blobs) > 1:
            node.input[2] = self.initializer(layer.name + "_bias", blobs[1].reshape(-1))
        return layer.inputs[0], layer.shapes[0]

    def eltwise(self, layer: Layer) -> Value:
        fields = layer.fields.message("eltwise_param")
        if fields.one("operation", "SUM") != "SUM" or fields.all("coeff") or len(layer.inputs) != 2:
            raise ValueError(f"layer {layer.name}: ONNX is written only for sums of two")
        return self.node("Add", layer.name, layer.inputs), layer.shapes[0]

    def concat(self, layer: Layer) -> Value:
        n, _, *rest = layer.shapes[0]
        channels = sum(shape[1] for shape in layer.shapes)
        return self.node("Concat", layer.name, layer.inputs, axis=1), (n, channels, *rest)

    def dropout(self, layer: Layer) -> Value:
        return layer.inputs[0], layer.shapes[0]

    def model(self) -> onnx.ModelProto:
        def value(blob: str) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(
                self.names[blob], onnx.TensorProto.FLOAT, self.shapes[blob])

        used = {name for node in self.nodes for name in node.input}
        initializers = [i for i in self.initializers if i.name in used]
        graph = helper.make_graph(
            self.nodes, "net", [value(self.input)], [value(self.output)], initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 8  # what the oldest peer reads
        return model


def main() -> None:
    prototxt, caffemodel, batch, out = sys.argv[1:5]
    exporter = Exporter(
        parse_prototxt(Path(prototxt).read_text()), Path(caffemodel), int(batch),
        rewrites_padded_1x1="deepsparse" in sys.argv[5:])
    onnx.save(exporter.model(), out)
    json.dump({
        "convolutions": [asdict(c) for c in exporter.convolutions], "rewrites": exporter.rewrites,
    }, sys.stdout)


if __name__ == "__main__":
    main()

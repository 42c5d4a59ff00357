"""The networks that are timed, each said once: as a prototxt for sparsec and as layers for the peer."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Layer:
    """One step of a network. `inputs` are names of earlier layers; empty for the one before."""

    kind: str  # conv, pool, relu, lrn, inner, dropout, norm (BatchNorm and Scale), sum
    name: str
    outputs: int = 0
    kernel: int = 1
    stride: int = 1
    pad: int = 0
    groups: int = 1
    pool: str = "MAX"
    region: str = "ACROSS_CHANNELS"
    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    bias: bool = True
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Net:
    name: str
    batch: int
    image: tuple[int, int, int]  # channels, height, width
    classes: int
    layers: list[Layer] = field(hash=False)
    display: int = 1  # steps between two lines of the log, which take time too


def lenet() -> Net:
    return Net("LeNet", 64, (1, 28, 28), 10, [
        Layer("conv", "conv1", 20, 5), Layer("pool", "pool1", kernel=2, stride=2),
        Layer("conv", "conv2", 50, 5), Layer("pool", "pool2", kernel=2, stride=2),
        Layer("inner", "ip1", 500), Layer("relu", "relu1"), Layer("inner", "ip2", 10),
    ], display=20)


def cifar10_full() -> Net:
    def normalised(name: str) -> Layer:
        return Layer("lrn", name, region="WITHIN_CHANNEL", size=3, alpha=5e-5)

    return Net("cifar10_full", 100, (3, 32, 32), 10, [
        Layer("conv", "conv1", 32, 5, pad=2), Layer("pool", "pool1", kernel=3, stride=2),
        Layer("relu", "relu1"), normalised("norm1"),
        Layer("conv", "conv2", 32, 5, pad=2), Layer("relu", "relu2"),
        Layer("pool", "pool2", kernel=3, stride=2, pool="AVE"), normalised("norm2"),
        Layer("conv", "conv3", 64, 5, pad=2), Layer("relu", "relu3"),
        Layer("pool", "pool3", kernel=3, stride=2, pool="AVE"), Layer("inner", "ip1", 10),
    ], display=5)


def resnet20() -> Net:
    layers: list[Layer] = []

    def convolution(name: str, outputs: int, kernel: int, stride: int, source: str) -> str:
        layers.append(Layer("conv", name, outputs, kernel, stride, kernel // 2, bias=False,
                            inputs=(source,) if source else ()))
        layers.append(Layer("norm", name + "_bn"))
        return name + "_bn"

    def rectified(name: str) -> str:
        layers.append(Layer("relu", name))
        return name

    convolution("conv1", 16, 3, 1, "")
    last = rectified("conv1_relu")
    channels = 16
    for stage, outputs in enumerate((16, 32, 64), start=1):
        for block in range(1, 4):
            name = f"res{stage}_{block}"
            stride = 2 if outputs != channels else 1
            shortcut = last
            if stride == 2:
                shortcut = convolution(name + "_shortcut", outputs, 1, 2, last)
            convolution(name + "_a", outputs, 3, stride, last)
            middle = rectified(name + "_a_relu")
            end = convolution(name + "_b", outputs, 3, 1, middle)
            layers.append(Layer("sum", name, inputs=(shortcut, end)))
            last = rectified(name + "_relu")
            channels = outputs
    layers.append(Layer("pool", "pool", kernel=8, stride=1, pool="AVE"))
    layers.append(Layer("inner", "ip", 10))
    return Net("cifar10 ResNet-20", 128, (3, 32, 32), 10, layers)


def caffenet() -> Net:
    return Net("CaffeNet", 16, (3, 227, 227), 1000, [
        Layer("conv", "conv1", 96, 11, 4), Layer("relu", "relu1"),
        Layer("pool", "pool1", kernel=3, stride=2), Layer("lrn", "norm1"),
        Layer("conv", "conv2", 256, 5, pad=2, groups=2), Layer("relu", "relu2"),
        Layer("pool", "pool2", kernel=3, stride=2), Layer("lrn", "norm2"),
        Layer("conv", "conv3", 384, 3, pad=1), Layer("relu", "relu3"),
        Layer("conv", "conv4", 384, 3, pad=1, groups=2), Layer("relu", "relu4"),
        Layer("conv", "conv5", 256, 3, pad=1, groups=2), Layer("relu", "relu5"),
        Layer("pool", "pool5", kernel=3, stride=2),
        Layer("inner", "fc6", 4096), Layer("relu", "relu6"), Layer("dropout", "drop6"),
        Layer("inner", "fc7", 4096), Layer("relu", "relu7"), Layer("dropout", "drop7"),
        Layer("inner", "fc8", 1000),
    ], display=2)


NETS = {"lenet": lenet, "cifar10_full": cifar10_full, "resnet20": resnet20, "caffenet": caffenet}


def prototxt(net: Net, lmdb: Path | None = None) -> str:
    """The net for training, with constant images, so that data takes no time, or with those of a database."""
    channels, height, width = net.image
    data = f"""  type: "DummyData"
  dummy_data_param {{
    shape {{ dim: {net.batch} dim: {channels} dim: {height} dim: {width} }}
    shape {{ dim: {net.batch} }}
    data_filler {{ type: "constant" value: 0.5 }}
    data_filler {{ type: "constant" value: 1 }}
  }}"""
    if lmdb:
        data = f"""  type: "Data"
  data_param {{ source: "{lmdb}" backend: LMDB batch_size: {net.batch} }}
  transform_param {{ scale: 0.00390625 }}"""
    texts = [f'name: "{net.name}"', f'layer {{\n  name: "data" top: "data" top: "label"\n{data}\n}}']
    tops = {"": "data"}
    last = "data"
    for layer in net.layers:
        bottoms = [tops[name] for name in layer.inputs] or [last]
        text, last = _layer(layer, bottoms)
        tops[layer.name] = last
        texts.append(text)
    texts.append(f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "{last}" bottom: "label" top: "loss" }}')
    return "\n".join(texts) + "\n"


def _layer(layer: Layer, bottoms: list[str]) -> tuple[str, str]:
    """A layer's text, and the blob that it makes."""
    ends = " ".join(f'bottom: "{b}"' for b in bottoms)
    filler = 'weight_filler { type: "gaussian" std: 0.01 }'

    def text(kind: str, top: str, parameters: str = "", name: str = layer.name) -> str:
        return f'layer {{ name: "{name}" type: "{kind}" {ends} top: "{top}" {parameters} }}'

    in_place = bottoms[0]
    if layer.kind == "conv":
        bias = "" if layer.bias else "bias_term: false "
        return text("Convolution", layer.name, (
            f"convolution_param {{ num_output: {layer.outputs} kernel_size: {layer.kernel} "
            f"stride: {layer.stride} pad: {layer.pad} group: {layer.groups} {bias}{filler} }}")), layer.name
    if layer.kind == "pool":
        return text("Pooling", layer.name, (
            f"pooling_param {{ pool: {layer.pool} kernel_size: {layer.kernel} "
            f"stride: {layer.stride} }}")), layer.name
    if layer.kind == "relu":
        return text("ReLU", in_place), in_place
    if layer.kind == "lrn":
        return text("LRN", layer.name, (
            f"lrn_param {{ local_size: {layer.size} alpha: {layer.alpha} beta: {layer.beta} "
            f"norm_region: {layer.region} }}")), layer.name
    if layer.kind == "inner":
        return text("InnerProduct", layer.name, (
            f"inner_product_param {{ num_output: {layer.outputs} {filler} }}")), layer.name
    if layer.kind == "dropout":
        return text("Dropout", in_place), in_place
    if layer.kind == "norm":
        scale = text("Scale", in_place, "scale_param { bias_term: true }", layer.name + "_scale")
        return text("BatchNorm", in_place) + "\n" + scale, in_place
    if layer.kind == "sum":
        return text("Eltwise", layer.name), layer.name
    raise ValueError(f"no layer of kind {layer.kind}")


def solver(net_file: str, iterations: int, display: int) -> str:
    return (f'net: "{net_file}"\nbase_lr: 0.001\nmomentum: 0.9\nweight_decay: 0.0005\n'
            f'lr_policy: "fixed"\nmax_iter: {iterations}\ndisplay: {display}\n'
            'snapshot_after_train: false\nsnapshot_prefix: "timed"\nrandom_seed: 1\n')

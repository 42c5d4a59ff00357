"""Writes the definitions of the networks that are measured, as Caffe users know them."""

from __future__ import annotations

from collections.abc import Callable


class Definition:
    """A prototxt that grows layer by layer; every method returns the name of its top blob."""

    def __init__(self, name: str, channels: int, size: int) -> None:
        self.lines = [
            f'name: "{name}"',
            'layer { name: "data" type: "Input" top: "data"',
            f"  input_param {{ shape {{ dim: 1 dim: {channels} dim: {size} dim: {size} }} }} }}",
        ]

    def layer(
        self, kind: str, name: str, bottoms: list[str], fields: str = "", top: str = ""
    ) -> str:
        top = top or name
        reads = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        head = f'name: "{name}" type: "{kind}" {reads} top: "{top}"'
        self.lines.append(f"layer {{ {head} {fields} }}")
        return top

    def convolution(
        self, name: str, bottom: str, outputs: int, kernel: int, stride: int = 1, pad: int = 0,
        group: int = 1, bias: bool = True,
    ) -> str:
        fields = f"num_output: {outputs} kernel_size: {kernel} stride: {stride} pad: {pad}"
        if group > 1:
            fields += f" group: {group}"
        if not bias:
            fields += " bias_term: false"
        return self.layer("Convolution", name, [bottom], f"convolution_param {{ {fields} }}")

    def relu(self, name: str, blob: str) -> str:
        return self.layer("ReLU", name, [blob], top=blob)

    def normalized(self, suffix: str, blob: str, relu: bool = True) -> str:
        """BatchNorm, Scale and ReLU in place."""
        self.layer("BatchNorm", "bn" + suffix, [blob], top=blob)
        self.layer("Scale", "scale" + suffix, [blob], "scale_param { bias_term: true }", top=blob)
        return self.relu("relu" + suffix, blob) if relu else blob

    def pool(
        self, name: str, bottom: str, kind: str, kernel: int, stride: int = 1, pad: int = 0
    ) -> str:
        fields = f"pool: {kind} kernel_size: {kernel} stride: {stride} pad: {pad}"
        return self.layer("Pooling", name, [bottom], f"pooling_param {{ {fields} }}")

    def inner_product(self, name: str, bottom: str, outputs: int) -> str:
        fields = f"inner_product_param {{ num_output: {outputs} }}"
        return self.layer("InnerProduct", name, [bottom], fields)

    def lrn(self, name: str, bottom: str) -> str:
        fields = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
        return self.layer("LRN", name, [bottom], fields)

    def ended(self, scores: str) -> str:
        """The text, with a Softmax at the end."""
        self.layer("Softmax", "prob", [scores])
        return "\n".join(self.lines) + "\n"


def caffenet() -> str:
    net = Definition("CaffeNet", 3, 227)
    top = "data"
    shapes = {1: (96, 11, 4, 0, 1), 2: (256, 5, 1, 2, 2), 3: (384, 3, 1, 1, 1),
              4: (384, 3, 1, 1, 2), 5: (256, 3, 1, 1, 2)}
    for i, shape in shapes.items():
        top = net.relu(f"relu{i}", net.convolution(f"conv{i}", top, *shape))
        if i in (1, 2, 5):
            top = net.pool(f"pool{i}", top, "MAX", 3, 2)
        if i in (1, 2):
            top = net.lrn(f"norm{i}", top)
    for i in (6, 7):
        top = net.relu(f"relu{i}", net.inner_product(f"fc{i}", top, 4096))
    return net.ended(net.inner_product("fc8", top, 1000))


INCEPTIONS = {
    # 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pool projection
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet() -> str:
    net = Definition("GoogLeNet", 3, 224)

    def convolution(name: str, bottom: str, outputs: int, kernel: int, stride: int = 1) -> str:
        top = net.convolution(name, bottom, outputs, kernel, stride, kernel // 2)
        return net.relu("relu_" + name, top)

    top = convolution("conv1/7x7_s2", "data", 64, 7, 2)
    top = net.lrn("pool1/norm1", net.pool("pool1/3x3_s2", top, "MAX", 3, 2))
    top = convolution("conv2/3x3_reduce", top, 64, 1)
    top = net.lrn("conv2/norm2", convolution("conv2/3x3", top, 192, 3))
    top = net.pool("pool2/3x3_s2", top, "MAX", 3, 2)
    for block, (one, three_in, three, five_in, five, projection) in INCEPTIONS.items():
        name = f"inception_{block}/"
        pooled = net.pool(name + "pool", top, "MAX", 3, 1, 1)
        branches = [
            convolution(name + "1x1", top, one, 1),
            convolution(name + "3x3", convolution(name + "3x3_reduce", top, three_in, 1), three, 3),
            convolution(name + "5x5", convolution(name + "5x5_reduce", top, five_in, 1), five, 5),
            convolution(name + "pool_proj", pooled, projection, 1),
        ]
        top = net.layer("Concat", name + "output", branches)
        if block in ("3b", "4e"):
            top = net.pool(f"pool{block[0]}/3x3_s2", top, "MAX", 3, 2)
    top = net.pool("pool5/7x7_s1", top, "AVE", 7)
    return net.ended(net.inner_product("loss3/classifier", top, 1000))


def resnet50() -> str:
    net = Definition("ResNet-50", 3, 224)

    def convolution(name: str, bottom: str, *shape: int, relu: bool = True) -> str:
        top = net.convolution("res" + name, bottom, *shape, bias=False)
        return net.normalized(name, top, relu)

    top = net.normalized("_conv1", net.convolution("conv1", "data", 64, 7, 2, 3))
    top = net.pool("pool1", top, "MAX", 3, 2)
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], start=2):
        for block in range(blocks):
            name = f"{stage}{'abcdef'[block]}"
            stride = 2 if block == 0 and stage > 2 else 1
            shortcut = top
            if block == 0:
                shortcut = convolution(name + "_branch1", top, 4 * width, 1, stride, relu=False)
            branch = convolution(name + "_branch2a", top, width, 1, stride)
            branch = convolution(name + "_branch2b", branch, width, 3, 1, 1)
            branch = convolution(name + "_branch2c", branch, 4 * width, 1, relu=False)
            top = net.layer("Eltwise", "res" + name, [shortcut, branch])
            top = net.relu(f"res{name}_relu", top)
    return net.ended(net.inner_product("fc1000", net.pool("pool5", top, "AVE", 7), 1000))


def vgg16() -> str:
    net = Definition("VGG-16", 3, 224)
    top = "data"
    stages = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
    for stage, (count, width) in enumerate(stages, start=1):
        for i in range(1, count + 1):
            top = net.convolution(f"conv{stage}_{i}", top, width, 3, 1, 1)
            top = net.relu(f"relu{stage}_{i}", top)
        top = net.pool(f"pool{stage}", top, "MAX", 2, 2)
    for i in (6, 7):
        top = net.relu(f"relu{i}", net.inner_product(f"fc{i}", top, 4096))
    return net.ended(net.inner_product("fc8", top, 1000))


def resnet20() -> str:
    net = Definition("cifar10 ResNet-20", 3, 32)

    def convolution(name: str, bottom: str, *shape: int, relu: bool = True) -> str:
        return net.normalized("_" + name, net.convolution(name, bottom, *shape, bias=False), relu)

    top = convolution("conv1", "data", 16, 3, 1, 1)
    for stage, width in enumerate([16, 32, 64], start=1):
        for block in range(1, 4):
            name = f"res{stage}_{block}"
            stride = 2 if block == 1 and stage > 1 else 1
            shortcut = top
            if stride == 2:
                shortcut = convolution(name + "_shortcut", top, width, 1, 2, relu=False)
            branch = convolution(name + "_conv1", top, width, 3, stride, 1)
            branch = convolution(name + "_conv2", branch, width, 3, 1, 1, relu=False)
            top = net.relu(name + "_relu", net.layer("Eltwise", name, [shortcut, branch]))
    return net.ended(net.inner_product("ip1", net.pool("pool", top, "AVE", 8), 10))


def lenet() -> str:
    net = Definition("LeNet", 1, 28)
    top = net.pool("pool1", net.convolution("conv1", "data", 20, 5), "MAX", 2, 2)
    top = net.pool("pool2", net.convolution("conv2", top, 50, 5), "MAX", 2, 2)
    top = net.relu("relu1", net.inner_product("ip1", top, 500))
    return net.ended(net.inner_product("ip2", top, 10))


def mobilenet() -> str:
    net = Definition("MobileNet", 3, 224)

    def convolution(name: str, bottom: str, *shape: int) -> str:
        return net.normalized("_" + name, net.convolution(name, bottom, *shape, bias=False))

    top = convolution("conv1", "data", 32, 3, 2, 1)
    channels = 32
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    blocks += 5 * [(512, 1)] + [(1024, 2), (1024, 1)]
    for i, (outputs, stride) in enumerate(blocks, start=2):
        top = convolution(f"conv{i}/dw", top, channels, 3, stride, 1, channels)
        top = convolution(f"conv{i}/sep", top, outputs, 1)
        channels = outputs
    return net.ended(net.inner_product("fc7", net.pool("pool6", top, "AVE", 7), 1000))


DEFINITIONS: dict[str, Callable[[], str]] = {
    "caffenet": caffenet, "googlenet": googlenet, "resnet50": resnet50, "vgg16": vgg16,
    "resnet20": resnet20, "lenet": lenet, "mobilenet": mobilenet,
}

"""The models that are measured: definition, weights, and what the project wants to reach."""

from __future__ import annotations

from dataclasses import dataclass, field

from networks import INCEPTIONS


@dataclass(frozen=True)
class Target:
    """At least this many times as fast as the best FP32 peer, at a batch and number of threads."""

    ratio: float
    batch: int = 1
    threads: int = 1


@dataclass(frozen=True)
class Model:
    """A network with seeded random weights of given density, or with real ones.

    `definition` is a key of `networks.DEFINITIONS`, or a folder of shared models with a
    deploy.prototxt and weights. `densities` are shares of non-zeros by layer; the others have
    `default_density`. `real_layers` is such a folder too; its layers replace those of the same name.
    """

    name: str
    title: str
    definition: str
    densities: dict[str, float] = field(default_factory=dict)
    default_density: float = 1.0
    real_layers: str | None = None
    targets: tuple[Target, ...] = ()
    seed: int = 1

    @property
    def is_dense(self) -> bool:
        return self.name.endswith("-dense")


def left(sparsities: dict[str, float]) -> dict[str, float]:
    """Densities of layers whose share of zeros is given in percent."""
    return {layer: round(1 - percent / 100, 6) for layer, percent in sparsities.items()}


CAFFENET_FC = {"fc6": 90.28, "fc7": 84.37, "fc8": 73.82}
CAFFENET_CONVOLUTIONS = {"conv2": 85.65, "conv3": 93.10, "conv4": 91.81, "conv5": 88.49}
GOOGLENET_3X3 = [90.09, 90.47, 87.97, 96.11, 94.90, 92.41, 98.70, 96.24, 94.95]
GOOGLENET_5X5 = [84.56, 88.55, 83.76, 87.40, 88.01, 90.39, 94.42, 93.40, 94.87]
GOOGLENET = {
    "conv2/3x3": 81.65, "loss3/classifier": 90.65,
    **{f"inception_{block}/3x3": s for block, s in zip(INCEPTIONS, GOOGLENET_3X3, strict=True)},
    **{f"inception_{block}/5x5": s for block, s in zip(INCEPTIONS, GOOGLENET_5X5, strict=True)},
}
RESNET50_STAGES = {
    2: [88.00, 83.97, 80.79], 3: [91.76, 91.91, 95.50, 91.13],
    4: [96.55, 97.47, 97.15, 96.76, 96.84, 96.84], 5: [97.78, 98.03, 97.92],
}
RESNET50 = {
    "fc1000": 91.51,
    **{f"res{stage}{'abcdef'[i]}_branch2b": s
       for stage, sparsities in RESNET50_STAGES.items() for i, s in enumerate(sparsities)},
}
ENDS_OF_RESNET50 = {"conv1": 1.0, "fc1000": 1.0}
NOT_SLOWER = (Target(0.9),)


def dense(name: str, title: str, definition: str, seed: int = 1) -> Model:
    return Model(name + "-dense", title + ", dense", definition, targets=NOT_SLOWER, seed=seed)


MODELS = [
    Model("lenet-90", "LeNet, 90 %", "lenet", default_density=0.1, targets=(Target(3.5),)),
    dense("lenet", "LeNet", "lenet"),
    Model("resnet20-90", "cifar10 ResNet-20, 90 %", "resnet20", default_density=0.1,
          targets=(Target(1.7),)),
    dense("resnet20", "cifar10 ResNet-20", "resnet20"),
    Model("squeezenet-dc", "SqueezeNet DC, real weights (67 %)", "squeezenet_dc",
          targets=(Target(1.3),)),
    Model("squeezenet-dense", "SqueezeNet, dense", "squeezenet_dc", targets=NOT_SLOWER),
    Model("caffenet-skim", "CaffeNet, SkimCaffe sparsities", "caffenet",
          left(CAFFENET_CONVOLUTIONS | CAFFENET_FC), targets=(Target(4.5),)),
    Model("caffenet-ssl", "CaffeNet, real SSL convolutions, pruned fc", "caffenet",
          left(CAFFENET_FC), real_layers="caffenet_conv_ssl", targets=(Target(4.5),)),
    Model("caffenet-l1", "CaffeNet, real L1 convolutions, pruned fc", "caffenet",
          left(CAFFENET_FC), real_layers="caffenet_conv_l1"),
    dense("caffenet", "CaffeNet", "caffenet"),
    Model("googlenet-skim", "GoogLeNet, SkimCaffe sparsities", "googlenet", left(GOOGLENET),
          targets=(Target(2.0),)),
    dense("googlenet", "GoogLeNet", "googlenet"),
    Model("resnet50-skim", "ResNet-50, SkimCaffe sparsities", "resnet50", left(RESNET50),
          targets=(Target(1.5),)),
    Model("resnet50-90", "ResNet-50, 90 %", "resnet50", ENDS_OF_RESNET50, 0.1,
          targets=(Target(3.5), Target(1.5, batch=16, threads=2))),
    Model("resnet50-95", "ResNet-50, 95 %", "resnet50", ENDS_OF_RESNET50, 0.05,
          targets=(Target(3.0),)),
    dense("resnet50", "ResNet-50", "resnet50"),
    Model("vgg16-90", "VGG-16, convolutions 90 %", "vgg16",
          {"conv1_1": 1.0, "fc6": 1.0, "fc7": 1.0, "fc8": 1.0}, 0.1, targets=(Target(2.0),)),
    dense("vgg16", "VGG-16", "vgg16"),
    dense("mobilenet", "MobileNet", "mobilenet"),
]

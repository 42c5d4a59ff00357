"""Times training steps of one network in TensorFlow; prints milliseconds of the clock and of processors, one step a line.

Usage: tensorflow_peer.py NET THREADS SECONDS
"""
from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import nets  # noqa: E402
import tensorflow as tf  # noqa: E402


class Model(tf.Module):
    """The network's weights, and its forward pass in TensorFlow's own layout (NHWC)."""

    def __init__(self, net: nets.Net) -> None:
        super().__init__()
        self.net = net
        self.weights: dict[str, list[tf.Variable]] = {}

    def weight(self, layer: str, *shapes: list[int]) -> list[tf.Variable]:
        if layer not in self.weights:
            self.weights[layer] = [tf.Variable(tf.random.normal(shape, stddev=0.01, seed=1)) for shape in shapes]
        return self.weights[layer]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        blobs: dict[str, tf.Tensor] = {}
        x = images
        for layer in self.net.layers:
            inputs = [blobs[name] for name in layer.inputs] or [x]
            x = self.step(layer, inputs)
            blobs[layer.name] = x
        return x

    def step(self, layer: nets.Layer, inputs: list[tf.Tensor]) -> tf.Tensor:
        x = inputs[0]
        channels = x.shape[-1]
        if layer.kind == "conv":
            kernel, *bias = self.weight(
                layer.name, [layer.kernel, layer.kernel, channels // layer.groups, layer.outputs],
                *([[layer.outputs]] if layer.bias else []))
            pads = [[0, 0], [layer.pad] * 2, [layer.pad] * 2, [0, 0]]
            # TensorFlow has no gradient of convolutions in groups on CPUs: one after another.
            parts = zip(tf.split(x, layer.groups, 3), tf.split(kernel, layer.groups, 3))
            y = [tf.nn.conv2d(part, weights, layer.stride, pads) for part, weights in parts]
            y = tf.concat(y, 3) if layer.groups > 1 else y[0]
            return y + bias[0] if bias else y
        if layer.kind == "pool":
            return self.pooled(x, layer)
        if layer.kind == "relu":
            return tf.nn.relu(x)
        if layer.kind == "lrn":
            return self.normalised(x, layer)
        if layer.kind == "inner":
            x = tf.reshape(x, [x.shape[0], -1])
            kernel, bias = self.weight(layer.name, [x.shape[1], layer.outputs], [layer.outputs])
            return x @ kernel + bias
        if layer.kind == "dropout":
            return tf.nn.dropout(x, 0.5)
        if layer.kind == "norm":
            scale, offset = self.weight(layer.name, [channels], [channels])
            y, _, _, *_ = tf.compat.v1.nn.fused_batch_norm(x, scale, offset, epsilon=1e-5)
            return y
        if layer.kind == "sum":
            return inputs[0] + inputs[1]
        raise ValueError(f"no layer of kind {layer.kind}")

    @staticmethod
    def pooled(x: tf.Tensor, layer: nets.Layer) -> tf.Tensor:
        # Caffe rounds extents up, as SAME does without centring; the border is added by hand.
        extent = x.shape[1]
        steps = -(-(extent - layer.kernel) // layer.stride)
        beyond = steps * layer.stride + layer.kernel - extent
        if beyond > 0:
            x = tf.pad(x, [[0, 0], [0, beyond], [0, beyond], [0, 0]])
        pool = tf.nn.max_pool2d if layer.pool == "MAX" else tf.nn.avg_pool2d
        return pool(x, layer.kernel, layer.stride, "VALID")

    @staticmethod
    def normalised(x: tf.Tensor, layer: nets.Layer) -> tf.Tensor:
        if layer.region == "ACROSS_CHANNELS":
            return tf.nn.local_response_normalization(
                x, layer.size // 2, 1.0, layer.alpha / layer.size, layer.beta)
        squares = tf.nn.avg_pool2d(x * x, layer.size, 1, "SAME")
        return x * tf.pow(1 + layer.alpha * squares, -layer.beta)


def main() -> None:
    net = nets.NETS[sys.argv[1]]()
    threads, seconds = int(sys.argv[2]), float(sys.argv[3])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    channels, height, width = net.image
    images = tf.fill([net.batch, height, width, channels], 0.5)
    labels = tf.ones([net.batch], tf.int32)
    model = Model(net)
    model(images)
    optimizer_state = {v.ref(): tf.Variable(tf.zeros_like(v)) for v in model.trainable_variables}

    @tf.function
    def train() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, model(images)))
        variables = model.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            momentum = optimizer_state[variable.ref()]
            momentum.assign(0.9 * momentum + 0.001 * (gradient + 0.0005 * variable))
            variable.assign_sub(momentum)
        return loss

    train()
    end = time.perf_counter() + seconds
    steps = 0
    while time.perf_counter() < end or steps < 3:
        steps += 1
        begin, used = time.perf_counter(), time.process_time()
        train().numpy()
        print(1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - used), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Trains the demo model, a small convolutional network for handwritten digits, and writes it as ONNX.

    train.py --mnist FOLDER --out FOLDER [--epochs 8] [--seed 1] [--held-out 64]

Needs numpy and onnx, nothing else. FOLDER of --mnist holds the four MNIST files (*-ubyte.gz). Written to --out:
digits.onnx, and the first test digits as digits-images.npy (u8[n,28,28]) and digits-labels.npy (u8[n]), none of which
were trained on. The same seed gives the same weights up to the rounding of the BLAS that numpy uses.

The network: (convolution 3x3 without bias -> batch normalization -> ReLU -> max pool 2x2) with 16, then 32 channels,
then dense 800 -> 64 -> ReLU -> dense 64 -> 10. Backpropagation is written out by hand, layer by layer.
"""
import argparse
import gzip
import os
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

EPSILON = 1e-5


def read_idx(path):
    """Reads one MNIST file: two zero bytes, the type (8 = unsigned byte), the rank, big-endian sizes, values."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    if data[:3] != b"\x00\x00\x08":
        raise SystemExit("%s is not an idx file of unsigned bytes" % path)
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, int(np.prod(shape)), 4 + 4 * rank).reshape(shape)


class Conv:
    """3x3, stride 1, no padding, no bias. Activations are NHWC, so a patch matrix times the weights is the result."""

    def __init__(self, rng, channels_in, channels_out):
        fan_in = 9 * channels_in
        self.w = (rng.standard_normal((fan_in, channels_out)) * np.sqrt(2.0 / fan_in)).astype(np.float32)
        self.dw = np.zeros_like(self.w)

    def forward(self, x, training):
        n, h, w, c = x.shape
        patches = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))  # n, h-2, w-2, c, 3, 3
        patches = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * c)
        if training:
            self.patches, self.shape = patches, x.shape
        return (patches @ self.w).reshape(n, h - 2, w - 2, -1)

    def backward(self, dy):
        n, h, w, c = self.shape
        dy = dy.reshape(-1, dy.shape[-1])
        self.dw[...] = self.patches.T @ dy
        d = (dy @ self.w.T).reshape(n, h - 2, w - 2, 3, 3, c)
        dx = np.zeros(self.shape, np.float32)
        for i in range(3):
            for j in range(3):
                dx[:, i:i + h - 2, j:j + w - 2] += d[:, :, :, i, j]
        return dx

    def parameters(self):
        return [(self.w, self.dw)]


class BatchNorm:
    """Normalises each channel over batch and space; keeps running statistics for inference."""

    def __init__(self, channels):
        self.scale, self.bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        self.dscale, self.dbias = np.zeros_like(self.scale), np.zeros_like(self.bias)
        self.mean, self.var = np.zeros(channels, np.float32), np.ones(channels, np.float32)

    def forward(self, x, training):
        if not training:
            return (x - self.mean) * (self.scale / np.sqrt(self.var + EPSILON)) + self.bias
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
        self.mean += 0.05 * (mean - self.mean)
        self.var += 0.05 * (var - self.var)
        self.inv = 1 / np.sqrt(var + EPSILON)
        self.xhat = (x - mean) * self.inv
        return self.xhat * self.scale + self.bias

    def backward(self, dy):
        count = dy.size // dy.shape[-1]
        self.dbias[...] = dy.sum((0, 1, 2))
        self.dscale[...] = (dy * self.xhat).sum((0, 1, 2))
        return (self.scale * self.inv) * (dy - self.dbias / count - self.xhat * (self.dscale / count))

    def parameters(self):
        return [(self.scale, self.dscale), (self.bias, self.dbias)]


class ReluPool:
    """ReLU, then the maximum of 2x2 blocks; an odd last row or column is dropped."""

    def forward(self, x, training):
        n, h, w, c = x.shape
        blocks = x[:, :h // 2 * 2, :w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
        y = np.maximum(blocks.max((2, 4)), 0)
        if training:
            self.shape = x.shape
            self.hit = (blocks == y[:, :, None, :, None]) & (blocks > 0)
        return y

    def backward(self, dy):
        n, h, w, c = self.shape
        dx = np.zeros(self.shape, np.float32)
        blocks = self.hit * dy[:, :, None, :, None]
        dx[:, :h // 2 * 2, :w // 2 * 2] = blocks.reshape(n, h // 2 * 2, w // 2 * 2, c)
        return dx

    def parameters(self):
        return []


class Dense:
    """A matrix and a bias, with ReLU behind it when asked."""

    def __init__(self, rng, features_in, features_out, relu):
        self.w = (rng.standard_normal((features_in, features_out)) * np.sqrt(2.0 / features_in)).astype(np.float32)
        self.b = np.zeros(features_out, np.float32)
        self.dw, self.db, self.relu = np.zeros_like(self.w), np.zeros_like(self.b), relu

    def forward(self, x, training):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        y = self.x @ self.w + self.b
        if self.relu:
            y = np.maximum(y, 0)
            self.positive = y > 0
        return y

    def backward(self, dy):
        if self.relu:
            dy = dy * self.positive
        self.dw[...] = self.x.T @ dy
        self.db[...] = dy.sum(0)
        return (dy @ self.w.T).reshape(self.shape)

    def parameters(self):
        return [(self.w, self.dw), (self.b, self.db)]


class Adam:
    """Kingma and Ba, 2015, algorithm 1; decoupled weight decay on matrices only."""

    def __init__(self, parameters):
        self.parameters, self.t = parameters, 0
        self.m = [np.zeros_like(p) for p, _ in parameters]
        self.v = [np.zeros_like(p) for p, _ in parameters]

    def step(self, rate):
        self.t += 1
        for (p, g), m, v in zip(self.parameters, self.m, self.v):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            if p.ndim == 2:
                p -= np.float32(rate * 1e-3) * p
            p -= np.float32(rate / (1 - 0.9 ** self.t)) * m / (np.sqrt(v / (1 - 0.999 ** self.t)) + 1e-8)


def shifted(images, rng):
    """Moves every image by up to two pixels each way: the one augmentation used."""
    n, h, w, c = images.shape
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    result = np.empty_like(images)
    for i, (dy, dx) in enumerate(rng.integers(0, 5, (n, 2))):
        result[i] = padded[i, dy:dy + h, dx:dx + w]
    return result


def forward(layers, x, training):
    for layer in layers:
        x = layer.forward(x, training)
    return x


def accuracy(layers, images, labels):
    right = 0
    for i in range(0, len(images), 500):
        right += int((forward(layers, images[i:i + 500], False).argmax(1) == labels[i:i + 500]).sum())
    return right / len(images)


def train(layers, images, labels, epochs, rng, report):
    batch = 100
    steps = epochs * (len(images) // batch)
    adam = Adam([p for layer in layers for p in layer.parameters()])
    for epoch in range(epochs):
        order, started, total = rng.permutation(len(images)), time.time(), 0.0
        for at in range(0, len(images), batch):
            pick = order[at:at + batch]
            logits = forward(layers, shifted(images[pick], rng), True)
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            rows = np.arange(batch)
            total -= float(np.log(p[rows, labels[pick]] + 1e-12).sum())
            p[rows, labels[pick]] -= 1
            d = p / batch
            for layer in reversed(layers):
                d = layer.backward(d)
            # Warm up for 100 steps, then half a cosine down to zero.
            rate = 3e-3 * min(1, (adam.t + 1) / 100) * 0.5 * (1 + np.cos(np.pi * adam.t / steps))
            adam.step(rate)
        report("epoch %d: loss %.4f, %.0f s" % (epoch + 1, total / len(images), time.time() - started))


def to_onnx(layers, channels):
    """The ONNX file: NCHW, batch normalization as its own node, a symbolic batch."""
    conv1, norm1, _, conv2, norm2, _, dense1, dense2 = layers
    nodes, weights = [], []

    def weight(name, array):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def block(index, x, conv, norm):
        name = "conv%d" % index
        c_in = conv.w.shape[0] // 9
        kernel = conv.w.reshape(3, 3, c_in, -1).transpose(3, 2, 0, 1)
        nodes.append(helper.make_node("Conv", [x, weight(name + ".weight", kernel)], [name], name, kernel_shape=[3, 3]))
        norm_weights = [weight("norm%d.%s" % (index, k), v) for k, v in
                        [("scale", norm.scale), ("bias", norm.bias), ("mean", norm.mean), ("var", norm.var)]]
        nodes.append(helper.make_node("BatchNormalization", [name] + norm_weights, ["norm%d" % index],
                                      "norm%d" % index, epsilon=EPSILON))
        nodes.append(helper.make_node("Relu", ["norm%d" % index], ["relu%d" % index], "relu%d" % index))
        nodes.append(helper.make_node("MaxPool", ["relu%d" % index], ["pool%d" % index], "pool%d" % index,
                                      kernel_shape=[2, 2], strides=[2, 2]))
        return "pool%d" % index

    x = block(2, block(1, "image", conv1, norm1), conv2, norm2)
    nodes.append(helper.make_node("Flatten", [x], ["flat"], "flat", axis=1))
    # Rows of the matrix are in the order height, width, channel here, and channel, height, width in ONNX.
    side = int(np.sqrt(dense1.w.shape[0] // channels))
    first = dense1.w.reshape(side, side, channels, -1).transpose(2, 0, 1, 3).reshape(dense1.w.shape)
    nodes.append(helper.make_node("Gemm", ["flat", weight("dense1.weight", first), weight("dense1.bias", dense1.b)],
                                  ["dense1"], "dense1"))
    nodes.append(helper.make_node("Relu", ["dense1"], ["relu3"], "relu3"))
    nodes.append(helper.make_node("Gemm", ["relu3", weight("dense2.weight", dense2.w), weight("dense2.bias", dense2.b)],
                                  ["logits"], "dense2"))
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="graphene-demo-training")
    model.ir_version = 8
    model.doc_string = "Handwritten digits, 28x28 grey values in 0..1, trained by tools/demo-training/train.py on MNIST."
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", required=True, help="folder with the four MNIST files")
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=64, help="how many test digits to write beside the model")
    a = parser.parse_args()

    def load(kind):
        return (read_idx(os.path.join(a.mnist, kind + "-images-idx3-ubyte.gz")),
                read_idx(os.path.join(a.mnist, kind + "-labels-idx1-ubyte.gz")))

    images, labels = load("train")
    test_images, test_labels = load("t10k")
    scale = np.float32(1 / 255)
    rng = np.random.default_rng(a.seed)
    layers = [Conv(rng, 1, 16), BatchNorm(16), ReluPool(), Conv(rng, 16, 32), BatchNorm(32), ReluPool(),
              Dense(rng, 5 * 5 * 32, 64, True), Dense(rng, 64, 10, False)]
    train(layers, images[..., None] * scale, labels, a.epochs, rng, lambda line: print(line, flush=True))
    print("test accuracy %.2f %%" % (100 * accuracy(layers, test_images[..., None] * scale, test_labels)))

    os.makedirs(a.out, exist_ok=True)
    onnx.save(to_onnx(layers, 32), os.path.join(a.out, "digits.onnx"))
    np.save(os.path.join(a.out, "digits-images.npy"), test_images[:a.held_out])
    np.save(os.path.join(a.out, "digits-labels.npy"), test_labels[:a.held_out])


if __name__ == "__main__":
    main()

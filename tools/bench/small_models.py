#!/usr/bin/env python3
"""Writes small graphs of one to ten operators, as they occur in networks of many kinds, and their inputs.  Needs numpy and onnx.

    small_models.py --out FOLDER [NAME ...]     --list shows the names

For each NAME it writes NAME.onnx and NAME.inputs/INPUT.npy.  Numbers are random, the same in each run.
"""
import argparse
import os
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IMAGE = [8, 64, 56, 56]
ROWS = [512, 1024]
TOKENS = [8, 128, 768]
HEADS = [8, 12, 128, 128]


class Graph:
    """One graph: x, y ... are inputs, the last node's result is the output."""

    def __init__(self, name):
        self.name, self.nodes, self.weights, self.inputs = name, [], [], {}
        self.random = np.random.default_rng(zlib.crc32(name.encode()))

    def feed(self, name, shape, high=None):
        self.inputs[name] = (self.random.integers(0, high, shape) if high
                             else self.random.standard_normal(shape, np.float32))
        return name

    def const(self, value, dtype=np.int64):
        return self.weight(np.asarray(value, dtype))

    def normal(self, *shape):
        return self.weight(self.random.standard_normal(shape, np.float32) * np.float32(0.1))

    def weight(self, array):
        name = "w%d" % len(self.weights)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = ["t%d_%d" % (len(self.nodes), i) for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, "n%d" % len(self.nodes), **attributes))
        return names[0] if outputs == 1 else names

    def save(self, folder):
        result = self.nodes[-1].output[0]
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype) if hasattr(helper, "np_dtype_to_tensor_dtype")
                                           else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[a.dtype], a.shape) for n, a in self.inputs.items()],
            [helper.make_empty_tensor_value_info(result)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        typed = {v.name: v for v in onnx.shape_inference.infer_shapes(model).graph.value_info}
        del model.graph.output[:]
        model.graph.output.append(typed[result])
        onnx.checker.check_model(model)
        inputs = os.path.join(folder, self.name + ".inputs")
        os.makedirs(inputs, exist_ok=True)
        for name, array in self.inputs.items():
            np.save(os.path.join(inputs, name + ".npy"), array)
        onnx.save(model, os.path.join(folder, self.name + ".onnx"))


def one(kind, shape=IMAGE, **attributes):
    return lambda g: g.op(kind, g.feed("x", shape), **attributes)


def reduced(kind, axes, shape=IMAGE, before=None):
    def build(g):
        x = g.feed("x", shape)
        x = g.op(before, x) if before else x
        return g.op(kind, x, g.const(axes), keepdims=0) if kind == "ReduceSum" else g.op(kind, x, axes=axes, keepdims=0)
    return build


def with_const(kind, value, dtype=np.int64, shape=ROWS, **attributes):
    return lambda g: g.op(kind, g.feed("x", shape), g.const(value, dtype), **attributes)


def pooled(kind, size, stride, shape=IMAGE, pad=0, **attributes):
    return one(kind, shape, kernel_shape=[size, size], strides=[stride, stride], pads=[pad] * 4, **attributes)


def top(shape, k):
    return lambda g: g.op("TopK", g.feed("x", shape), g.const([k]), outputs=2, axis=1)


def resized(mode, scale, shape):
    more = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"} if mode == "nearest" else {}
    return lambda g: g.op("Resize", g.feed("x", shape), "", g.const([1, 1, scale, scale], np.float32), mode=mode, **more)


def conv(g, x, *shape, **attributes):
    return g.op("Conv", x, g.normal(*shape), kernel_shape=list(shape[2:]), **attributes)


def group_norm(g, x, shape, groups):
    batch, channels = shape[:2]
    x = g.op("Reshape", x, g.const([batch, groups, -1]))
    x = g.op("InstanceNormalization", x, g.normal(groups), g.normal(groups))
    x = g.op("Reshape", x, g.const(shape))
    return g.op("Add", g.op("Mul", x, g.normal(channels, 1, 1)), g.normal(channels, 1, 1))


def diffusion_block(g):
    shape = [1, 320, 32, 32]
    x = group_norm(g, g.feed("x", shape), shape, 32)
    x = g.op("Mul", x, g.op("Sigmoid", x))
    return conv(g, x, 320, 320, 3, 3, pads=[1] * 4)


def pyramid_pooling(g):
    x = conv(g, g.feed("x", [1, 256, 20, 20]), 128, 256, 1, 1)
    parts = [x] + [g.op("MaxPool", x, kernel_shape=[n, n], pads=[n // 2] * 4, strides=[1, 1]) for n in (5, 9, 13)]
    return conv(g, g.op("Concat", *parts, axis=1), 256, 512, 1, 1)


def stem(g):
    x = g.op("Relu", conv(g, g.feed("x", [1, 3, 224, 224]), 64, 3, 7, 7, pads=[3] * 4, strides=[2, 2]))
    return g.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)


def attention(batch, heads, queries, keys, size, keys_are_columns=False, masked=False):
    def build(g):
        k = g.feed("k", [batch, heads, size, keys] if keys_are_columns else [batch, heads, keys, size])
        k = k if keys_are_columns else g.op("Transpose", k, perm=[0, 1, 3, 2])
        s = g.op("Mul", g.op("MatMul", g.feed("q", [batch, heads, queries, size]), k), g.const(size ** -0.5, np.float32))
        s = g.op("Add", s, g.feed("m", [batch, 1, 1, keys])) if masked else s
        return g.op("MatMul", g.op("Softmax", s, axis=3), g.feed("v", [batch, heads, keys, size]))
    return build


def recurrent(kind, gates, steps, batch, inputs, size, **attributes):
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    return lambda g: g.op(kind, g.feed("x", [steps, batch, inputs]), g.normal(directions, gates * size, inputs),
                          g.normal(directions, gates * size, size), outputs=1, hidden_size=size, **attributes)


def rotary(g):
    x = g.feed("x", [1, 12, 128, 64])
    a, b = g.op("Split", x, outputs=2, axis=3)
    turned = g.op("Concat", g.op("Neg", b), a, axis=3)
    return g.op("Add", g.op("Mul", x, g.feed("c", [1, 1, 128, 64])), g.op("Mul", turned, g.feed("s", [1, 1, 128, 64])))


def positions(g):
    there = g.op("Cast", g.op("Not", g.op("Equal", g.feed("x", [4, 128], 3), g.const(1))), to=TensorProto.INT32)
    counted = g.op("Mul", g.op("CumSum", there, g.const(1)), there)
    return g.op("Gather", g.normal(514, 384), g.op("Cast", counted, to=TensorProto.INT64))


def shuffled(g):
    x = g.op("Reshape", g.feed("x", IMAGE), g.const([8, 2, 32, 56, 56]))
    return g.op("Reshape", g.op("Transpose", x, perm=[0, 2, 1, 3, 4]), g.const(IMAGE))


def segmentation(g):
    x = conv(g, g.feed("x", [1, 256, 33, 33]), 21, 256, 1, 1)
    x = g.op("Resize", x, "", "", g.const([1, 21, 257, 257]), mode="linear", coordinate_transformation_mode="half_pixel")
    return g.op("ArgMax", x, axis=1)


def upsampled(g):
    x = g.op("Resize", g.feed("x", [1, 64, 16, 16]), "", g.const([1, 1, 2, 2], np.float32), mode="nearest",
             coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return conv(g, g.op("Concat", x, g.feed("y", [1, 32, 32, 32]), axis=1), 64, 96, 3, 3, pads=[1] * 4)


def normalized(axes, shape):
    def build(g):
        x = g.feed("x", shape)
        off = g.op("Sub", x, g.op("ReduceMean", x, axes=axes))
        return g.op("Div", off, g.op("Sqrt", g.op("ReduceMean", g.op("Mul", off, off), axes=axes)))
    return build


GRAPHS = {
    **{"map_" + k.lower(): one(k) for k in ("Exp", "Tanh", "Sigmoid", "Erf", "Softplus", "HardSwish", "Elu", "Sqrt", "Sin")},
    "softmax_rows": one("Softmax", ROWS, axis=1), "softmax_short": one("Softmax", [4096, 10], axis=1),
    "softmax_vocabulary": one("Softmax", [16, 50257], axis=1), "softmax_heads": one("Softmax", HEADS, axis=3),
    "softmax_channels": one("Softmax", axis=1), "softmax_height": one("Softmax", axis=2), "log_softmax": one("LogSoftmax", ROWS, axis=1),
    "argmax_rows": one("ArgMax", ROWS, axis=1), "argmax_vocabulary": one("ArgMax", [16, 50257], axis=1),
    "argmax_channels": one("ArgMax", axis=1), "argmax_width": one("ArgMax", axis=3),
    "top_10": top(ROWS, 10), "top_50_vocabulary": top([8, 50257], 50), "top_300_boxes": top([1, 25200], 300),
    "cumsum_rows": with_const("CumSum", 1), "cumsum_columns": with_const("CumSum", 0),
    "max_channels": reduced("ReduceMax", [1]), "max_width": reduced("ReduceMax", [3]), "max_height": reduced("ReduceMax", [2]),
    "mean_image": reduced("ReduceMean", [2, 3]), "sum_batch": reduced("ReduceSum", [0]),
    "relu_max_columns": reduced("ReduceMax", [0], [2048, 2048], "Relu"), "norm_rows": reduced("ReduceL2", [1], [2048, 2048]),
    "normalized_columns": normalized([0], [2048, 1024]), "normalized_rows": normalized([1], [2048, 1024]),
    "max_pool_3_2": pooled("MaxPool", 3, 2, pad=1), "max_pool_2_2": pooled("MaxPool", 2, 2), "max_pool_5_1": pooled("MaxPool", 5, 1, pad=2),
    "max_pool_13_1": pooled("MaxPool", 13, 1, [4, 128, 20, 20], 6), "max_pool_ceil": pooled("MaxPool", 3, 2, [1, 64, 112, 112], ceil_mode=1),
    "average_pool_2_2": pooled("AveragePool", 2, 2), "average_pool_3_1": pooled("AveragePool", 3, 1, pad=1),
    "global_average_pool": one("GlobalAveragePool"),
    "instance_norm": lambda g: g.op("InstanceNormalization", g.feed("x", IMAGE), g.normal(64), g.normal(64)),
    "group_norm": lambda g: group_norm(g, g.feed("x", IMAGE), IMAGE, 32), "lrn": one("LRN", size=5),
    "resize_nearest": resized("nearest", 2, [4, 64, 28, 28]), "resize_linear": resized("linear", 2, [4, 64, 28, 28]),
    "resize_half": resized("linear", 0.5, [4, 3, 224, 224]),
    "transpose_heads": one("Transpose", [8, 128, 12, 64], perm=[0, 2, 1, 3]), "transpose_image": one("Transpose", perm=[0, 2, 3, 1]),
    "channel_shuffle": shuffled, "depth_to_space": one("DepthToSpace", blocksize=2), "space_to_depth": one("SpaceToDepth", blocksize=2),
    "pad_reflect": with_const("Pad", [0, 0, 2, 2, 0, 0, 2, 2], shape=IMAGE, mode="reflect"),
    "pad_edge": with_const("Pad", [0, 0, 2, 2, 0, 0, 2, 2], shape=IMAGE, mode="edge"),
    "decode_attention": attention(1, 12, 1, 500, 64), "decode_attention_4000": attention(1, 12, 1, 4000, 64),
    "decode_attention_columns": attention(1, 12, 1, 500, 64, True), "decode_attention_masked": attention(4, 8, 1, 300, 64, False, True),
    "attention_197": attention(4, 12, 197, 197, 64), "attention_49": attention(64, 3, 49, 49, 32),
    "attention_cross": attention(1, 8, 1024, 77, 40), "attention_2048": attention(1, 8, 2048, 2048, 64),
    "rotary": rotary, "positions": positions, "segmentation": segmentation, "upsampled": upsampled,
    "diffusion_block": diffusion_block, "pyramid_pooling": pyramid_pooling, "stem": stem,
    "gru": recurrent("GRU", 3, 50, 4, 64, 128), "bidirectional_lstm": recurrent("LSTM", 4, 50, 4, 64, 64, direction="bidirectional"),
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out")
parser.add_argument("--list", action="store_true")
parser.add_argument("names", nargs="*", default=[])
a = parser.parse_args()

if a.list:
    print("\n".join(GRAPHS))
else:
    for name in a.names or GRAPHS:
        graph = Graph(name)
        GRAPHS[name](graph)
        graph.save(a.out)

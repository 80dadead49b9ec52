#!/usr/bin/env python3
"""Writes gemmN.onnx (y = x @ w, f32[N,N], w constant) and gemmN.inputs/x.npy for each size N.  Needs numpy and onnx.

    gemm_models.py --out FOLDER N ...
"""
import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", required=True)
parser.add_argument("sizes", nargs="+", type=int)
a = parser.parse_args()

for n in a.sizes:
    rng = np.random.default_rng(n)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "matmul")], "gemm%d" % n,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [n, n])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [n, n])],
        [numpy_helper.from_array(rng.standard_normal((n, n), np.float32), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    inputs = os.path.join(a.out, "gemm%d.inputs" % n)
    os.makedirs(inputs, exist_ok=True)
    np.save(os.path.join(inputs, "x.npy"), rng.standard_normal((n, n), np.float32))
    onnx.save(model, os.path.join(a.out, "gemm%d.onnx" % n))

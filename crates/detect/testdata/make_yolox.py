#!/usr/bin/env python3
"""Writes yolox-cells.onnx: a model with YOLOX's output layout whose answers can be known by thinking.

    pip install onnx numpy && python3 make_yolox.py

Input `images`, 1 x 3 x 64 x 96 (height 64, width 96). Output `output`, 1 x 126 x 8: 96 + 24 + 6 cells of strides 8, 16, 32.
Each cell looks at the mean of its own pixels and says:

    x, y        0.5, 0.5: the centre of the cell
    w, h        stride 8: one cell; stride 16: 1.5 cells wide, one high; stride 32: one cell wide, two high (as logarithms)
    objectness  the sum of the three planes' means / 255, at most 1
    classes     the means of planes 0, 1, 2 / 255, at most 1

So a saturated block of one colour is told by the cells that it covers, with that colour's plane as the class.
"""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

WIDTH, HEIGHT = 96, 64
SIZES = {8: (1.0, 1.0), 16: (1.5, 1.0), 32: (1.0, 2.0)}

nodes, constants, grids = [], [], []


def constant(name, values, kind=np.float32):
    constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
    return name


constant("zero", 0.0)
constant("one", 1.0)
rows = 0
for stride, (wide, high) in SIZES.items():
    cells = (WIDTH // stride) * (HEIGHT // stride)
    rows += cells
    weight = np.zeros((8, 3, 1, 1), np.float32)
    weight[4, :, 0, 0] = 1 / 255
    for plane in range(3):
        weight[5 + plane, plane, 0, 0] = 1 / 255
    bias = np.array([0.5, 0.5, np.log(wide), np.log(high), 0, 0, 0, 0], np.float32)
    n = str(stride)
    nodes += [
        helper.make_node("AveragePool", ["images"], ["mean" + n], kernel_shape=[stride] * 2, strides=[stride] * 2),
        helper.make_node("Conv", ["mean" + n, constant("weight" + n, weight), constant("bias" + n, bias)], ["raw" + n]),
        helper.make_node("Clip", ["raw" + n, "zero", "one"], ["cut" + n]),
        helper.make_node("Reshape", ["cut" + n, constant("shape" + n, [1, 8, cells], np.int64)], ["flat" + n]),
    ]
    grids.append("flat" + n)
nodes += [
    helper.make_node("Concat", grids, ["all"], axis=2),
    helper.make_node("Transpose", ["all"], ["output"], perm=[0, 2, 1]),
]
graph = helper.make_graph(
    nodes,
    "cells",
    [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
    [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, rows, 8])],
    constants,
)
model = helper.make_model(graph, producer_name="make_yolox.py", opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
checker.check_model(model, full_check=True)
save(model, "yolox-cells.onnx")

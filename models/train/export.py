"""Writes the trained network as ONNX: the same graph that was trained, with its normalisation folded in.

Input `images` [1, 3, height, width], BGR of 0–255; output `output` [1, cells, 5 + classes] in the rows of YOLOX:
x y w h raw, objectness and classes as chances. Belongs here: fp32. `quantise.py` makes the int8 of it.
"""

import argparse
import pickle
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import net


class Onnx:
    """Builds ONNX nodes where `net.Flow` computes."""

    def __init__(self, params, stats):
        self.params, self.stats = params, stats
        self.nodes, self.constants = [], []

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weights(self, name, x, w, bias, stride):
        side = 0 if w.shape[0] == stride else w.shape[0] // 2
        inputs = [x, self.constant(f"{name}.w", w.transpose(3, 2, 0, 1).astype(np.float32)), self.constant(f"{name}.b", bias.astype(np.float32))]
        return self.node("Conv", inputs, f"{name}.conv", kernel_shape=list(w.shape[:2]), strides=[stride] * 2, pads=[side] * 4)

    def conv(self, name, x, cin, cout, k, stride):
        p, s = self.params, self.stats
        scale = p[f"{name}/gain"] / np.sqrt(s[f"{name}/var"] + net.EPSILON)
        w = p[f"{name}/w"] * scale
        if name == "stem":
            w = w / 255.0
        return self.node("Relu", [self.weights(name, x, w, p[f"{name}/bias"] - s[f"{name}/mean"] * scale, stride)], f"{name}.relu")

    def predict(self, name, x, cin, cout):
        return self.weights(name, x, self.params[f"{name}/w"], self.params[f"{name}/bias"], 1)

    def add(self, a, b):
        return self.node("Add", [a, b], f"{a}+{b.split('.')[0]}")

    def up(self, x):
        sizes = self.constant(f"{x}.scale", np.array([1, 1, 2, 2], np.float32))
        way = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [x, "", sizes], f"{x}.up", **way)

    def rows(self, reg, obj, cls):
        chances = [self.node("Sigmoid", [m], f"{m}.chance") for m in (obj, cls)]
        joined = self.node("Concat", [reg, *chances], f"{reg}.rows", axis=1)
        shape = self.constant(f"{reg}.shape", np.array([1, net.OUT, -1], np.int64))
        return self.node("Reshape", [joined, shape], f"{reg}.flat")


def build(weights):
    """The model of `weights` (as `train.py` saves them)."""
    ops = Onnx(weights["params"], weights["stats"])
    maps = net.forward(ops, "images")
    joined = ops.node("Concat", maps, "all", axis=2)
    ops.nodes.append(helper.make_node("Transpose", [joined], ["output"], name="output", perm=[0, 2, 1]))
    cells = sum((net.WIDTH // s) * (net.HEIGHT // s) for s in net.STRIDES)
    graph = helper.make_graph(
        ops.nodes,
        "thon-nano",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, net.HEIGHT, net.WIDTH])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, cells, net.OUT])],
        ops.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="thon-nano")
    onnx.checker.check_model(model, full_check=True)
    return model


def difference(model, weights):
    """The largest difference between the file and the network it was made of, over two pictures of chance."""
    import onnxruntime
    import tensorflow as tf

    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (2, net.HEIGHT, net.WIDTH, 3)).astype(np.float32)
    rows, _ = net.apply(weights["params"], weights["stats"], pictures, False)
    rows = np.concatenate([rows[..., :4], tf.sigmoid(rows[..., 4:])], -1)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = [session.run(None, {"images": p.transpose(2, 0, 1)[None]})[0] for p in pictures]
    return float(np.abs(np.concatenate(found) - rows).max())


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("weights", type=Path)
    args.add_argument("out", type=Path)
    args = args.parse_args()
    weights = pickle.loads(args.weights.read_bytes())
    weights = {part: weights[part] for part in ("params", "stats")}
    model = build(weights)
    onnx.save(model, args.out)
    worst = difference(model, weights)
    print(f"{args.out}: {args.out.stat().st_size} bytes, differs from the trained network by at most {worst:.5f}")
    assert worst < 0.02, "the export is not what was trained"


if __name__ == "__main__":
    main()

"""The network: layers, shapes, and their forward pass in TensorFlow.

Belongs here: what is computed. `forward` is written once over an `ops` object, so that the ONNX export (`export.py`)
builds the very same graph. Does not belong here: the loss (`loss.py`), how it is trained (`train.py`).

ReLU and plain convolutions only: they quantise well, and int8 kernels run them fastest. The first layer looks at tiles
of 4×4 pixels: large maps of few channels are what a processor is slowest at.
"""

import numpy as np
import tensorflow as tf

from classes import CLASSES

STRIDES = (8, 16, 32)
WIDTH, HEIGHT = 512, 288
NECK = 48
OUT = 5 + len(CLASSES)


def forward(ops, x):
    """Three maps of raw rows, one for each stride: [x, y, w, h, objectness, class…] as logits."""
    x = ops.conv("stem", x, 3, 32, 4, 4)
    x = stage(ops, "s4", x, 32, 1)
    c3 = stage(ops, "s8", ops.conv("down8", x, 32, 64, 3, 2), 64, 1)
    c4 = stage(ops, "s16", ops.conv("down16", c3, 64, 96, 3, 2), 96, 2)
    c5 = stage(ops, "s32", ops.conv("down32", c4, 96, 128, 3, 2), 128, 2)
    # Down the pyramid, and up again.
    p5 = ops.conv("lat5", c5, 128, NECK, 1, 1)
    p4 = ops.conv("mix4", ops.add(ops.conv("lat4", c4, 96, NECK, 1, 1), ops.up(p5)), NECK, NECK, 3, 1)
    p3 = ops.add(ops.conv("lat3", c3, 64, NECK, 1, 1), ops.up(p4))
    p4 = ops.add(p4, ops.conv("pan4", p3, NECK, NECK, 3, 2))
    p5 = ops.add(p5, ops.conv("pan5", p4, NECK, NECK, 3, 2))
    return [head(ops, f"head{s}", p) for s, p in zip(STRIDES, (p3, p4, p5))]


def stage(ops, name, x, channels, blocks):
    for i in range(blocks):
        y = ops.conv(f"{name}.{i}.in", x, channels, channels // 2, 1, 1)
        x = ops.add(x, ops.conv(f"{name}.{i}.out", y, channels // 2, channels, 3, 1))
    return x


def head(ops, name, x):
    x = ops.conv(f"{name}.stem", x, NECK, NECK, 3, 1)
    return ops.rows(
        ops.predict(f"{name}.reg", x, NECK, 4),
        ops.predict(f"{name}.obj", x, NECK, 1),
        ops.predict(f"{name}.cls", x, NECK, len(CLASSES)),
    )


class Shapes:
    """Walks the graph to make initial parameters, and counts."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.params, self.stats, self.macs = {}, {}, 0

    def conv(self, name, x, cin, cout, k, stride):
        h, w, c = x
        assert c == cin, (name, c, cin)
        h, w = (h + stride - 1) // stride, (w + stride - 1) // stride
        spread = np.sqrt(2.0 / (cin * k * k))
        self.params[f"{name}/w"] = (self.rng.standard_normal((k, k, cin, cout)) * spread).astype(np.float32)
        # A block begins as if it were not there: what it adds grows from nothing.
        self.params[f"{name}/gain"] = np.full(cout, 0.2 if name.endswith(".out") else 1.0, np.float32)
        self.params[f"{name}/bias"] = np.zeros(cout, np.float32)
        self.stats[f"{name}/mean"] = np.zeros(cout, np.float32)
        self.stats[f"{name}/var"] = np.ones(cout, np.float32)
        self.macs += h * w * cin * cout * k * k
        return h, w, cout

    def predict(self, name, x, cin, cout):
        h, w, _ = x
        # Nearly every cell is empty: begin by saying so.
        bias = 0.0 if name.endswith("reg") else -4.6
        self.params[f"{name}/w"] = (self.rng.standard_normal((1, 1, cin, cout)) * 0.01).astype(np.float32)
        self.params[f"{name}/bias"] = np.full(cout, bias, np.float32)
        self.macs += h * w * cin * cout
        return h, w, cout

    def add(self, a, b):
        assert a == b, (a, b)
        return a

    def up(self, x):
        return x[0] * 2, x[1] * 2, x[2]

    def rows(self, *maps):
        return maps


EPSILON = 1e-3


class Flow:
    """The forward pass. In training, statistics are the batch's, and are collected in `seen`; else the running ones."""

    def __init__(self, params, stats, training):
        self.params, self.stats, self.training, self.seen = params, stats, training, {}

    def conv(self, name, x, cin, cout, k, stride):
        p = self.params
        side = 0 if k == stride else k // 2
        pads = [[0, 0], [side, side], [side, side], [0, 0]]
        y = tf.nn.conv2d(x, p[f"{name}/w"], stride, pads)
        given = {} if self.training else {"mean": self.stats[f"{name}/mean"], "variance": self.stats[f"{name}/var"]}
        normal = tf.compat.v1.nn.fused_batch_norm
        y, mean, var = normal(y, p[f"{name}/gain"], p[f"{name}/bias"], **given, epsilon=EPSILON, is_training=self.training)
        if self.training:
            self.seen[f"{name}/mean"], self.seen[f"{name}/var"] = mean, var
        return tf.nn.relu(y)

    def predict(self, name, x, cin, cout):
        return tf.nn.conv2d(x, self.params[f"{name}/w"], 1, "VALID") + self.params[f"{name}/bias"]

    def add(self, a, b):
        return a + b

    def up(self, x):
        return tf.repeat(tf.repeat(x, 2, 1), 2, 2)

    def rows(self, *maps):
        joined = tf.concat(maps, -1)
        return tf.reshape(joined, [tf.shape(joined)[0], -1, joined.shape[-1]])


def initial(seed):
    """Parameters, running statistics, and multiply-adds for one picture."""
    shapes = Shapes(seed)
    forward(shapes, (HEIGHT, WIDTH, 3))
    return shapes.params, shapes.stats, shapes.macs


def apply(params, stats, pictures, training):
    """Rows of all cells [batch, cells, OUT] for BGR pictures of 0–255, and the batch's statistics."""
    ops = Flow(params, stats, training)
    maps = forward(ops, tf.cast(pictures, tf.float32) / 255.0)
    return tf.concat(maps, 1), ops.seen


def grid(width, height):
    """Cell corners in cells [cells, 2] and their strides [cells, 1], in the order of the rows."""
    corners, strides = [], []
    for s in STRIDES:
        ys, xs = np.mgrid[: height // s, : width // s]
        corners.append(np.stack([xs, ys], -1).reshape(-1, 2))
        strides.append(np.full((corners[-1].shape[0], 1), s))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)

"""The network: layers, shapes, and their forward pass in JAX.

Belongs here: what is computed. `forward` is written once over an `ops` object, so that the ONNX export (`export.py`)
builds the very same graph. Does not belong here: the loss (`loss.py`), how it is trained (`train.py`).

ReLU and plain convolutions only: they quantise well, and int8 kernels run them fastest. Few channels where the picture
is large: there a gradient costs most.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from classes import CLASSES

STRIDES = (8, 16, 32)
WIDTH, HEIGHT = 512, 288
NECK, BRANCH = 48, 32
OUT = 5 + len(CLASSES)


def forward(ops, x):
    """Three maps of raw rows, one for each stride: [x, y, w, h, objectness, class…] as logits."""
    x = ops.conv("stem", x, 3, 16, 3, 2)
    x = ops.conv("down4", x, 16, 32, 3, 2)
    x = ops.conv("down8", x, 32, 64, 3, 2)
    c3 = stage(ops, "s8", x, 64, 2)
    c4 = stage(ops, "s16", ops.conv("down16", c3, 64, 96, 3, 2), 96, 3)
    c5 = stage(ops, "s32", ops.conv("down32", c4, 96, 128, 3, 2), 128, 2)
    # Down the pyramid, and up again.
    p5 = ops.conv("lat5", c5, 128, NECK, 1, 1)
    p4 = ops.conv("mix4", ops.add(ops.conv("lat4", c4, 96, NECK, 1, 1), ops.up(p5)), NECK, NECK, 3, 1)
    p3 = ops.conv("mix3", ops.add(ops.conv("lat3", c3, 64, NECK, 1, 1), ops.up(p4)), NECK, NECK, 3, 1)
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
    box = ops.conv(f"{name}.box", x, NECK, BRANCH, 3, 1)
    kind = ops.conv(f"{name}.kind", x, NECK, BRANCH, 3, 1)
    return ops.rows(
        ops.predict(f"{name}.reg", box, BRANCH, 4),
        ops.predict(f"{name}.obj", box, BRANCH, 1),
        ops.predict(f"{name}.cls", kind, BRANCH, len(CLASSES)),
    )


@jax.custom_vjp
def pointwise(x, w):
    """A 1×1 convolution. As a matrix product its gradients are twice as fast as the library's convolution."""
    return jnp.einsum("bhwc,co->bhwo", x, w)


def pointwise_forward(x, w):
    return pointwise(x, w), (x, w)


def pointwise_backward(kept, g):
    x, w = kept
    return jnp.einsum("bhwo,co->bhwc", g, w), jnp.einsum("bhwc,bhwo->co", x, g)


pointwise.defvjp(pointwise_forward, pointwise_backward)


def convolve(x, w, stride):
    if w.shape[0] == 1 and stride == 1:
        return pointwise(x, w[0, 0])
    return lax.conv_general_dilated(x, w, (stride, stride), [(1, 1), (1, 1)], dimension_numbers=("NHWC", "HWIO", "NHWC"))


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
        self.params[name] = {
            "w": (self.rng.standard_normal((k, k, cin, cout)) * spread).astype(np.float32),
            "gain": np.ones(cout, np.float32),
            "bias": np.zeros(cout, np.float32),
        }
        self.stats[name] = {"mean": np.zeros(cout, np.float32), "var": np.ones(cout, np.float32)}
        self.macs += h * w * cin * cout * k * k
        return h, w, cout

    def predict(self, name, x, cin, cout):
        h, w, _ = x
        # Nearly every cell is empty: begin by saying so.
        bias = 0.0 if name.endswith("reg") else -4.6
        weight = (self.rng.standard_normal((1, 1, cin, cout)) * 0.01).astype(np.float32)
        self.params[name] = {"w": weight, "bias": np.full(cout, bias, np.float32)}
        self.macs += h * w * cin * cout
        return h, w, cout

    def add(self, a, b):
        assert a == b, (a, b)
        return a

    def up(self, x):
        return x[0] * 2, x[1] * 2, x[2]

    def rows(self, *maps):
        return maps


class Jax:
    """The forward pass. In training, statistics are the batch's; the running ones are collected in `stats`."""

    def __init__(self, params, stats, training):
        self.params, self.old, self.training, self.stats = params, stats, training, {}

    def conv(self, name, x, cin, cout, k, stride):
        p = self.params[name]
        y = convolve(x, p["w"], stride)
        if self.training:
            mean = y.mean((0, 1, 2))
            var = jnp.maximum((y * y).mean((0, 1, 2)) - mean * mean, 0.0)
            self.stats[name] = {"mean": mean, "var": var}
        else:
            mean, var = self.old[name]["mean"], self.old[name]["var"]
        scale = p["gain"] * lax.rsqrt(var + 1e-4)
        return jax.nn.relu(y * scale + (p["bias"] - mean * scale))

    def predict(self, name, x, cin, cout):
        p = self.params[name]
        return pointwise(x, p["w"][0, 0]) + p["bias"]

    def add(self, a, b):
        return a + b

    def up(self, x):
        return jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)

    def rows(self, *maps):
        joined = jnp.concatenate(maps, -1)
        return joined.reshape(joined.shape[0], -1, joined.shape[-1])


def initial(seed):
    """Parameters, running statistics, and multiply-adds for one picture."""
    shapes = Shapes(seed)
    forward(shapes, (HEIGHT, WIDTH, 3))
    return shapes.params, shapes.stats, shapes.macs


def apply(params, stats, pictures, training):
    """Rows of all cells [batch, cells, OUT] for BGR pictures of 0–255, and the batch's statistics."""
    ops = Jax(params, stats, training)
    maps = forward(ops, pictures.astype(jnp.float32) / 255.0)
    return jnp.concatenate(maps, 1), ops.stats


def grid(width, height):
    """Cell corners in cells [cells, 2] and their strides [cells, 1], in the order of the rows."""
    corners, strides = [], []
    for s in STRIDES:
        ys, xs = np.mgrid[: height // s, : width // s]
        corners.append(np.stack([xs, ys], -1).reshape(-1, 2))
        strides.append(np.full((corners[-1].shape[0], 1), s))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)

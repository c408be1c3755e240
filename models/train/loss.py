"""What the network is punished for: which cells answer for which object (SimOTA), and by how much.

Belongs here: assignment and loss over one batch, all shapes fixed. Does not belong here: augmentation, optimisers.
"""

import jax
import jax.numpy as jnp

from classes import CLASSES

MOST = 40  # objects of one picture; the smallest beyond it are dropped by `data`
CANDIDATES = 10


def decode(rows, corners, strides):
    """Boxes as left, top, right, bottom in pixels."""
    centre = (rows[..., :2] + corners) * strides
    size = jnp.exp(jnp.clip(rows[..., 2:4], -6.0, 6.0)) * strides
    return jnp.concatenate([centre - size / 2, centre + size / 2], -1)


def area(b):
    return jnp.maximum(b[..., 2] - b[..., 0], 0) * jnp.maximum(b[..., 3] - b[..., 1], 0)


def overlap(a, b):
    """IoU and its generalisation of boxes that broadcast."""
    low, high = jnp.maximum(a[..., :2], b[..., :2]), jnp.minimum(a[..., 2:], b[..., 2:])
    common = jnp.prod(jnp.maximum(high - low, 0), -1)
    union = area(a) + area(b) - common
    iou = common / jnp.maximum(union, 1e-6)
    hull = jnp.prod(jnp.maximum(a[..., 2:], b[..., 2:]) - jnp.minimum(a[..., :2], b[..., :2]), -1)
    return iou, iou - (hull - union) / jnp.maximum(hull, 1e-6)


def assign(rows, boxes, truth, kinds, real, corners, strides):
    """For each cell: whether it answers for an object, for which, and how well it does. One picture."""
    middle = (corners + 0.5) * strides
    target = (truth[:, None, :2] + truth[:, None, 2:]) / 2
    near = jnp.all(jnp.abs(middle[None] - target) < 1.5 * strides[None], -1)  # [objects, cells]
    within = jnp.all((middle[None] > truth[:, None, :2]) & (middle[None] < truth[:, None, 2:]), -1)
    allowed = near & real[:, None]
    iou, _ = overlap(truth[:, None], boxes[None])
    iou = jnp.where(allowed, iou, 0.0)
    # Chance of each class as the answer would be given: with objectness.
    chance = jnp.sqrt(jax.nn.sigmoid(rows[:, 5:]) * jax.nn.sigmoid(rows[:, 4:5]))
    chance = jnp.clip(chance, 1e-5, 1 - 1e-5)
    none = -jnp.log1p(-chance).sum(-1)
    own = chance[:, kinds].T
    cost = none[None] - jnp.log(own) + jnp.log1p(-own) - 3.0 * jnp.log(iou + 1e-6) + jnp.where(within, 0.0, 3.0)
    cost = jnp.where(allowed, cost, 1e6)
    # An object gets as many cells as its best candidates overlap it together.
    best, _ = jax.lax.top_k(iou, CANDIDATES)
    wanted = jnp.clip(best.sum(-1).astype(jnp.int32), 1, CANDIDATES)
    cheapest, _ = jax.lax.top_k(-cost, CANDIDATES)
    limit = jnp.take_along_axis(-cheapest, wanted[:, None] - 1, 1)
    matched = (cost <= limit) & allowed
    # A cell answers for one object: the cheapest.
    cost = jnp.where(matched, cost, 1e9)
    who = cost.argmin(0)
    taken = matched.any(0)
    return taken, who, jnp.take_along_axis(iou, who[None], 0)[0]


def binary(logit, target):
    return jnp.maximum(logit, 0) - logit * target + jnp.log1p(jnp.exp(-jnp.abs(logit)))


def loss(rows, truth, kinds, real, ignore, corners, strides):
    """Mean loss of a batch, and its parts. `ignore`: boxes [batch, n, 4] in which nothing is wrong."""
    boxes = decode(rows, corners, strides)
    fixed = jax.lax.stop_gradient
    taken, who, fit = jax.vmap(lambda r, b, t, k, m: assign(r, b, t, k, m, corners, strides))(
        fixed(rows), fixed(boxes), truth, kinds, real
    )
    count = jnp.maximum(taken.sum(), 1.0)
    target = jnp.take_along_axis(truth, who[..., None], 1)
    kind = jax.nn.one_hot(jnp.take_along_axis(kinds, who, 1), len(CLASSES)) * fit[..., None]
    _, giou = overlap(boxes, target)
    middle = ((corners + 0.5) * strides)[None, None]
    unclear = jnp.all((middle > ignore[:, :, None, :2]) & (middle < ignore[:, :, None, 2:]), -1).any(1) & ~taken
    parts = {
        "box": 5.0 * ((1 - giou) * taken).sum() / count,
        "object": (binary(rows[..., 4], taken.astype(jnp.float32)) * ~unclear).sum() / count,
        "class": (binary(rows[..., 5:], kind).sum(-1) * taken).sum() / count,
    }
    return sum(parts.values()), parts

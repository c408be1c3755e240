"""What the network is punished for: which cells answer for which object (SimOTA), and by how much.

Belongs here: assignment and loss over one batch, all shapes fixed. Does not belong here: augmentation, optimisers.
"""

import tensorflow as tf

from classes import CLASSES

MOST = 24  # objects of one picture; the smallest beyond it are dropped by `data`
CANDIDATES = 10


def decode(rows, corners, strides):
    """Boxes as left, top, right, bottom in pixels."""
    centre = (rows[..., :2] + corners) * strides
    size = tf.exp(tf.clip_by_value(rows[..., 2:4], -6.0, 6.0)) * strides
    return tf.concat([centre - size / 2, centre + size / 2], -1)


def area(b):
    return tf.maximum(b[..., 2] - b[..., 0], 0.0) * tf.maximum(b[..., 3] - b[..., 1], 0.0)


def overlap(a, b):
    """IoU and its generalisation of boxes that broadcast."""
    low, high = tf.maximum(a[..., :2], b[..., :2]), tf.minimum(a[..., 2:], b[..., 2:])
    common = tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
    union = area(a) + area(b) - common
    iou = common / tf.maximum(union, 1e-6)
    hull = tf.reduce_prod(tf.maximum(a[..., 2:], b[..., 2:]) - tf.minimum(a[..., :2], b[..., :2]), -1)
    return iou, iou - (hull - union) / tf.maximum(hull, 1e-6)


def assign(rows, boxes, truth, kinds, real, corners, strides):
    """For each cell [batch, cells]: whether it answers for an object, for which, and how well it does."""
    middle = (corners + 0.5) * strides
    target = (truth[:, :, None, :2] + truth[:, :, None, 2:]) / 2
    near = tf.reduce_all(tf.abs(middle - target) < 1.5 * strides, -1)  # [batch, objects, cells]
    within = tf.reduce_all((middle > truth[:, :, None, :2]) & (middle < truth[:, :, None, 2:]), -1)
    allowed = near & real[:, :, None]
    iou, _ = overlap(truth[:, :, None], boxes[:, None])
    iou = tf.where(allowed, iou, 0.0)
    # Chance of each class as the answer would be given: with objectness.
    chance = tf.sqrt(tf.sigmoid(rows[..., 5:]) * tf.sigmoid(rows[..., 4:5]))
    chance = tf.clip_by_value(chance, 1e-5, 1 - 1e-5)
    none = -tf.reduce_sum(tf.math.log1p(-chance), -1)
    own = tf.einsum("bck,bok->boc", chance, tf.one_hot(kinds, len(CLASSES)))
    own = tf.clip_by_value(own, 1e-5, 1 - 1e-5)
    cost = none[:, None] - tf.math.log(own) + tf.math.log1p(-own) - 3.0 * tf.math.log(iou + 1e-6)
    cost = tf.where(allowed, cost + tf.where(within, 0.0, 3.0), 1e6)
    # An object gets as many cells as its best candidates overlap it together.
    best, _ = tf.math.top_k(iou, CANDIDATES)
    wanted = tf.clip_by_value(tf.cast(tf.reduce_sum(best, -1), tf.int32), 1, CANDIDATES)
    cheapest, _ = tf.math.top_k(-cost, CANDIDATES)
    limit = tf.gather(-cheapest, wanted - 1, batch_dims=2)[..., None]
    matched = (cost <= limit) & allowed
    # A cell answers for one object: the cheapest.
    who = tf.argmin(tf.where(matched, cost, 1e9), 1, output_type=tf.int32)
    taken = tf.reduce_any(matched, 1)
    fit = tf.gather(tf.transpose(iou, [0, 2, 1]), who, batch_dims=2)
    return taken, who, fit


def binary(logit, target):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logit)


def loss(rows, truth, kinds, real, ignore, corners, strides):
    """Mean loss of a batch, and its parts. `ignore`: boxes [batch, n, 4] in which nothing is wrong."""
    boxes = decode(rows, corners, strides)
    fixed = tf.stop_gradient
    taken, who, fit = assign(fixed(rows), fixed(boxes), truth, kinds, real, corners, strides)
    positive = tf.cast(taken, tf.float32)
    count = tf.maximum(tf.reduce_sum(positive), 1.0)
    target = tf.gather(truth, who, batch_dims=1)
    kind = tf.one_hot(tf.gather(kinds, who, batch_dims=1), len(CLASSES)) * fit[..., None]
    _, giou = overlap(boxes, target)
    middle = ((corners + 0.5) * strides)[None, None]
    covered = tf.reduce_all((middle > ignore[:, :, None, :2]) & (middle < ignore[:, :, None, 2:]), -1)
    unclear = tf.reduce_any(covered, 1) & ~taken
    parts = {
        "box": 5.0 * tf.reduce_sum((1 - giou) * positive) / count,
        "object": tf.reduce_sum(binary(rows[..., 4], positive) * tf.cast(~unclear, tf.float32)) / count,
        "class": tf.reduce_sum(tf.reduce_sum(binary(rows[..., 5:], kind), -1) * positive) / count,
    }
    return tf.add_n(list(parts.values())), parts

"""What happens to a drawn picture before it is learnt from, so that the network learns shapes and not our paint.

Belongs here: one picture with its boxes in, one out, in any size. Everything is rolled from the generator given.
"""

import numpy as np
from PIL import Image, ImageFilter


def augment(picture, find, unclear, width, height, scales, smallest, rng):
    """A picture of `width`×`height`, the boxes to find [n, 5] and those that may be found [m, 4].

    `scales`: the least and the largest factor by which things are made larger; `smallest`: pixels of the longer side
    below which a thing is no longer asked for.
    """
    picture, find, unclear = window(picture, find, unclear, width, height, scales, smallest, rng)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
        find, unclear = find.copy(), unclear.copy()
        for boxes in (find, unclear):
            boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    picture = paint(picture, rng)
    if rng.random() < 0.25:
        picture = hide(picture, rng)
    return picture, find, unclear


def window(picture, find, unclear, width, height, scales, smallest, rng):
    """Cuts out a part, or makes the whole smaller, and brings it to size."""
    tall, wide = picture.shape[:2]
    scale = float(np.exp(rng.uniform(*np.log(scales))))
    # How many pixels of the target one of the source becomes; the shape may change a little.
    sx, sy = scale * rng.uniform(0.92, 1.08), scale * rng.uniform(0.92, 1.08)
    room_x, room_y = width - wide * sx, height - tall * sy
    left, top = rng.uniform(min(0, room_x), max(0, room_x)), rng.uniform(min(0, room_y), max(0, room_y))
    if len(find) and rng.random() < 0.7:
        # Around one of the things, the rare as often as the common: empty road teaches little.
        kind = rng.choice(np.unique(find[:, 4]))
        x0, y0, x1, y1 = rng.choice(find[find[:, 4] == kind])[:4]
        aim_x, aim_y = rng.uniform(0.2, 0.8) * width - (x0 + x1) / 2 * sx, rng.uniform(0.2, 0.8) * height - (y0 + y1) / 2 * sy
        left = min(max(aim_x, min(0, room_x)), max(0, room_x))
        top = min(max(aim_y, min(0, room_y)), max(0, room_y))
    # The part of the source that is seen, in source pixels.
    x0, y0 = max(0.0, -left / sx), max(0.0, -top / sy)
    x1, y1 = min(float(wide), (width - left) / sx), min(float(tall), (height - top) / sy)
    tx0, ty0 = int(round(x0 * sx + left)), int(round(y0 * sy + top))
    tx1, ty1 = int(round(x1 * sx + left)), int(round(y1 * sy + top))
    out = np.full((height, width, 3), 114, np.uint8)
    if tx1 > tx0 and ty1 > ty0:
        way = Image.BILINEAR if rng.random() < 0.7 else Image.NEAREST
        part = Image.fromarray(picture).resize((tx1 - tx0, ty1 - ty0), way, box=(x0, y0, x1, y1))
        out[ty0:ty1, tx0:tx1] = np.asarray(part)
    shift = np.array([left, top, left, top], np.float32)
    factor = np.array([sx, sy, sx, sy], np.float32)

    def moved(boxes):
        boxes = boxes.copy()
        boxes[:, :4] = boxes[:, :4] * factor + shift
        whole = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(tx0, tx1)
        boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(ty0, ty1)
        seen = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        longest = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        return boxes, seen / np.maximum(whole, 1e-6), longest

    find, share, longest = moved(find)
    clear = (share > 0.25) & (longest >= smallest)
    halves = find[~clear & (share > 0), :4]
    unclear, share, _ = moved(unclear)
    return out, find[clear], np.concatenate([unclear[share > 0], halves])


def paint(picture, rng):
    """Other light, other lenses, other sensors. Tables of 256 entries do what can be done value by value."""
    if rng.random() < 0.15:
        picture = picture[..., ::-1]
    if rng.random() < 0.3:
        # Less colour or none.
        share = 0.0 if rng.random() < 0.5 else rng.uniform(0.2, 0.8)
        grey = picture.mean(-1, keepdims=True, dtype=np.float32)
        picture = (grey + (picture - grey) * np.float32(share)).astype(np.uint8)
    values = np.arange(256, dtype=np.float32)
    if rng.random() < 0.7:
        values = (values - 114) * rng.uniform(0.65, 1.4) + 114 + rng.uniform(-35, 35)
    if rng.random() < 0.3:
        values = 255 * (values.clip(0, 255) / 255) ** rng.uniform(0.65, 1.6)
    tints = rng.uniform(-18, 18, 3) if rng.random() < 0.5 else np.zeros(3)
    tables = np.stack([(values + tint).clip(0, 255) for tint in tints]).astype(np.uint8)
    picture = np.stack([tables[c][picture[..., c]] for c in range(3)], -1)
    if rng.random() < 0.15:
        picture = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.4))))
    if rng.random() < 0.25:
        noise = rng.integers(-128, 128, picture.shape[:2], dtype=np.int8).astype(np.int16)
        picture = (picture + (noise * int(rng.integers(4, 26)) // 128)[..., None]).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        picture = blocks(picture, rng.uniform(0.1, 0.4))
    return picture


def blocks(picture, share, side=8):
    """As a stingy encoder makes them."""
    tall, wide = picture.shape[0] // side * side, picture.shape[1] // side * side
    x = picture[:tall, :wide].astype(np.float32).reshape(tall // side, side, wide // side, side, 3)
    out = picture.copy()
    out[:tall, :wide] = (x * (1 - share) + x.mean((1, 3), keepdims=True) * share).reshape(tall, wide, 3).astype(np.uint8)
    return out


def hide(picture, rng):
    """A few patches of another colour: parts of things must do."""
    picture = picture.copy()
    tall, wide = picture.shape[:2]
    for _ in range(rng.integers(1, 6)):
        w, h = rng.integers(4, max(5, wide // 9)), rng.integers(4, max(5, tall // 7))
        x, y = rng.integers(0, wide - w), rng.integers(0, tall - h)
        picture[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return picture

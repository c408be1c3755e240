"""What happens to a drawn picture before it is learnt from, so that the network learns shapes and not our paint.

Belongs here: one picture with its boxes in, one out, in any size. Everything is rolled from the generator given.
"""

import numpy as np
from PIL import Image, ImageFilter

# Smaller than this a thing is no longer asked for, pixels of the longer side.
SMALLEST = 7


def augment(picture, find, unclear, width, height, rng):
    """A picture of `width`×`height`, the boxes to find [n, 5] and those that may be found [m, 4]."""
    picture, find, unclear = window(picture, find, unclear, width, height, rng)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
        find, unclear = find.copy(), unclear.copy()
        for boxes in (find, unclear):
            boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    picture = paint(picture, rng)
    if rng.random() < 0.25:
        picture = hide(picture, rng)
    return picture, find, unclear


def window(picture, find, unclear, width, height, rng):
    """Cuts out a part, or makes the whole smaller, and brings it to size."""
    tall, wide = picture.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.55), np.log(1.7)))) if rng.random() < 0.8 else 1.0
    # How many pixels of the target one of the source becomes; the shape may change a little.
    sx = width / wide * scale * rng.uniform(0.9, 1.1)
    sy = height / tall * scale * rng.uniform(0.9, 1.1)
    room_x, room_y = width - wide * sx, height - tall * sy
    left, top = rng.uniform(min(0, room_x), max(0, room_x)), rng.uniform(min(0, room_y), max(0, room_y))
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
    clear = (share > 0.25) & (longest >= SMALLEST)
    halves = find[~clear & (share > 0), :4]
    unclear, share, _ = moved(unclear)
    return out, find[clear], np.concatenate([unclear[share > 0], halves])


def paint(picture, rng):
    """Other light, other lenses, other sensors."""
    x = picture.astype(np.float32)
    if rng.random() < 0.8:
        x = (x - 114) * rng.uniform(0.6, 1.5) + 114 + rng.uniform(-40, 40)
    if rng.random() < 0.5:
        x = x + rng.uniform(-22, 22, 3).astype(np.float32)
    if rng.random() < 0.5:
        grey = x.mean(-1, keepdims=True)
        x = grey + (x - grey) * (0.0 if rng.random() < 0.35 else rng.uniform(0.2, 1.9))
    if rng.random() < 0.15:
        x = x[..., ::-1]
    x = x.clip(0, 255)
    if rng.random() < 0.4:
        x = 255 * (x / 255) ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.3:
        x = np.asarray(Image.fromarray(x.astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6))), np.float32)
    elif rng.random() < 0.2:
        x = np.asarray(Image.fromarray(x.astype(np.uint8)).filter(ImageFilter.UnsharpMask(2, 120, 0)), np.float32)
    if rng.random() < 0.4:
        coarse = rng.standard_normal((x.shape[0], x.shape[1], 1), np.float32)
        x = x + coarse * rng.uniform(2, 14)
    if rng.random() < 0.2:
        # Blocks, as a stingy encoder makes them.
        block = 8 * x.shape[1] // 512 or 4
        tall, wide = x.shape[0] // block * block, x.shape[1] // block * block
        mean = x[:tall, :wide].reshape(tall // block, block, wide // block, block, 3).mean((1, 3), keepdims=True)
        share = rng.uniform(0.1, 0.4)
        x[:tall, :wide] = (
            x[:tall, :wide].reshape(tall // block, block, wide // block, block, 3) * (1 - share) + mean * share
        ).reshape(tall, wide, 3)
    return x.clip(0, 255).astype(np.uint8)


def hide(picture, rng):
    """A few patches of another colour: parts of things must do."""
    picture = picture.copy()
    tall, wide = picture.shape[:2]
    for _ in range(rng.integers(1, 6)):
        w, h = rng.integers(4, max(5, wide // 9)), rng.integers(4, max(5, tall // 7))
        x, y = rng.integers(0, wide - w), rng.integers(0, tall - h)
        picture[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return picture

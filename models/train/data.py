"""Drawn pictures from `camsim dataset`, as batches.

Belongs here: reading the stream, keeping a pool of pictures in memory, what of the truth is learnt and what is left
out. Does not belong here: what happens to a picture before it is seen (`augment.py`).
"""

import json
import os
import random
import subprocess
import threading

import numpy as np

from augment import augment
from classes import CLASSES
from loss import MOST

INDEX = {word: i for i, word in enumerate(CLASSES)}
UNCLEAR = 24  # boxes of one picture in which nothing is wrong


def camsim():
    return os.environ.get("CAMSIM", "target/release/camsim")


def records(seed, count, width, height):
    """Pictures [height, width, 3] BGR with their objects, as the renderer tells them."""
    command = [camsim(), "dataset", "--seed", str(seed), "--count", str(count), "--size", f"{width}x{height}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 22) as child:
        try:
            for _ in iter(int, 1):
                line = child.stdout.readline()
                if not line:
                    break
                head = json.loads(line)
                bytes_ = child.stdout.read(head["width"] * head["height"] * 3)
                yield np.frombuffer(bytes_, np.uint8).reshape(head["height"], head["width"], 3), head["objects"]
        finally:
            child.kill()


# Smaller than this, in pixels of the longer side, a thing need not be found: it is four pixels wide or less.
SMALLEST = 14


def learnable(objects, smallest=SMALLEST):
    """Boxes [n, 5] (left, top, right, bottom, class) to find, and boxes [m, 4] that may be found or not."""
    find, unclear = [], []
    for o in objects:
        if o["class"] not in INDEX:
            continue
        left, top, right, bottom = o["box"]
        longest = max(right - left, bottom - top)
        if o["visible"] < 0.02:
            continue
        if o["visible"] < 0.3 or longest < smallest or o["inside"] < 0.15:
            unclear.append(o["box"])
        else:
            find.append([*o["box"], INDEX[o["class"]]])
    return np.array(find, np.float32).reshape(-1, 5), np.array(unclear, np.float32).reshape(-1, 4)


class Pool:
    """Pictures in memory. Each is seen `uses` times on average before another takes its place."""

    def __init__(self, seed, size, uses, width=512, height=288):
        self.pictures, self.size, self.uses, self.drawn = [], size, uses, 0
        self.allowed = threading.Semaphore(0)
        self.owed = 0.0
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.full = threading.Event()
        threading.Thread(target=self.fill, args=(seed, width, height), daemon=True).start()

    def fill(self, seed, width, height):
        slots = random.Random(seed + 1)
        for picture, objects in records(seed, 0, width, height):
            # What is small here can be large enough in a piece that is made larger.
            entry = (picture, *learnable(objects, SMALLEST / 1.5))
            self.drawn += 1
            if len(self.pictures) < self.size:
                self.pictures.append(entry)
                if len(self.pictures) >= min(self.size, 300):
                    self.full.set()
                continue
            self.allowed.acquire()
            self.pictures[slots.randrange(self.size)] = entry

    def batch(self, count, width, height, scales, rng):
        """A batch of augmented pictures and padded truth, all of fixed shape."""
        self.full.wait()
        pictures = np.empty((count, height, width, 3), np.uint8)
        truth = np.zeros((count, MOST, 4), np.float32)
        kinds = np.zeros((count, MOST), np.int32)
        real = np.zeros((count, MOST), bool)
        ignore = np.zeros((count, UNCLEAR, 4), np.float32)
        for i in range(count):
            with self.lock:
                source = self.pictures[self.random.randrange(len(self.pictures))]
            pictures[i], find, unclear = augment(*source, width, height, scales, SMALLEST, rng)
            largest = np.argsort(-((find[:, 2] - find[:, 0]) * (find[:, 3] - find[:, 1])))[:MOST]
            find = find[largest]
            truth[i, : len(find)], kinds[i, : len(find)], real[i, : len(find)] = find[:, :4], find[:, 4], True
            unclear = unclear[:UNCLEAR]
            ignore[i, : len(unclear)] = unclear
        self.owed += count / self.uses
        while self.owed >= 1:
            self.allowed.release()
            self.owed -= 1
        return pictures, truth, kinds, real, ignore


class Ahead:
    """Makes batches in threads, a few ahead of the one that is learnt from."""

    def __init__(self, pool, count, width, height, scales, seed, threads=2, depth=4):
        import queue

        self.queue = queue.Queue(depth)
        self.stop = threading.Event()

        def work(index):
            rng = np.random.default_rng([seed, index])
            while not self.stop.is_set():
                batch = pool.batch(count, width, height, scales, rng)
                while not self.stop.is_set():
                    try:
                        self.queue.put(batch, timeout=0.5)
                        break
                    except queue.Full:
                        continue

        for index in range(threads):
            threading.Thread(target=work, args=(index,), daemon=True).start()

    def next(self):
        return self.queue.get()

    def close(self):
        self.stop.set()

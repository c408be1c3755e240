"""Trains thon-nano on drawn pictures.

Belongs here: the schedule, the optimiser, checkpoints. Most is learnt from small pieces of pictures, at the size things
have in a whole one: a step costs a quarter. The last part is learnt from whole pictures, as the network will see them.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import net
from data import Ahead, Pool
from loss import loss

# Share of the time, width, height, pictures of a batch, and the range of scales.
PHASES = [(0.78, 256, 160, 32, (0.5, 1.5)), (0.22, 512, 288, 12, (0.8, 1.3))]
RATE, DECAY, EMA = 3e-3, 0.02, 0.998


class Learner:
    """The network with its moments and its slow average."""

    def __init__(self, seed):
        params, stats, self.macs = net.initial(seed)
        variables = lambda values: {k: tf.Variable(v) for k, v in values.items()}
        zeros = {k: np.zeros_like(v) for k, v in params.items()}
        self.params, self.stats, self.average = variables(params), variables(stats), variables(params)
        self.first, self.second = variables(zeros), variables(zeros)
        self.steps = {}

    def groups(self):
        return {"params": self.params, "stats": self.stats, "average": self.average, "first": self.first, "second": self.second}

    def state(self):
        return {name: {k: v.numpy() for k, v in group.items()} for name, group in self.groups().items()}

    def restore(self, state):
        for name, group in self.groups().items():
            for k, v in group.items():
                v.assign(state[name][k])

    def learn(self, batch, rate, step, width, height):
        """One step; the loss's parts and the length of its gradient."""
        size = (width, height)
        if size not in self.steps:
            self.steps[size] = tf.function(lambda *tensors: self.step(*tensors, *net.grid(*size)))
        return self.steps[size](*[tf.constant(b) for b in batch], tf.constant(rate, tf.float32), tf.constant(step, tf.float32))

    def step(self, pictures, truth, kinds, real, ignore, rate, step, corners, strides):
        with tf.GradientTape() as tape:
            rows, seen = net.apply(self.params, self.stats, pictures, True)
            total, parts = loss(rows, truth, kinds, real, ignore, corners, strides)
        grads = dict(zip(self.params, tape.gradient(total, list(self.params.values()))))
        norm = tf.linalg.global_norm(list(grads.values()))
        shrink = tf.minimum(1.0, 20.0 / (norm + 1e-6))
        # The average begins fast and grows slow.
        keep = tf.minimum(EMA, (1 + step) / (20 + step))
        for name, p in self.params.items():
            # AdamW; only convolution weights decay.
            g, m, v = grads[name] * shrink, self.first[name], self.second[name]
            m.assign(0.9 * m + 0.1 * g)
            v.assign(0.99 * v + 0.01 * g * g)
            update = m / (1 - 0.9**step) / (tf.sqrt(v / (1 - 0.99**step)) + 1e-8)
            p.assign_sub(rate * (update + (DECAY * p if name.endswith("/w") else 0.0)))
            self.average[name].assign(keep * self.average[name] + (1 - keep) * p)
        for name, value in seen.items():
            self.stats[name].assign(0.97 * self.stats[name] + 0.03 * value)
        return parts, norm


def rate_at(done):
    """Warm-up, then a cosine, over the share of the whole that is done."""
    if done < 0.01:
        return RATE * max(done, 1e-4) / 0.01
    return RATE * (0.01 + 0.99 * (1 + np.cos(np.pi * (done - 0.01) / 0.99)) / 2)


def save(path, state):
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps(state))
    part.replace(path)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--minutes", type=float, default=50)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--pool", type=int, default=6000)
    args.add_argument("--uses", type=float, default=12)
    args = args.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "checkpoint.pickle"
    learner, step, spent = Learner(args.seed), 0, 0.0
    count = sum(v.shape.num_elements() for v in learner.params.values())
    devices = [d.device_type for d in tf.config.list_physical_devices()]
    print(f"{count / 1e6:.2f} M parameters, {learner.macs / 1e9:.2f} G multiply-adds at {net.WIDTH}x{net.HEIGHT}; {devices}", flush=True)
    if checkpoint.exists():
        kept = pickle.loads(checkpoint.read_bytes())
        learner.restore(kept["state"])
        step, spent = kept["step"], kept["spent"]
        print(f"going on at step {step}, {spent / 60:.1f} minutes spent", flush=True)
    keep = lambda: save(checkpoint, {"state": learner.state(), "step": step, "spent": spent})
    pool = Pool(args.seed * 1_000_003 + step, args.pool, args.uses)
    budget = args.minutes * 60
    phase, ahead = None, None
    told = saved = last = time.monotonic()
    learnt, sums = 0, {}
    while spent < budget:
        done = spent / budget
        now = next(i for i in range(len(PHASES)) if done < sum(p[0] for p in PHASES[: i + 1]) or i == len(PHASES) - 1)
        _, width, height, size, scales = PHASES[now]
        if phase != now:
            if ahead:
                ahead.close()
            phase, ahead = now, Ahead(pool, size, width, height, scales, args.seed + 17 * step)
        step += 1
        parts, norm = learner.learn(ahead.next(), rate_at(done), step, width, height)
        sums = {k: sums.get(k, 0.0) + float(v) for k, v in parts.items()}
        learnt += size
        clock = time.monotonic()
        spent += clock - last
        last = clock
        if clock - told > 20:
            steps = learnt / size
            shown = " ".join(f"{k} {v / steps:.3f}" for k, v in sums.items())
            speed = learnt / (clock - told)
            print(f"{spent / 60:5.1f} min step {step} {width}x{height} {speed:.0f}/s {shown} |g| {float(norm):.1f} pool {pool.drawn}", flush=True)
            told, learnt, sums = clock, 0, {}
        if clock - saved > 120:
            keep()
            saved = clock
    keep()
    state = learner.state()
    save(args.out / "weights.pickle", {"params": state["average"], "stats": state["stats"]})


if __name__ == "__main__":
    main()

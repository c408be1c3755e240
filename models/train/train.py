"""Trains thon-nano on drawn pictures.

Belongs here: the schedule, the optimiser, checkpoints. Small pictures first: they are three times cheaper and teach
most of it; the last part is learnt at the size the network is used at.
"""

import argparse
import pickle
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import net
from data import Ahead, Pool
from loss import loss

# Share of the time, width, height, pictures of a batch.
PHASES = [(0.55, 320, 192, 32), (0.45, 512, 288, 24)]
RATE, DECAY, EMA = 2.5e-3, 0.02, 0.998


def adam(params, grads, moments, rate, step):
    """AdamW; only convolution weights decay."""

    def one(path, p, g, m, v):
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g * g
        update = m / (1 - 0.9**step) / (jnp.sqrt(v / (1 - 0.99**step)) + 1e-8)
        decay = DECAY if path[-1].key == "w" else 0.0
        return p - rate * (update + decay * p), m, v

    leaves = jax.tree_util.tree_map_with_path(one, params, grads, *moments)
    part = lambda i: jax.tree_util.tree_map(lambda t: t[i], leaves, is_leaf=lambda t: isinstance(t, tuple))
    return part(0), (part(1), part(2))


@partial(jax.jit, static_argnums=(6, 7), donate_argnums=(0, 1, 2, 3))
def learn(params, stats, moments, average, batch, schedule, width, height):
    """One step: new parameters, statistics, moments and averages, and the loss."""
    pictures, truth, kinds, real, ignore = batch
    rate, step = schedule
    corners, strides = net.grid(width, height)

    def cost(params):
        rows, seen = net.apply(params, stats, pictures, True)
        total, parts = loss(rows, truth, kinds, real, ignore, corners, strides)
        return total, (parts, seen)

    (_, (parts, seen)), grads = jax.value_and_grad(cost, has_aux=True)(params)
    norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree_util.tree_leaves(grads)))
    grads = jax.tree_util.tree_map(lambda g: g * jnp.minimum(1.0, 20.0 / (norm + 1e-6)), grads)
    params, moments = adam(params, grads, moments, rate, step)
    stats = jax.tree_util.tree_map(lambda a, b: 0.97 * a + 0.03 * b, stats, seen)
    # The average begins fast and grows slow.
    keep = jnp.minimum(EMA, (1 + step) / (20 + step))
    average = jax.tree_util.tree_map(lambda a, b: keep * a + (1 - keep) * b, average, params)
    return params, stats, moments, average, parts, norm


def rate_at(done):
    """Warm-up, then a cosine, over the share of the whole that is done."""
    if done < 0.02:
        return RATE * max(done, 1e-4) / 0.02
    return RATE * (0.02 + 0.98 * (1 + np.cos(np.pi * (done - 0.02) / 0.98)) / 2)


def save(path, state):
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps(jax.tree_util.tree_map(np.asarray, state)))
    part.replace(path)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--minutes", type=float, default=50)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--pool", type=int, default=4000)
    args.add_argument("--uses", type=float, default=3)
    args = args.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "checkpoint.pickle"
    params, stats, macs = net.initial(args.seed)
    count = sum(p.size for layer in params.values() for p in layer.values())
    print(f"{count / 1e6:.2f} M parameters, {macs / 1e9:.2f} G multiply-adds at {net.WIDTH}x{net.HEIGHT}; {jax.devices()}", flush=True)
    fresh = lambda tree: jax.tree_util.tree_map(jnp.array, tree)
    zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
    state = {"params": fresh(params), "stats": fresh(stats), "moments": (fresh(zeros), fresh(zeros)), "average": fresh(params), "step": 0, "spent": 0.0}
    if checkpoint.exists():
        state = pickle.loads(checkpoint.read_bytes())
        print(f"going on at step {state['step']}, {state['spent'] / 60:.1f} minutes spent", flush=True)
    pool = Pool(args.seed * 1_000_003 + state["step"], args.pool, args.uses)
    budget = args.minutes * 60
    phase, ahead = None, None
    told = saved = last = time.monotonic()
    learnt, sums = 0, {}
    while state["spent"] < budget:
        done = state["spent"] / budget
        now = next(i for i in range(len(PHASES)) if done < sum(p[0] for p in PHASES[: i + 1]) or i == len(PHASES) - 1)
        _, width, height, size = PHASES[now]
        if phase != now:
            if ahead:
                ahead.close()
            phase, ahead = now, Ahead(pool, size, width, height, args.seed + 17 * state["step"])
        state["step"] += 1
        schedule = (np.float32(rate_at(done)), np.float32(state["step"]))
        *new, parts, norm = learn(state["params"], state["stats"], state["moments"], state["average"], ahead.next(), schedule, width, height)
        state["params"], state["stats"], state["moments"], state["average"] = new
        sums = {k: sums.get(k, 0.0) + float(v) for k, v in parts.items()}
        learnt += size
        clock = time.monotonic()
        state["spent"] += clock - last
        last = clock
        if clock - told > 20:
            steps = learnt / size
            shown = " ".join(f"{k} {v / steps:.3f}" for k, v in sums.items())
            print(f"{state['spent'] / 60:5.1f} min step {state['step']} {width}x{height} {learnt / (clock - told):.0f}/s {shown} |g| {float(norm):.1f}", flush=True)
            told, learnt, sums = clock, 0, {}
        if clock - saved > 120:
            save(checkpoint, state)
            saved = clock
    save(checkpoint, state)
    save(args.out / "weights.pickle", {"params": state["average"], "stats": state["stats"]})


if __name__ == "__main__":
    main()

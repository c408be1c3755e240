"""Milliseconds of one inference on one thread, several files side by side in one run."""

import argparse
import time
from pathlib import Path

import numpy as np

from evaluate import Detector


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("models", type=Path, nargs="+")
    args.add_argument("--rounds", type=int, default=80)
    args = args.parse_args()
    rng = np.random.default_rng(1)
    detectors = [Detector(path) for path in args.models]
    inputs = [rng.integers(0, 256, (1, 3, d.height, d.width)).astype(np.float32) for d in detectors]
    times = [[] for _ in detectors]
    for i in range(args.rounds + 5):
        for d, x, spent in zip(detectors, inputs, times):
            begun = time.perf_counter()
            d.session.run(None, {d.input: x})
            if i >= 5:
                spent.append((time.perf_counter() - begun) * 1e3)
    first = np.median(times[0])
    for path, d, spent in zip(args.models, detectors, times):
        middle = np.median(spent)
        print(f"{path.name}: {d.width}x{d.height} median {middle:.2f} ms, least {min(spent):.2f} ms, {middle / first:.2f} of the first")


if __name__ == "__main__":
    main()

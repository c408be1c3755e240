"""Writes the tables of the model card as Markdown, from what `evaluate.py` found."""

import argparse
import json
from pathlib import Path

from classes import CLASSES
from data import SMALLEST
from evaluate import LARGE, mean


KINDS = {
    "drawn": f"AP50, held-out drawn pictures, things of {SMALLEST} pixels and more",
    "drawn-large": f"AP50, the same pictures, things of {LARGE} pixels and more",
    "real": "AP50, real pictures",
    "clips": "AP50, real clips, against what the reference finds with a score of half or more",
}


def cell(value):
    return "–" if value is None else f"{value:.2f}"


def table(tables, kind):
    """One row a class, one column a model."""
    models = [m for m in tables if kind in tables[m]]
    lines = [f"| class | objects | {' | '.join(models)} |", "|---|---|" + "---|" * len(models)]
    for word in CLASSES:
        objects = tables[models[0]][kind][word][2]
        if objects:
            lines.append(f"| {word} | {objects} | " + " | ".join(cell(tables[m][kind][word][0]) for m in models) + " |")
    for name, words in (("**mean**", CLASSES), ("**mean of the first four**", CLASSES[:4])):
        lines.append(f"| {name} | | " + " | ".join(cell(mean(tables[m][kind], 0, words)) for m in models) + " |")
    lines.append("| **mean AP50-95** | | " + " | ".join(cell(mean(tables[m][kind], 1)) for m in models) + " |")
    return "\n".join(lines)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("tables", type=Path)
    args = args.parse_args()
    tables = json.loads(args.tables.read_text())
    for kind, heading in KINDS.items():
        if any(kind in t for t in tables.values()):
            print(f"\n{heading}\n\n{table(tables, kind)}")


if __name__ == "__main__":
    main()

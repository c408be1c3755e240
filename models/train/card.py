"""Writes the tables of the model card as Markdown, from what `evaluate.py` found."""

import argparse
import json
from pathlib import Path

from classes import CLASSES
from evaluate import mean


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
    for kind in ("drawn", "real"):
        if any(kind in t for t in tables.values()):
            print(f"\nAP50, {kind} pictures\n\n{table(tables, kind)}")


if __name__ == "__main__":
    main()

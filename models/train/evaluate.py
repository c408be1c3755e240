"""How well an ONNX file finds things: AP50 and AP50-95 for each class, on drawn pictures and on real ones.

Reads any detector with rows of YOLOX: ours, and public ones with the 80 classes of COCO, so that both stand in one
table. Belongs here: measuring. `card.py` writes it down.
"""

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

import net
from classes import CLASSES, COCO
from data import SMALLEST, learnable, records

HELD_OUT_SEED = 900_001
# Pixels of the longer side in a picture 512 wide.
LARGE = 32


class Detector:
    """An ONNX file and how its input and output are read."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        one = self.session.get_inputs()[0]
        self.input, (_, _, self.height, self.width) = one.name, one.shape
        self.corners, self.strides = net.grid(self.width, self.height)
        columns = self.session.get_outputs()[0].shape[2] - 5
        self.kinds = range(columns) if columns == len(CLASSES) else [COCO.get(c, -1) for c in CLASSES]

    def rows(self, picture):
        """Raw rows for a BGR picture, and the factor it was made smaller by: letterboxed at the top left."""
        tall, wide = picture.shape[:2]
        factor = min(self.width / wide, self.height / tall)
        w, h = max(1, round(wide * factor)), max(1, round(tall * factor))
        canvas = np.full((self.height, self.width, 3), 114, np.float32)
        canvas[:h, :w] = np.asarray(Image.fromarray(picture).resize((w, h), Image.BILINEAR))
        return self.session.run(None, {self.input: canvas.transpose(2, 0, 1)[None]})[0][0], factor

    def find(self, picture, least=0.02, most=0.6):
        """Boxes [n, 4] in pixels of the picture, class indices, and scores, the surest first."""
        rows, factor = self.rows(picture)
        centre = (rows[:, :2] + self.corners) * self.strides
        size = np.exp(rows[:, 2:4].clip(-8, 8)) * self.strides
        boxes = np.concatenate([centre - size / 2, centre + size / 2], 1) / factor
        found = []
        for index, column in enumerate(self.kinds):
            if column < 0:
                continue
            scores = rows[:, 4] * rows[:, 5 + column]
            keep = np.flatnonzero(scores > least)
            keep = keep[np.argsort(-scores[keep])][:200]
            while keep.size:
                best, keep = keep[0], keep[1:]
                found.append((scores[best], index, boxes[best]))
                keep = keep[overlaps(boxes[best], boxes[keep]) < most]
        found.sort(key=lambda f: -f[0])
        return found


def overlaps(box, boxes):
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), 1)
    area = lambda b: (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return common / np.maximum(area(box) + area(boxes) - common, 1e-6)


def average_precision(marks, total):
    """Area under precision over recall at 101 points. `marks`: (score, right) of all pictures."""
    if total == 0:
        return None
    marks.sort(key=lambda m: -m[0])
    right = np.cumsum([m[1] for m in marks]) if marks else np.zeros(1)
    precision = right / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    recall = right / total
    points = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-9)
    return float(np.mean([precision[p] if p < len(precision) else 0.0 for p in points]))


def measure(detector, pictures):
    """{class: (AP50, AP50-95, objects)} over (picture, boxes to find [n, 5], boxes that may be found [m, 4])."""
    levels = np.arange(0.5, 0.96, 0.05)
    marks = {(c, i): [] for c in range(len(CLASSES)) for i in range(len(levels))}
    totals = np.zeros(len(CLASSES), int)
    for picture, find, unclear in pictures:
        found = detector.find(picture)
        for c in range(len(CLASSES)):
            truth = find[find[:, 4] == c, :4]
            totals[c] += len(truth)
            mine = [(s, b) for s, k, b in found if k == c]
            for i, level in enumerate(levels):
                open_ = np.ones(len(truth), bool)
                for score, box in mine:
                    fits = overlaps(box, truth) * open_ if len(truth) else np.zeros(0)
                    if fits.size and fits.max() >= level:
                        open_[fits.argmax()] = False
                        marks[c, i].append((score, True))
                    elif not (len(unclear) and inside(box, unclear) > 0.5):
                        marks[c, i].append((score, False))
    table = {}
    for c, word in enumerate(CLASSES):
        ap = [average_precision(marks[c, i], totals[c]) for i in range(len(levels))]
        table[word] = (ap[0], None if ap[0] is None else float(np.mean(ap)), int(totals[c]))
    return table


def inside(box, boxes):
    """The largest share of `box` that lies in one of `boxes`."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    return float((np.prod(np.maximum(high - low, 0), 1) / max(float(np.prod(box[2:] - box[:2])), 1e-6)).max())


def drawn(count, smallest):
    """Held-out pictures: seeds that training never sees."""
    for picture, objects in records(HELD_OUT_SEED, count, net.WIDTH, net.HEIGHT):
        yield (picture, *learnable(objects, smallest))


def real(folder):
    """The real pictures with COCO's truth; only the classes both know."""
    truth = json.loads((folder / "instances_subset.json").read_text())
    words = {v: CLASSES.index(k) for k, v in coco_ids(truth).items()}
    for image in truth["images"]:
        path = folder / image["file_name"]
        if not path.exists():
            continue
        picture = np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1]
        own = [a for a in truth["annotations"] if a["image_id"] == image["id"] and a["category_id"] in words]
        box = lambda a: [a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]]
        find = [[*box(a), words[a["category_id"]]] for a in own if not a.get("iscrowd")]
        crowd = [box(a) for a in own if a.get("iscrowd")]
        yield np.ascontiguousarray(picture), np.array(find, np.float32).reshape(-1, 5), np.array(crowd, np.float32).reshape(-1, 4)


def clips(folder, reference, each=12):
    """Pictures of real clips. Nobody drew their boxes: what a reference finds with a score of half or more is to be found."""
    for path in sorted(folder.glob("*.mp4")):
        ask = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height:format=duration", "-of", "json", str(path)]
        about = json.loads(subprocess.run(ask, check=True, capture_output=True).stdout)
        wide, tall = about["streams"][0]["width"], about["streams"][0]["height"]
        rate = each / float(about["format"]["duration"])
        read = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"fps={rate}", "-frames:v", str(each), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
        frames = np.frombuffer(subprocess.run(read, check=True, capture_output=True).stdout, np.uint8).reshape(-1, tall, wide, 3)
        for picture in frames:
            seen = reference.find(picture, least=0.2)
            sure = [[*box, kind] for score, kind, box in seen if score >= 0.5]
            unsure = [box for score, _, box in seen if score < 0.5]
            yield picture, np.array(sure, np.float32).reshape(-1, 5), np.array(unsure, np.float32).reshape(-1, 4)


def coco_ids(truth):
    """Our word to the file's category number."""
    ids = {c["name"]: c["id"] for c in truth["categories"]}
    return {word: ids[word] for word in COCO if word in ids}


def mean(table, column=0, words=CLASSES):
    values = [table[w][column] for w in words if table[w][column] is not None]
    return float(np.mean(values)) if values else None


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("models", type=Path, nargs="+")
    args.add_argument("--drawn", type=int, default=400, help="held-out drawn pictures")
    args.add_argument("--real", type=Path, help="folder of COCO pictures with instances_subset.json")
    args.add_argument("--clips", type=Path, help="folder of real clips; needs --reference")
    args.add_argument("--reference", type=Path, help="a detector whose finds stand for the truth of clips")
    args.add_argument("--json", type=Path, help="writes the tables there")
    args = args.parse_args()
    tables = {}
    for path in args.models:
        detector = Detector(path)
        sets = {}
        if args.drawn:
            # As it is trained, and what is large enough that a rule would ask for it.
            sets = {"drawn": drawn(args.drawn, SMALLEST), "drawn-large": drawn(args.drawn, LARGE)}
        if args.real:
            sets["real"] = real(args.real)
        if args.clips and args.reference:
            sets["clips"] = clips(args.clips, Detector(args.reference))
        for name, pictures in sets.items():
            table = measure(detector, pictures)
            tables.setdefault(path.stem, {})[name] = table
            shown = " ".join(f"{w} {v[0]:.2f}/{v[2]}" for w, v in table.items() if v[0] is not None)
            print(f"{path.name} {name}: mean AP50 {mean(table):.3f}, AP50-95 {mean(table, 1):.3f}, first four {mean(table, 0, CLASSES[:4]) or 0:.3f}\n  {shown}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()

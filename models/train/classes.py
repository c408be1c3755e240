"""The words of thon-nano, in the order of its output.

Belongs here: the list and what it means in other lists. Cut or extended here, it is cut or extended everywhere; the
first four matter most. Does not belong here: our own words, which `models/thon-nano.toml` has.
"""

CLASSES = ["person", "motorcycle", "car", "truck", "bicycle", "bus", "tractor", "dog", "cow", "bag", "fire", "smoke"]

# Where COCO has a word for the same thing. Drawn bags are rubbish; COCO's are handbags: no pair.
COCO = {"person": 0, "bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7, "dog": 16, "cow": 19}

"""Makes the int8 file: unsigned activations, signed weights with a scale for each channel, as the fast kernels want it.

Calibrated on drawn pictures of seeds of their own. The last layers, whose numbers are positions and chances, stay float:
they cost a hundredth of the time. Belongs here: nothing but the quantisation.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import net
from data import records

CALIBRATION_SEED = 700_001


class Pictures(CalibrationDataReader):
    def __init__(self, count):
        self.pictures = records(CALIBRATION_SEED, count, net.WIDTH, net.HEIGHT)

    def get_next(self):
        picture = next(self.pictures, None)
        return None if picture is None else {"images": picture[0].transpose(2, 0, 1)[None].astype(np.float32)}


def quantise(source, target, pictures):
    names = [n.name for n in onnx.load(source).graph.node]
    last = [n for n in names if n.startswith("head") and (".reg." in n or ".obj." in n or ".cls." in n)]
    with tempfile.TemporaryDirectory() as scratch:
        prepared = str(Path(scratch) / "prepared.onnx")
        quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            str(target),
            Pictures(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Resize"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=last,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05},
        )


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("source", type=Path)
    args.add_argument("target", type=Path)
    args.add_argument("--pictures", type=int, default=160)
    args = args.parse_args()
    quantise(args.source, args.target, args.pictures)
    print(f"{args.target}: {args.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()

#!/usr/bin/env bash
# Trains thon-nano from nothing: drawn pictures in, two ONNX files and the tables of the model card out.
#   models/train/train.sh              about an hour on two cores
#   models/train/train.sh --quick      a few minutes, mostly measuring: does everything, learns nothing
#   MINUTES=30 OUT=/tmp/x REAL=../shared/data models/train/train.sh
# Never part of `make test`.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=models/train
out=${OUT:-.cache/train/out}
minutes=${MINUTES:-55} pool=6000 pictures=160 drawn=600
if [ "${1:-}" = --quick ]; then minutes=1 pool=200 pictures=16 drawn=20; fi
mkdir -p "$out"

echo "[1/5] Python packages, each by its hash"
python=${PYTHON:-python3}
"$python" -c 'import sys; assert sys.version_info[:2] == (3, 11), "needs CPython 3.11 (PYTHON=… names one): the hashes are its"'
[ -x .cache/train/venv/bin/python ] || "$python" -m venv .cache/train/venv
.cache/train/venv/bin/pip install --quiet --require-hashes --only-binary=:all: -r $here/requirements.txt
py() { TF_CPP_MIN_LOG_LEVEL=2 PYTHONDONTWRITEBYTECODE=1 .cache/train/venv/bin/python "$here/$1.py" "${@:2}"; }

echo "[2/5] the painter"
if [ -z "${CAMSIM:-}" ]; then cargo build --release --locked -p camsim; CAMSIM=$PWD/target/release/camsim; fi
export CAMSIM

echo "[3/5] training, $minutes minutes"
py train --out "$out" --minutes "$minutes" --pool "$pool"

echo "[4/5] ONNX, fp32 and int8"
py export "$out/weights.pickle" "$out/thon-nano-fp32.onnx"
py quantise "$out/thon-nano-fp32.onnx" "$out/thon-nano.onnx" --pictures "$pictures"

echo "[5/5] measuring"
real=${REAL:-../shared/data}
models=("$out/thon-nano.onnx" "$out/thon-nano-fp32.onnx")
[ -f "$real/models/yolox_nano.onnx" ] && models+=("$real/models/yolox_nano.onnx")
extra=()
[ -f "$real/images/instances_subset.json" ] && extra+=(--real "$real/images")
[ -f "$real/models/yolox_nano_832.onnx" ] && [ -d "$real/video" ] && extra+=(--clips "$real/video" --reference "$real/models/yolox_nano_832.onnx")
py evaluate "${models[@]}" --drawn "$drawn" "${extra[@]}" --json "$out/tables.json"
py card "$out/tables.json" > "$out/tables.md"
py bench "${models[@]}" | tee "$out/bench.txt"
sha256sum "$out"/thon-nano*.onnx
wc -c "$out"/thon-nano*.onnx

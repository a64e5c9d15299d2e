#!/bin/sh
# Fetches the GPU's ONNX Runtime by the program's own command, some gigabytes, into target/gpu or the
# folder that is named, and checks that it loads up to the driver. No GPU is needed.
set -eu
cd "$(dirname "$0")/../.."
out=$(realpath -m "${1:-target/gpu}")
if [ ! -d "$out/termask/gpu/onnxruntime" ]; then
    XDG_DATA_HOME=$out cargo run -q -- setup gpu --cuda 12.4 --run
fi
TERMASK_GPU=$out/termask/gpu exec cargo test -q --test models the_wheels_load -- --nocapture

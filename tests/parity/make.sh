#!/bin/sh
# Makes what tests/sam_parity.rs compares with, in target/parity or the folder that is named.
# A few hundred megabytes of Python packages are installed beside it, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../target/parity}
mkdir -p "$out"
python=$out/venv/bin/python
if [ ! -x "$python" ]; then
    python3 -m venv "$out/venv"
fi
if ! "$python" -c 'import torch, samexporter, segment_anything, sam2, onnx, transformers' 2>/dev/null; then
    if ! "$out/venv/bin/pip" install --quiet -r "$here/requirements.txt" 2>"$out/pip.log"; then
        echo "parity is not checked: a package does not install: $(tail -n 1 "$out/pip.log")" >&2
        exit 1
    fi
fi
exec "$python" "$here/make.py" "$out"

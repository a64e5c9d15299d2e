#!/bin/sh
# Runs models/train's recipe once, in small: two drawn sets, some steps from the shipped net, the same
# run taken up again, the export, which checks itself against PyTorch, and the count of clicks. It
# installs what the recipe needs into target/train, which takes gigabytes.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
place=$root/target/train
[ -x "$place/bin/python" ] || python3 -m venv "$place"
"$place/bin/pip" install --quiet -r "$root/models/train/requirements.txt"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$place/bin/python
cd "$root/models/train"
"$python" - "$work" <<'DRAW'
import os, sys
import cv2, numpy as np

rng = np.random.default_rng(1)
for name in ('train_duts_tr', 'test_drawn'):
    images, masks = (f'{sys.argv[1]}/{name}/{kind}' for kind in ('images', 'masks'))
    os.makedirs(images), os.makedirs(masks)
    for i in range(8):
        mask = np.zeros((240, 320), np.uint8)
        cv2.ellipse(mask, [int(v) for v in rng.integers(110, 170, 2)], (70, 50), float(rng.uniform(0, 180)), 0, 360, 255, -1)
        image = np.where(mask[..., None] > 0, np.uint8([40, 60, 190]), np.uint8([70, 130, 60])) + rng.integers(0, 30, (240, 320, 3), np.uint8)
        cv2.imwrite(f'{images}/{i}.png', image), cv2.imwrite(f'{masks}/{i}.png', mask)
DRAW
train() { "$python" train.py --data "$work" --out "$work/mine.pt" --batch 2 --lr 1e-3 --minutes "$1" --settled --size 64 128 --init ../click.onnx; }
train 0.3
train 0.2
"$python" - "$work/mine.pt" <<'LOOK'
import sys, torch
from net import weights

before, after = weights('../click.onnx'), weights(sys.argv[1])
moved = [k for k in before if not torch.allclose(before[k].float(), after[k].float(), 1e-4, 1e-6)]
fixed = [k for k in before if 'running' in k or k.startswith(('enc.stem.', 'enc.blocks.0.', 'enc.blocks.1.', 'enc.blocks.2.'))]
assert any(k.startswith('enc.') for k in moved) and 'out.weight' in moved, 'nothing was trained'
assert not set(moved) & set(fixed), 'what is to be kept was changed'
LOOK
"$python" export.py "$work/mine.pt" "$work/mine.onnx"
"$python" noc.py "$work/mine.onnx" drawn="$work/test_drawn"

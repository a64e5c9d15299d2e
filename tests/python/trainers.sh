#!/bin/sh
# Installs torchvision and ultralytics for the test `trainers_readers_see_the_same_pixels` of
# tests/formats, once: they and what they need take gigabytes.
set -eu
place=$(cd "$(dirname "$0")/../.." && pwd)/target/trainers
[ -x "$place/bin/python" ] || python3 -m venv "$place"
exec "$place/bin/pip" install --quiet pycocotools==2.0.11 torchvision ultralytics

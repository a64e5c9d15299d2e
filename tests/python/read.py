"""Reads an export as its users do and prints the IoU of each object with its PNG mask."""

import base64
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def truth(folder):
    """For each image its masks in order."""
    return {
        d.name: [np.array(Image.open(p)) > 0 for p in sorted(d.glob("*.png"))]
        for d in sorted(folder.iterdir())
        if d.is_dir()
    }


def coco(out):
    from pycocotools.coco import COCO

    sys.stdout, kept = sys.stderr, sys.stdout  # it prints while it reads
    data = COCO(str(out / "instances.json"))
    sys.stdout = kept
    for image in data.loadImgs(data.getImgIds()):
        ids = data.getAnnIds(imgIds=[image["id"]])
        yield Path(image["file_name"]).stem, [data.annToMask(a) > 0 for a in data.loadAnns(ids)]


def labelme(out):
    """As labelme.utils.shapes_to_label does with mask shapes."""
    for path in sorted(out.glob("*.json")):
        if path.name.startswith("."):
            continue
        data = json.loads(path.read_text())
        masks = []
        for shape in data["shapes"]:
            full = np.zeros((data["imageHeight"], data["imageWidth"]), bool)
            (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
            crop = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))) > 0
            full[y1 : y2 + 1, x1 : x2 + 1] = crop
            masks.append(full)
        yield path.stem, masks


def voc(out):
    """As torchvision.datasets.VOCSegmentation: the palette PNG's numbers."""
    for path in sorted((out / "SegmentationObject").glob("*.png")):
        numbers = np.array(Image.open(path))
        yield path.stem, [numbers == i for i in range(1, numbers.max() + 1)]


def yolo(out):
    """As YOLO's loaders: the polygon times the image's size, filled."""
    for path in sorted((out / "labels" / "train").glob("*.txt")):
        width, height = Image.open(out / "images" / "train" / f"{path.stem}.png").size
        masks = []
        for line in path.read_text().splitlines():
            points = np.array(line.split()[1:], float).reshape(-1, 2) * (width, height)
            scale = 8  # pillow paints the outline, too: fine pixels keep it thin
            fine = Image.new("1", (width * scale, height * scale))
            ImageDraw.Draw(fine).polygon([tuple(p) for p in points * scale], fill=1)
            masks.append(np.array(fine)[scale // 2 :: scale, scale // 2 :: scale])
        yield path.stem, masks


def main(kind, out, folder):
    expected = truth(Path(folder))
    ious = []
    for name, masks in globals()[kind](Path(out)):
        assert len(masks) == len(expected[name]), (name, len(masks))
        for a, b in zip(masks, expected[name]):
            ious.append(float((a & b).sum() / (a | b).sum()))
    print(json.dumps(ious))


main(*sys.argv[1:])

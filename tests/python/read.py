"""Reads an export as its users do and prints the IoU of each object with its PNG mask.

read.py READER EXPORT MASKS IMAGES: the masks are an export of one PNG an object.
"""

import base64
import contextlib
import importlib.util
import io
import json
import logging
import sys
import tempfile
import types
import zlib
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

    with contextlib.redirect_stdout(sys.stderr):  # it prints while it reads
        data = COCO(str(out / "instances.json"))
    for image in data.loadImgs(data.getImgIds()):
        ids = data.getAnnIds(imgIds=[image["id"]])
        yield Path(image["file_name"]).stem, [data.annToMask(a) > 0 for a in data.loadAnns(ids)]


def labelme_code():
    """labelme's own modules, without its __init__, which wants a screen."""
    for name in ("labelme", "labelme.utils"):
        module = types.ModuleType(name)
        module.__path__ = importlib.util.find_spec(name).submodule_search_locations
        sys.modules[name] = module
    package = sys.modules["labelme"]
    package.__appname__, package.__version__ = "labelme", "5.5.0"
    package.PY2 = package.QT4 = False
    package.utils = sys.modules["labelme.utils"]
    import labelme.utils.image
    import labelme.utils.shape

    vars(package.utils).update(vars(labelme.utils.image))
    from labelme.label_file import LabelFile

    return LabelFile, labelme.utils.shape


def labelme(out):
    """By labelme's own LabelFile; a mask's first point is where its program draws it."""
    LabelFile, _ = labelme_code()
    for path in sorted(p for p in out.glob("*.json") if not p.name.startswith(".")):
        width, height = Image.open(path.with_suffix(".png")).size
        masks = []
        for shape in LabelFile(str(path)).shapes:
            full = np.zeros((height, width), bool)
            (x1, y1), (x2, y2) = np.array(shape["points"]).astype(int)
            full[y1 : y2 + 1, x1 : x2 + 1] = shape["mask"]
            masks.append(full)
        yield path.stem, masks


def labelme_polygons(out):
    """By labelme's own LabelFile and shapes_to_label."""
    LabelFile, utils = labelme_code()
    for path in sorted(p for p in out.glob("*.json") if not p.name.startswith(".")):
        width, height = Image.open(path.with_suffix(".png")).size
        shapes = LabelFile(str(path)).shapes
        names = {shape["label"]: 1 for shape in shapes}
        _, numbers = utils.shapes_to_label((height, width), shapes, names)
        yield path.stem, [numbers == i for i in range(1, numbers.max() + 1)]


def cityscapes(out):
    """By cityscapesscripts' own code: instances2dict, with the pixels of each instance."""
    from cityscapesscripts.evaluation.instances2dict import instances2dict

    for path in sorted(out.glob("gtFine/*/*/*_instanceIds.png")):
        numbers = np.array(Image.open(path))
        labels = np.array(Image.open(str(path).replace("instanceIds", "labelIds")))
        masks = []
        for name, instances in next(iter(instances2dict([str(path)]).values())).items():
            if name == "unlabeled":
                continue
            assert name in ("car", "traffic light") or not instances, name
            for instance in instances:
                mask = numbers == instance["instID"]
                assert mask.sum() == instance["pixelCount"]
                assert (labels[mask] == instance["labelID"]).all()
                masks.append(mask)
        yield path.name.split("_gtFine")[0], masks


def cityscapes_polygons(out):
    """By cityscapesscripts' own code: the polygons drawn by json2instanceImg."""
    from cityscapesscripts.helpers.annotation import Annotation
    from cityscapesscripts.preparation.json2instanceImg import createInstanceImage

    for path in sorted(out.glob("gtFine/*/*/*_polygons.json")):
        annotation = Annotation()
        annotation.fromJsonFile(str(path))
        numbers = np.array(createInstanceImage(annotation, "ids"))
        masks = [numbers == i for i in np.unique(numbers) if i != 0]
        yield path.name.split("_gtFine")[0], masks


def cvat(out):
    """As CVAT's documentation of the 1.1 format describes its masks."""
    from xml.etree import ElementTree

    root = ElementTree.parse(out / "annotations.xml").getroot()
    assert root.findtext("version") == "1.1"
    names = [label.findtext("name") for label in root.iter("label")]
    for image in root.iter("image"):
        assert (out / "images" / image.get("name")).is_file()
        masks = []
        for mask in image.iter("mask"):
            assert mask.get("label") in names
            left, top, width, height = (int(mask.get(k)) for k in ("left", "top", "width", "height"))
            counts = [int(c) for c in mask.get("rle").split(",")]
            assert sum(counts) == width * height
            bits = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
            full = np.zeros((int(image.get("height")), int(image.get("width"))), bool)
            full[top : top + height, left : left + width] = bits.reshape(height, width)
            masks.append(full)
        yield Path(image.get("name")).stem, masks


def supervisely(out):
    """As supervisely.Bitmap.base64_2_data: the alpha, or the numbers, of an unpacked PNG."""
    titles = [c["title"] for c in json.loads((out / "meta.json").read_text())["classes"]]
    for path in sorted(out.glob("*/ann/*.json")):
        assert (path.parent.parent / "img" / path.stem).is_file()
        data = json.loads(path.read_text())
        masks = []
        for shape in data["objects"]:
            assert shape["classTitle"] in titles
            packed = base64.b64decode(shape["bitmap"]["data"])
            crop = np.array(Image.open(io.BytesIO(zlib.decompress(packed))))
            bits = crop[:, :, 3] > 0 if crop.ndim == 3 and crop.shape[2] == 4 else crop > 0
            full = np.zeros((data["size"]["height"], data["size"]["width"]), bool)
            x, y = shape["bitmap"]["origin"]
            full[y : y + bits.shape[0], x : x + bits.shape[1]] = bits
            masks.append(full)
        yield Path(path.stem).stem, masks


def voc(out):
    """As torchvision.datasets.VOCSegmentation: the palette PNG's numbers."""
    for path in sorted((out / "SegmentationObject").glob("*.png")):
        numbers = np.array(Image.open(path))
        yield path.stem, [numbers == i for i in range(1, numbers.max() + 1)]


def torchvision_voc(out):
    """By torchvision's own VOCSegmentation; once more with the objects in the classes' place."""
    from torchvision.datasets import VOCSegmentation

    class VOCObjects(VOCSegmentation):
        _TARGET_DIR = "SegmentationObject"

    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "VOCdevkit").mkdir()
        (Path(root) / "VOCdevkit" / "VOC2012").symlink_to(out)
        classes, objects = VOCSegmentation(root), VOCObjects(root)
        for path, (image, numbers), (_, kinds) in zip(objects.masks, objects, classes):
            assert image.size == numbers.size == kinds.size
            numbers, kinds = np.array(numbers), np.array(kinds)
            assert ((numbers > 0) == (kinds > 0)).all()
            yield Path(path).stem, [numbers == i for i in range(1, numbers.max() + 1)]


def torchvision_coco(out):
    """By torchvision's own CocoDetection, as its detection models take it."""
    from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2

    with contextlib.redirect_stdout(sys.stderr):
        data = CocoDetection(str(images), str(out / "instances.json"))
    wrapped = wrap_dataset_for_transforms_v2(data, target_keys=["masks", "labels"])
    for number, (image, target) in zip(data.ids, wrapped):
        name = data.coco.loadImgs(number)[0]["file_name"]
        assert target["masks"].shape[1:] == (image.height, image.width)
        assert sorted(target["labels"].tolist()) == [1, 1, 2]
        yield Path(name).stem, [mask.numpy() > 0 for mask in target["masks"]]


def ultralytics(out):
    """By ultralytics' own YOLODataset and polygon2mask, on a raster eight times as fine: it
    cuts corners off to whole pixels."""
    from ultralytics.data import utils
    from ultralytics.data.dataset import YOLODataset

    utils.check_font = lambda _: None  # it would be downloaded
    with contextlib.redirect_stdout(sys.stderr):
        data = utils.check_det_dataset(str(out / "data.yaml"), autodownload=False)
        dataset = YOLODataset(img_path=data["train"], data=data, task="segment", augment=False)
    assert data["names"] == {0: "car", 1: "traffic light"}
    for label in dataset.labels:
        height, width = (8 * side for side in label["shape"])
        masks = []
        for segment in label["segments"]:
            polygon = (segment * (width, height)).reshape(1, -1)
            fine = utils.polygon2mask((height, width), polygon)
            masks.append(fine[4::8, 4::8] > 0)
        assert sorted(label["cls"].flatten().tolist()) == [0, 0, 1]
        yield Path(label["im_file"]).stem, masks


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
    logging.disable()  # some readers log to where the answer goes
    for name, masks in globals()[kind](Path(out)):
        assert len(masks) == len(expected[name]), (name, len(masks))
        # Some formats have no order: each mask is that of the object it has most in common with.
        for a in expected[name]:
            ious.append(max(float((a & b).sum() / (a | b).sum()) for b in masks))
    print(json.dumps(ious))


reader, export, masks, images = sys.argv[1:]
main(reader, export, masks)

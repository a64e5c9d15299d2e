"""The same conversion as benches/store.rs: sidecars to one COCO file, by pycocotools."""

import json
import sys
import time
from pathlib import Path

from pycocotools import mask


def main(folder, out):
    images, annotations, classes = [], [], {}
    for path in sorted(Path(folder).glob("*.termask.json")):
        data = json.loads(path.read_text())
        image = data["image"]
        number = len(images) + 1
        size = {"width": image["width"], "height": image["height"]}
        images.append({"id": number, "file_name": image["file"], **size})
        for item in data["objects"]:
            # Decoded and encoded again, as we do: what a file says is not taken for true.
            rle = mask.encode(mask.decode(item["rle"]))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": classes.setdefault(item["class"], len(classes) + 1),
                    "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
                    "area": int(mask.area(rle)),
                    "bbox": mask.toBbox(rle).tolist(),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": i, "name": name} for name, i in classes.items()]
    file = {"images": images, "annotations": annotations, "categories": categories}
    Path(out).write_text(json.dumps(file))


start = time.perf_counter()
main(*sys.argv[1:])
print(time.perf_counter() - start)

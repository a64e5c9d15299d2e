"""The figures of benches/classic.rs for OpenCV and scikit-image.

    classic.py FOLDER [NAME...]        FOLDER has images/ and masks/; names: grabcut, watershed, superpixels

Times are the processor's, on one thread.
"""
import glob
import os
import sys
import time

import cv2
import numpy as np
from skimage.filters import sobel
from skimage.segmentation import slic, watershed

cv2.setNumThreads(1)


def cases(folder):
    for path in sorted(glob.glob(folder + "/images/*")):
        image = cv2.imread(path)
        grey = cv2.imread(f"{folder}/masks/{os.path.splitext(os.path.basename(path))[0]}.png", 0)
        yield image, grey > 200, (grey > 50) & (grey <= 200)


def iou(mask, truth, unsure):
    mask = mask & ~unsure
    return (mask & truth).sum() / (mask | truth).sum()


def tight_box(truth):
    ys, xs = np.nonzero(truth)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


class GrabCut:
    """A box, then disks of three pixels where it errs most."""

    def __init__(self, image, box):
        x0, y0, x1, y1 = map(int, box)
        self.image, self.labels = image, np.zeros(image.shape[:2], np.uint8)
        self.models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(1)
        cv2.grabCut(image, self.labels, (x0, y0, x1 - x0, y1 - y0), *self.models, 5, cv2.GC_INIT_WITH_RECT)

    def mask(self):
        return (self.labels & 1) == 1

    def click(self, at, inside):
        cv2.circle(self.labels, at, 3, cv2.GC_FGD if inside else cv2.GC_BGD, -1)
        cv2.grabCut(self.image, self.labels, None, *self.models, 5, cv2.GC_INIT_WITH_MASK)


def deepest(error):
    depth = cv2.distanceTransform(np.pad(error.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return depth.max(), (int(x), int(y))


def interactions(image, truth, unsure):
    """Box first, then up to 19 clicks, each in the middle of the largest error; 20 where it fails."""
    cut = GrabCut(image, tight_box(truth))
    for used in range(1, 21):
        mask = cut.mask()
        if iou(mask, truth, unsure) >= 0.9:
            return used
        (missed, at_missed), (extra, at_extra) = deepest(truth & ~mask), deepest(mask & ~truth & ~unsure)
        cut.click(at_missed if missed > extra else at_extra, missed > extra)
    return 20


def flooded(image, box):
    x0, y0, x1, y1 = box
    markers = np.full(image.shape[:2], 2)
    markers[y0:y1, x0:x1] = 0
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    radius = min(x1 - x0, y1 - y0) / 8
    markers[np.hypot(xs - (x0 + x1 - 1) // 2, ys - (y0 + y1 - 1) // 2) <= radius] = 1
    steep = np.max([sobel(image[..., c].astype(float)) for c in range(3)], axis=0)
    return watershed(steep, markers) == 1


def edges(labels):
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge


def boxes(name, run):
    found, spent = [], 0
    for image, truth, unsure in data:
        start = time.process_time()
        mask = run(image, tight_box(truth))
        spent += time.process_time() - start
        found.append(iou(mask, truth, unsure))
    print(f"{name}: box mean IoU {np.mean(found):.3f}, {1000 * spent / len(data):.0f} ms a box")


def superpixels():
    recall, best, spent, count = [], [], 0, []
    for image, truth, unsure in data:
        start = time.process_time()
        labels = slic(image[..., ::-1], n_segments=400, compactness=10, start_label=0)
        spent += time.process_time() - start
        near = cv2.dilate(edges(labels).astype(np.uint8), np.ones((5, 5))) > 0
        true = edges(truth)
        recall.append((near & true).sum() / true.sum())
        inside, every = np.bincount(labels[truth], minlength=labels.max() + 1), np.bincount(labels.ravel())
        best.append(np.maximum(inside, every - inside).sum() / truth.size)
        count.append(labels.max() + 1)
    print(
        f"scikit-image SLIC: {np.mean(count):.0f} of them, boundary recall {np.mean(recall):.3f}, "
        f"achievable accuracy {np.mean(best):.4f}, {1000 * spent / len(data):.0f} ms"
    )


names = sys.argv[2:] or ["grabcut", "watershed", "superpixels"]
data = list(cases(sys.argv[1]))
if "grabcut" in names:
    boxes("OpenCV grabcut", lambda image, box: GrabCut(image, box).mask())
    print(f"OpenCV grabcut: {np.mean([interactions(*case) for case in data]):.2f} interactions to IoU 0.90, box included")
if "watershed" in names:
    boxes("scikit-image watershed", flooded)
if "superpixels" in names:
    superpixels()

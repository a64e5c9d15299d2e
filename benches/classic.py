"""The figures of benches/classic.rs for OpenCV and scikit-image: classic.py FOLDER (with images/ and masks/)."""
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


def grabcut(image, box):
    x0, y0, x1, y1 = map(int, box)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(image, mask, (x0, y0, x1 - x0, y1 - y0), np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    return (mask & 1) == 1


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


data = list(cases(sys.argv[1]))
for name, run in ("OpenCV grabcut", grabcut), ("scikit-image watershed", flooded):
    found, spent = [], 0
    for image, truth, unsure in data:
        start = time.perf_counter()
        mask = run(image, tight_box(truth))
        spent += time.perf_counter() - start
        found.append(iou(mask, truth, unsure))
    print(f"{name}: box mean IoU {np.mean(found):.3f}, {1000 * spent / len(data):.0f} ms a box")
recall, best, spent, count = [], [], 0, []
for image, truth, unsure in data:
    start = time.perf_counter()
    labels = slic(image[..., ::-1], n_segments=400, compactness=10, start_label=0)
    spent += time.perf_counter() - start
    near = cv2.dilate(edges(labels).astype(np.uint8), np.ones((5, 5))) > 0
    true = edges(truth)
    recall.append((near & true).sum() / true.sum())
    inside, every = np.bincount(labels[truth], minlength=labels.max() + 1), np.bincount(labels.ravel())
    best.append(np.maximum(inside, every - inside).sum() / truth.size)
    count.append(labels.max() + 1)
print(f"scikit-image SLIC: {np.mean(count):.0f} of them, boundary recall {np.mean(recall):.3f}, achievable accuracy {np.mean(best):.4f}, {1000 * spent / len(data):.0f} ms")

"""Fits the curves of src/segment/click/confidence.rs: what probabilities let expect -> the IoU that comes of it.

usage: confidence.py FIT.csv [CHECK.csv ...]    (from `termask eval --csv`; CHECK is only reported on)
Isotonic regression (pool adjacent violators), then its value at few knots, between which a line is drawn.
"""
import csv, sys
import numpy as np

ap = sys.argv[1:]
if not ap or ap[0] in ('-h', '--help'): raise SystemExit(__doc__)

def read(path):
    rows = list(csv.DictReader(open(path)))
    pick = lambda e, i: np.array([(float(r[e]), float(r[i])) for r in rows if r[e]]).reshape(-1, 2)
    return {'OF_CLICKS': pick('expected1', 'iou1'), 'OF_BOX': pick('box_expected', 'box_iou')}

def isotonic(y):
    """the rising sequence nearest to y"""
    blocks = []
    for v in y:
        blocks.append([v, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            v2, n2 = blocks.pop(); v1, n1 = blocks.pop()
            blocks.append([(v1*n1+v2*n2)/(n1+n2), n1+n2])
    return np.concatenate([[v]*n for v, n in blocks])

def fit(points, knots=6):
    x, y = points[points[:, 0].argsort()].T
    y = isotonic(y)
    parts = np.array_split(np.arange(len(x)), knots)
    curve = [(0.0, 0.0)]
    for p in parts:
        a, b = float(x[p].mean()), float(y[p].mean())
        if a > curve[-1][0]+0.005: curve.append((a, max(b, curve[-1][1]+1e-3)))
    # the last part's slope goes on to certainty, but not beyond an IoU of 1
    (x0, y0), (x1, y1) = curve[-2:]
    curve.append((1.0, min(1.0, max(y1+1e-3, y1+(y1-y0)/(x1-x0)*(1-x1)))))
    return [(round(a, 4), round(b, 4)) for a, b in curve]

def report(name, kind, points, curve):
    x, y = points.T; p = np.interp(x, *zip(*curve)); rank = lambda v: v.argsort().argsort()
    print(f'{name} {kind} n {len(x)}: error {np.abs(x-y).mean():.3f} -> {np.abs(p-y).mean():.3f}, bias {np.mean(x-y):+.3f} -> {np.mean(p-y):+.3f}, rank correlation {np.corrcoef(rank(p), rank(y))[0, 1]:.3f}')

curves = {kind: fit(points) for kind, points in read(ap[0]).items()}
for kind, curve in curves.items(): print(f'const {kind}: &Curve = &{curve};')
for path in ap:
    for kind, points in read(path).items(): report(path, kind, points, curves[kind])

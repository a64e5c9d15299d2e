"""Finds training images that are in a test set too, by perceptual hash, and with --remove deletes them.

usage: overlap.py DATA [--remove] [--bits 24]     (DATA: output folder of data_sets.py; test_* are the test sets)
test_duts_te is left out: nine tenths of it are for training, see data.py.
"""
import argparse, glob, os, sys
import cv2, numpy as np

def dhash(path):
    """signs of the horizontal differences of a 17x16 thumbnail: 256 bits"""
    img = cv2.imread(path, 0)
    if img is None: return None
    small = cv2.resize(img, (17, 16), interpolation=cv2.INTER_AREA).astype(int)
    return small[:, 1:] > small[:, :-1]

def hashes(folders):
    found = []
    for folder in folders:
        for p in sorted(glob.glob(folder+'/images/*')):
            h = dhash(p)
            if h is not None: found += [(p, h.ravel()), (p, (~h[:, ::-1]).ravel())]    # mirrored pictures too
    return found

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('data'); ap.add_argument('--remove', action='store_true'); ap.add_argument('--bits', type=int, default=24, help='hashes that differ in at most so many of 256 bits are the same picture')
    a = ap.parse_args()
    tests = [d for d in glob.glob(a.data+'/test_*') if not d.endswith('duts_te')]
    known = hashes(tests)
    if not known: sys.exit(a.data+': no test_* folder with images: run data_sets.py first')
    bits, names, n = np.stack([h for _, h in known]), [p for p, _ in known], 0
    for folder in sorted(glob.glob(a.data+'/train_*')+glob.glob(a.data+'/test_duts_te')):
        for p in sorted(glob.glob(folder+'/images/*')):
            h = dhash(p)
            if h is None: continue
            apart = (bits != h.ravel()).sum(1); i = apart.argmin()
            if apart[i] > a.bits: continue
            print(p, 'is', names[i], f'({apart[i]} bits apart)'); n += 1
            if a.remove: os.remove(p)
    print(n, 'overlaps', 'removed' if a.remove else 'found')

"""Test folders of a few pictures of a set, with some objects of each.

usage: crowds.py DATA OUT NAME [NAME ...] [--skip 40] [--pictures 40] [--objects 2]
(NAME: a folder of DATA whose masks hold object ids, or 255 for the one object)
Writes OUT/NAME/images and OUT/NAME/masks, for `termask eval`, and for `termask import --format png` before
`termask adapt`. The 40 pictures that are skipped are those that the method was chosen on.
"""
import argparse, os, random
import cv2, numpy as np
import data as D

def main(a):
    for name in a.names:
        rng, found = random.Random(1), D.pairs(a.data, name)
        rng.shuffle(found)
        for folder in ('images', 'masks'): os.makedirs(f'{a.out}/{name}/{folder}', exist_ok=True)
        for image, mask in found[a.skip:a.skip+a.pictures]:
            ids = cv2.imread(mask, -1); ids = ids if ids.ndim == 2 else ids[..., 0]
            if set(np.unique(ids)) == {0, 255}: ids = ids//255
            picture = cv2.imread(image)
            objects = [i for i in np.unique(ids) if i not in (0, 255) and (ids == i).sum() > 150]
            if not objects or ids.shape != picture.shape[:2]: continue
            rng.shuffle(objects)
            some = np.zeros(ids.shape, np.uint8)
            for n, i in enumerate(objects[:a.objects]): some[ids == i] = n+1
            stem = D.stem(mask)
            cv2.imwrite(f'{a.out}/{name}/images/{stem}.png', picture); cv2.imwrite(f'{a.out}/{name}/masks/{stem}.png', some)

if __name__ == '__main__':
    ap = argparse.ArgumentParser(); ap.add_argument('data'); ap.add_argument('out'); ap.add_argument('names', nargs='+')
    ap.add_argument('--skip', type=int, default=40); ap.add_argument('--pictures', type=int, default=40); ap.add_argument('--objects', type=int, default=2)
    main(ap.parse_args())

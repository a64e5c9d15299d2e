"""Test folders of pictures with many things: two objects of each of 40 images of a set.

usage: crowds.py DATA OUT NAME [NAME ...]     (NAME: a folder of DATA whose masks hold object ids)
Writes OUT/NAME/images and OUT/NAME/masks for `termask eval`. The 40 images before them in the same order were
those that the method was chosen on.
"""
import os, random, sys
import cv2, numpy as np
import data as D

def main(root, out, *names):
    for name in names:
        rng, found = random.Random(1), D.pairs(root, name)
        rng.shuffle(found)
        for folder in ('images', 'masks'): os.makedirs(f'{out}/{name}/{folder}', exist_ok=True)
        for image, mask in found[40:80]:
            ids = cv2.imread(mask, -1); ids = ids if ids.ndim == 2 else ids[..., 0]
            picture = cv2.imread(image)
            objects = [i for i in np.unique(ids) if i not in (0, 255) and (ids == i).sum() > 150]
            if not objects or ids.shape != picture.shape[:2]: continue
            rng.shuffle(objects)
            two = np.zeros(ids.shape, np.uint8)
            for n, i in enumerate(objects[:2]): two[ids == i] = n+1
            stem = D.stem(mask)
            cv2.imwrite(f'{out}/{name}/images/{stem}.png', picture); cv2.imwrite(f'{out}/{name}/masks/{stem}.png', two)

if __name__ == '__main__': main(*sys.argv[1:])

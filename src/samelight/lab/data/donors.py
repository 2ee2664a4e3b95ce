"""Which objects are alike: the nearest by backbone features, as donors of colour transfer."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from samelight.io.files import write_whole
from samelight.lab.data.photos import Neighbours, PhotoFolder
from samelight.lab.data.views import LEAST_WINDOW
from samelight.lab.nn.backbone import Backbone
from samelight.lab.nn.regions import region_moments, resize_mask
from samelight.lab.pictures import cut_out, unit_range
from samelight.render.resample import window_around
from samelight.types import FloatArray

NEAREST = 24
"""Objects kept for each one."""
SIDE_PX = 128
BATCH = 32
_AROUND = 1.3
_ROWS = 256

Features: TypeAlias = npt.NDArray[np.float32]
"""(N,C)."""


def alike_objects(photos: PhotoFolder) -> Neighbours:
    """Find for every object those in other photos that a backbone sees as most alike.

    Features are the two last levels' means over the object, of a window around it, each feature
    standardised over the folder; likeness is their cosine.

    Args:
        photos: whose `objects` are compared.

    Returns:
        (N,24) of N objects; fewer columns where some object has fewer in other photos.
    """
    features = object_features(photos)
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    features /= np.linalg.norm(features, axis=1, keepdims=True).clip(min=1e-6)
    owners = np.array([owner for owner, _ in photos.objects])
    count = min(NEAREST, len(owners) - int(np.bincount(owners).max()))
    nearest = np.empty((len(features), count), dtype=np.int32)
    for start in range(0, len(features), _ROWS):
        rows = slice(start, start + _ROWS)
        likeness = features[rows] @ features.T
        # Objects of the same photo are in the same light: no donors.
        likeness[owners[rows, None] == owners[None]] = -np.inf
        nearest[rows] = np.argpartition(-likeness, count, axis=1)[:, :count]
    return nearest


def cached_neighbours(photos: PhotoFolder, path: Path) -> Neighbours:
    """The same, read from a file if it is there and of these objects; written if not.

    Args:
        photos: whose `objects` are compared.
        path: of the file, ending in .npz.
    """
    names = [photos.entries[owner].masks[number].name for owner, number in photos.objects]
    if path.exists():
        with np.load(path) as kept:
            if kept["names"].tolist() == names:
                found: Neighbours = kept["nearest"]
                return found
    nearest = alike_objects(photos)
    write_whole(path, lambda partial: np.savez(partial, names=np.array(names), nearest=nearest))
    return nearest


@torch.no_grad()
def object_features(photos: PhotoFolder) -> Features:
    """See every object through a backbone that was taught to recognise things: (N,C)."""
    backbone = Backbone().eval()
    parts = []
    for start in range(0, len(photos.objects), BATCH):
        shown = [_shown(photos, *mask) for mask in photos.objects[start : start + BATCH]]
        pictures, masks = (torch.from_numpy(np.stack(part)) for part in zip(*shown, strict=True))
        levels = backbone(pictures.permute(0, 3, 1, 2))[-2:]
        moments = (region_moments(f, resize_mask(masks[:, None], f.shape[-2:])) for f in levels)
        parts.append(torch.cat([moment.foreground.mean for moment in moments], dim=1))
    return torch.cat(parts).numpy()


def _shown(photos: PhotoFolder, owner: int, number: int) -> tuple[FloatArray, FloatArray]:
    """An object, with a little of what is around it, and its mask."""
    photo, mask = photos.photo(owner), photos.mask(owner, number)
    window = window_around(mask, around=_AROUND, least=LEAST_WINDOW)
    picture, cover = (unit_range(cut_out(part, window, SIDE_PX)) for part in (photo, mask))
    return picture, cover

"""Masks for photos that have none: neighbouring segments of alike colours, joined (ours).

They follow edges in the picture as an object's mask would, which a mask borrowed from another photo
does not; they know nothing of objects.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from skimage.segmentation import felzenszwalb

from samelight.errors import OutputError
from samelight.lab.data.photos import list_photos
from samelight.lab.pictures import read_picture
from samelight.lab.types import Picture

WORKING_PIXELS = 25_000
"""Photos are segmented at about this size; its cost grows with the pixels."""

Group = set[int]


def add_masks(root: Path, count: int, seed: int) -> Iterator[int]:
    """Write ROOT/masks/<photo>_<k>.png for every photo without masks, on all cores.

    Args:
        root: folder as `PhotoFolder` takes it.
        count: masks per photo.
        seed: the same seed draws the same masks.

    Yields:
        How many masks each photo got.

    Raises:
        OutputError: when the masks cannot be written.
    """
    folder = root / "masks"
    bare = [entry.path for entry in list_photos(root) if not entry.masks]
    try:
        folder.mkdir(exist_ok=True)
        # Not forked: libvips, which reads the photos, keeps threads that a copy would wait for.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            yield from pool.map(partial(_add, folder, count, seed), bare, chunksize=4)
    except OSError as error:
        raise OutputError(f"masks cannot be written to {folder} ({error})") from error


def _add(folder: Path, count: int, seed: int, photo: Path) -> int:
    rng = np.random.default_rng([seed, *photo.stem.encode()])
    masks = propose_masks(read_picture(photo), count, rng)
    for number, mask in enumerate(masks, start=1):
        Image.fromarray(mask).save(folder / f"{photo.stem}_{number}.png")
    return len(masks)


def propose_masks(photo: Picture, count: int, rng: np.random.Generator) -> list[Picture]:
    """Draw plausible foregrounds.

    Felzenszwalb and Huttenlocher's segments (IJCV 2004) of a random coarseness; from a random one,
    neighbours are added until a random area, 3-45 % of the photo, is reached.

    Args:
        photo: (H,W,3) uint8.
        count: how many masks to draw; fewer come back where the photo has too few segments.
        rng: where the randomness comes from.

    Returns:
        Masks (H,W) uint8, 0 or 255, each over 2-60 % of the photo.
    """
    height, width = photo.shape[:2]
    shrink = min(1.0, (WORKING_PIXELS / (height * width)) ** 0.5)
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX))
    segments = felzenszwalb(
        small, scale=rng.uniform(75, 250), sigma=0.7, min_size=small.size // 3 // 150
    )
    areas = np.bincount(segments.ravel()) / segments.size
    neighbours = _neighbours(segments, len(areas))
    masks: list[Picture] = []
    for _ in range(6 * count):
        if len(masks) == count:
            break
        group = _grow(areas, neighbours, rng)
        inside = ndimage.binary_fill_holes(np.isin(segments, list(group)))
        if 0.02 < inside.mean() < 0.6:
            soft = Image.fromarray((inside * 255).astype(np.uint8))
            large = np.asarray(soft.resize((width, height), Image.Resampling.BICUBIC))
            masks.append(np.where(large > 127, 255, 0).astype(np.uint8))
    return masks


def _neighbours(segments: npt.NDArray[np.integer], count: int) -> list[Group]:
    """Which segments touch which."""
    sides = [(segments[:, 1:], segments[:, :-1]), (segments[1:], segments[:-1])]
    pairs = np.concatenate([np.stack([a[a != b], b[a != b]], axis=1) for a, b in sides])
    touching: list[Group] = [set() for _ in range(count)]
    for first, second in np.unique(pairs, axis=0).tolist():
        touching[first].add(second)
        touching[second].add(first)
    return touching


def _grow(
    areas: npt.NDArray[np.float64], neighbours: list[Group], rng: np.random.Generator
) -> Group:
    """Join neighbours to a random segment until a random area is reached."""
    group = {int(rng.integers(len(areas)))}
    wanted = np.exp(rng.uniform(np.log(0.03), np.log(0.45)))
    while (reached := areas[list(group)].sum()) < wanted:
        ring = sorted(set().union(*(neighbours[member] for member in group)) - group)
        fitting = [segment for segment in ring if reached + areas[segment] < 0.55]
        if not fitting:
            break
        group.add(fitting[rng.integers(len(fitting))])
    return group

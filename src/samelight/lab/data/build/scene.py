"""Photos and masks no larger than a composite is to be; read once for all composites of a mask."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from samelight.io.photo import to_uint8
from samelight.lab.pictures import read_fitting_mask, read_picture, unit_range
from samelight.lab.types import Picture, Pixels8
from samelight.types import FloatArray

_REFERENCE_PX = 128
_FEW_COLOURS = 32


class Scene(NamedTuple):
    """A photo and one of its masks; not to be written to."""

    photo: Pixels8
    """(H,W,3)."""
    mask: FloatArray
    """(H,W) in [0,1]."""


# Variants of one mask follow one another: two threads look at two scenes at most.
@lru_cache(maxsize=2)
def read_scene(photo: Path, mask: Path, size_px: int) -> Scene:
    """Read a photo and one of its masks.

    Args:
        photo: its file.
        mask: the mask's.
        size_px: longest side; smaller photos stay as they are.

    Raises:
        PhotoError: when the photo cannot be read.
        MaskError: when the mask cannot be read, or has other proportions than the photo.
    """
    return _read(photo, mask, size_px)


@lru_cache(maxsize=256)
def object_colours(photo: Path, mask: Path) -> FloatArray:
    """Colours of an object, (M,3) in [0,1], from a small copy; of the whole photo if it is tiny."""
    small = _read(photo, mask, _REFERENCE_PX)
    every = small.photo.reshape(-1, 3)
    colours = every[np.flatnonzero(small.mask > 0.5)]
    return unit_range(colours if len(colours) >= _FEW_COLOURS else every)


def _read(photo: Path, mask: Path, size_px: int) -> Scene:
    pixels = read_picture(photo)
    cover = to_uint8(read_fitting_mask(mask, photo, pixels.shape[:2]).coverage)
    return Scene(_shrunk(pixels, size_px), unit_range(_shrunk(cover, size_px)))


def _shrunk(picture: Picture, size_px: int) -> Picture:
    if max(picture.shape[:2]) <= size_px:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((size_px, size_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)

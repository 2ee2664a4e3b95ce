"""Triples read into memory."""

from typing import NamedTuple

import numpy as np

from samelight.errors import DatasetError
from samelight.lab.data.pairs import Pair
from samelight.lab.pictures import read_picture
from samelight.lab.types import Pixels8
from samelight.mask.mask import Mask
from samelight.types import FloatArray


class Triple(NamedTuple):
    """One triple in memory."""

    composite: Pixels8
    """(H,W,3)."""
    mask: FloatArray
    """(H,W) in [0,1]."""
    real: Pixels8
    """(H,W,3)."""


def read_triple(pair: Pair) -> Triple:
    """Read a triple at its full size, 8 bits.

    Raises:
        DatasetError: if its files differ in size.
    """
    composite = read_picture(pair.composite)
    real = read_picture(pair.real)
    mask = Mask.of(pair.mask).as_float()
    sizes = {"composite": composite.shape[:2], "mask": mask.shape, "real": real.shape[:2]}
    if pair.background is not None:
        background = read_picture(pair.background)
        sizes["background"] = background.shape[:2]
    require_one_size(pair, sizes)
    if pair.background is not None:
        composite = paste(composite, mask, background)
    return Triple(composite, mask, real)


def require_one_size(pair: Pair, sizes: dict[str, tuple[int, ...]]) -> None:
    """Refuse a triple whose files differ in (height, width).

    Raises:
        DatasetError: naming the sizes.
    """
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{what} {size}" for what, size in sizes.items())
        raise DatasetError(
            f"{pair.name} has files that differ in size ({listed}; height, width): "
            "wanted one size, fetch the odd one again"
        )


def paste(foreground: Pixels8, mask: FloatArray, background: Pixels8) -> Pixels8:
    """Lay one picture over another through a mask: three (H,W...) -> (H,W,3) uint8, rounded."""
    below = background.astype(np.float32)
    blended: FloatArray = below + mask[..., None] * (foreground - below)
    return np.rint(blended).astype(np.uint8)

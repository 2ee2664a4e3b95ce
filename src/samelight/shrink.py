"""What the network sees: a photo or a mask of any size, small and square."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.io.photo import to_uint8
from samelight.native import KINDS, address, for_each_band, load_kernel
from samelight.types import FloatArray

# Ours: whole blocks are averaged to at least this many times the wanted size before Pillow's
# filter; docs/full-resolution.md has what it changes.
_LEAST_RATIO = 3
_BAND_ROWS = 16


def shrink(values: npt.NDArray[Any], size_px: int) -> FloatArray:
    """Resize as the training data was: Pillow's antialiased bilinear filter, on 8 bits.

    A large picture is first averaged over whole blocks, which is several times faster.

    Args:
        values: (H,W) or (H,W,3): uint8, uint16, or float32 in [0,1].
        size_px: side of the square result.

    Returns:
        (S,S) or (S,S,3) float32 in [0,1].
    """
    height, width = values.shape[:2]
    down, across = (max(1, side // (size_px * _LEAST_RATIO)) for side in (height, width))
    blocks = _average_blocks(np.ascontiguousarray(values), down, across)
    small = Image.fromarray(blocks).resize(
        (size_px, size_px),
        Image.Resampling.BILINEAR,
        box=(0, 0, width / across, height / down),
    )
    unit: FloatArray = np.asarray(small, dtype=np.float32) / np.float32(255)
    return unit


def _average_blocks(values: npt.NDArray[Any], down: int, across: int) -> npt.NDArray[np.uint8]:
    """Average blocks of pixels to 8 bits; the last row and column of blocks may be smaller."""
    if down == across == 1:
        return to_uint8(values)
    height, width = values.shape[:2]
    shape = (-(-height // down), -(-width // across), *values.shape[2:])
    blocks = np.empty(shape, dtype=np.uint8)
    kernel = load_kernel()

    def average_with_pillow(top: int, bottom: int) -> None:
        band = Image.fromarray(to_uint8(values[top * down : bottom * down]))
        blocks[top:bottom] = np.asarray(band.reduce((across, down)))

    def average_compiled(top: int, bottom: int) -> None:
        assert kernel is not None
        bands = int(np.prod(values.shape[2:], dtype=int))
        sums = np.empty(width * bands, dtype=np.uint32)
        geometry = (height, width, bands, down, across, top, bottom)
        kernel.samelight_shrink(
            address(values), KINDS[values.dtype], *geometry, address(blocks), address(sums)
        )

    work = average_with_pillow if kernel is None else average_compiled
    for_each_band(range(shape[0]), _BAND_ROWS, work)
    return blocks

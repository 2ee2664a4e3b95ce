"""What the network sees: a photo or a mask of any size, or a part of it, small and square."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.io.photo import to_uint8
from samelight.render.native import KINDS, address, for_each_band, load_kernel
from samelight.types import Coverage, FloatArray

# Ours: whole blocks are averaged to at least this many times the wanted size before Pillow's
# filter; docs/full-resolution.md has what it changes.
_LEAST_RATIO = 3
_BAND_ROWS = 16


class Window(NamedTuple):
    """A part of a picture, in shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The same in pixels of a picture; never beyond its border, whatever was rounded."""
        right, bottom = min(self.right * width, width), min(self.bottom * height, height)
        return self.left * width, self.top * height, right, bottom


WHOLE = Window(0, 0, 1, 1)


def window_around(mask: Coverage, *, around: float, least: float) -> Window:
    """The part of a photo to be shown to a network that makes one map for the whole object.

    An object that is small in its photo is seen larger, with what surrounds it.

    Args:
        mask: (H,W), 1 = foreground; not empty. What is covered half as much as the rest or less,
            as the haze of a matte or of a JPEG is, does not count.
        around: its width and height, in the object's.
        least: and at least, as a share of the photo's sides.
    """
    (left, right), (top, bottom) = (
        _span_around(mask.max(axis=axis), around, least) for axis in (0, 1)
    )
    return Window(left, top, right, bottom)


def _span_around(coverage: Coverage, around: float, least: float) -> tuple[float, float]:
    """Where the window starts and stops, along one axis, in shares of its length."""
    places = np.flatnonzero(coverage > coverage.max() / 2)
    start, stop = places[0] / len(coverage), (places[-1] + 1) / len(coverage)
    length = min(1.0, max(least, around * (stop - start)))
    # At the photo's border the window moves inwards.
    begin = min(max(0.0, (start + stop - length) / 2), 1 - length)
    return float(begin), float(begin + length)


def resample(values: npt.NDArray[Any], size_px: int, window: Window = WHOLE) -> FloatArray:
    """Resize as the training data was: Pillow's antialiased bilinear filter, on 8 bits.

    A large picture is first averaged over whole blocks, which is several times faster.

    Args:
        values: (H,W) or (H,W,3): uint8, uint16, or float32 in [0,1].
        size_px: side of the square result.
        window: the part that is shown, above 0 wide and high.

    Returns:
        (S,S) or (S,S,3) float32 in [0,1].
    """
    height, width = values.shape[:2]
    left, top, right, bottom = window.box(width, height)
    # Whole rows lie together in memory; columns beside the window are averaged and not used.
    first, last = int(top), math.ceil(bottom)
    down, across = (
        max(1, int(side) // (size_px * _LEAST_RATIO)) for side in (bottom - top, right - left)
    )
    blocks = _average_blocks(np.ascontiguousarray(values[first:last]), down, across)
    small = Image.fromarray(blocks).resize(
        (size_px, size_px),
        Image.Resampling.BILINEAR,
        box=(left / across, (top - first) / down, right / across, (bottom - first) / down),
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
        kernel.samelight_resample(
            address(values), KINDS[values.dtype], *geometry, address(blocks), address(sums)
        )

    work = average_with_pillow if kernel is None else average_compiled
    for_each_band(range(shape[0]), _BAND_ROWS, work)
    return blocks

"""Apply a correction at full size: inside the mask, at any bit depth, and nowhere else.

The work is done by the compiled loop of `kernel.c`, or by `fallback.py` where there is none.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samelight.errors import UsageError
from samelight.mask.box import bounding_box
from samelight.render.fallback import render_tiles
from samelight.render.native import KINDS, address, for_each_band, load_kernel
from samelight.render.taps import Taps, interpolation_taps
from samelight.types import WHITE, Coverage, FloatArray, Pixels

if TYPE_CHECKING:
    from samelight.correction.field import Correction

# Some 400 000 pixels of a 24-megapixel photo: enough to be worth a task, too few to wait for.
_BAND_ROWS = 64


def render(
    pixels: Pixels, mask: Coverage, correction: "Correction", *, in_place: bool = False
) -> Pixels:
    """Recolour the foreground of a photo.

    Args:
        pixels: (H,W,3) RGB in the correction's encoding: uint8, uint16, or float32 in [0,1].
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1; 1 = foreground;
            values between blend before and after.
        correction: what to do with each colour.
        in_place: overwrite `pixels`, which must be contiguous and writable, instead of a copy.

    Returns:
        An array like `pixels`; where the mask is 0, its bytes are the same.

    Raises:
        UsageError: if the shapes or types do not belong together.
    """
    if pixels.dtype not in WHITE or mask.dtype not in WHITE or pixels.shape != (*mask.shape, 3):
        raise UsageError(
            f"cannot render pixels {pixels.shape} {pixels.dtype} with mask {mask.shape} "
            f"{mask.dtype}: wanted (H,W,3) uint8, uint16 or float32 and (H,W)"
        )
    if in_place and not (pixels.flags.c_contiguous and pixels.flags.writeable):
        raise UsageError("to render in place, pixels must be contiguous and writable")
    rows, columns = bounding_box(mask)
    by_white = correction.grid.copy()
    by_white[..., 3] *= WHITE[pixels.dtype]
    if load_kernel() is None:
        rendered = pixels if in_place else np.copy(pixels)
        render_tiles(rendered, mask, by_white, rows, columns)
        return rendered
    return _render_compiled(pixels, mask, by_white, rows, columns, in_place=in_place)


def _render_compiled(
    pixels: Pixels, mask: Coverage, grid: FloatArray, rows: slice, columns: slice, *, in_place: bool
) -> Pixels:
    """Share out bands of rows to the compiled loop.

    Args:
        pixels: (H,W,3).
        mask: (H,W).
        grid: (h,w,3,4) for colours in [0, white].
        rows: where foreground is.
        columns: where foreground is.
        in_place: whether `pixels` is overwritten.
    """
    kernel = load_kernel()
    assert kernel is not None
    source, mask = np.ascontiguousarray(pixels), np.ascontiguousarray(mask)
    target = source if in_place else np.empty_like(source)
    down = _taps_as_c(interpolation_taps(mask.shape[0], grid.shape[0]))
    across = _taps_as_c(interpolation_taps(mask.shape[1], grid.shape[1]))
    white = WHITE[pixels.dtype]

    def render_band(top: int, bottom: int) -> None:
        left, right = (columns.start, columns.stop) if _overlap(rows, top, bottom) else (0, 0)
        row_scratch = np.empty(12 * grid.shape[1], dtype=np.float32)
        kernel.samelight_render(
            *(address(source), address(target), KINDS[pixels.dtype]),
            *(address(mask), KINDS[mask.dtype], mask.shape[1], top, bottom, left, right),
            *(address(grid), grid.shape[1], *map(address, down), *map(address, across)),
            *(white, address(row_scratch)),
        )

    touched = range(rows.start, rows.stop) if in_place else range(mask.shape[0])
    for_each_band(touched, _BAND_ROWS, render_band)
    return target


def _overlap(rows: slice, top: int, bottom: int) -> bool:
    return bool(rows.start < bottom and top < rows.stop)


def _taps_as_c(taps: Taps) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], FloatArray]:
    return taps.near.astype(np.int32), taps.far.astype(np.int32), taps.share

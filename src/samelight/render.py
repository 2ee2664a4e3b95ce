"""Apply a correction at full size: inside the mask, at any bit depth, and nowhere else."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from samelight.correction import Correction
from samelight.errors import UsageError
from samelight.grid import Taps, interpolation_taps
from samelight.types import FloatArray, Pixels

_WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}

# Per pixel: [r,g,b,1], and what two columns of cells make of it. A tile's scratch of 1.3 MB fits
# a core's cache.
_SCRATCH_PLANES = 4 + 2 * 3
_TILE_PIXELS = 32_768
# Beyond four threads the tiles wait for memory, not for arithmetic.
_MAX_THREADS = 4


def render(pixels: Pixels, mask: FloatArray, correction: Correction) -> Pixels:
    """Recolour the foreground of a photo.

    Args:
        pixels: (H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1].
        mask: (H,W) float32 in [0,1], 1 = foreground; values between blend before and after.
        correction: what to do with each colour.

    Returns:
        A new array like `pixels`; where the mask is 0, its bytes are the same.
    """
    if pixels.dtype not in _WHITE or pixels.shape != (*mask.shape, 3):
        raise UsageError(
            f"cannot render pixels {pixels.shape} {pixels.dtype} with mask {mask.shape}: "
            "wanted (H,W,3) uint8, uint16 or float32 and (H,W)"
        )
    rendered = np.copy(pixels)
    rows, columns = _span(np.any(mask, axis=1)), _span(np.any(mask, axis=0))
    coefficients = _coefficients_by_row(correction, mask.shape[0], _WHITE[pixels.dtype])
    taps = interpolation_taps(mask.shape[1], correction.grid.shape[1])
    tiles = list(_tiles(rows, columns, taps))
    threads = min(_MAX_THREADS, os.cpu_count() or 1)

    def render_share(first: int) -> None:
        # Allocated once: the kernel's page faults would cost as much as the arithmetic.
        scratch = np.empty(_SCRATCH_PLANES * _TILE_PIXELS, dtype=np.float32)
        for tile in tiles[first::threads]:
            across = taps.part(tile[1])
            _render_tile(rendered[tile], mask[tile], coefficients[tile[0]], across, scratch)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(render_share, range(threads)))
    return rendered


def _span(occupied: npt.NDArray[np.bool_]) -> slice:
    """Find the shortest slice that holds every True."""
    places = np.flatnonzero(occupied)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)


def _coefficients_by_row(correction: Correction, height: int, white: float) -> FloatArray:
    """Interpolate the grid down the photo: (H,w,3,4), for colours in [0, white]."""
    grid = correction.grid.copy()
    grid[..., 3] *= white
    down = interpolation_taps(height, grid.shape[0])
    near: FloatArray = grid[down.near]
    near += (grid[down.far] - near) * down.share[:, None, None, None]
    return near


def _tiles(rows: slice, columns: slice, taps: Taps) -> Iterator[tuple[slice, slice]]:
    """Cut the span of the foreground so that a tile reads two columns of cells, no more."""
    cells = np.flatnonzero(np.diff(taps.near)) + 1
    widest = np.arange(0, len(taps.near), _TILE_PIXELS)
    cuts = np.union1d(cells, widest)
    inner = cuts[(cuts > columns.start) & (cuts < columns.stop)].tolist()
    edges = [columns.start, *inner, columns.stop]
    for left, right in pairwise(edges):
        step = max(1, _TILE_PIXELS // max(1, right - left))
        for top in range(rows.start, rows.stop, step):
            yield slice(top, min(top + step, rows.stop)), slice(left, right)


def _render_tile(
    pixels: Pixels, mask: FloatArray, by_row: FloatArray, across: Taps, scratch: FloatArray
) -> None:
    """Overwrite one tile of the photo with `x + mask * (clip(A x + b) - x)`.

    Within a tile `A x + b` is linear from one column of cells to the next: it is worked out for
    both and blended, which costs far less than interpolating twelve numbers for every pixel.

    Args:
        pixels: (rows,columns,3), changed in place.
        mask: (rows,columns).
        by_row: (rows,w,3,4) coefficients for colours in [0, white].
        across: where this tile's columns lie between two columns of cells.
        scratch: room for `_SCRATCH_PLANES` values per pixel of the tile.
    """
    foreground = mask > 0
    if not foreground.any():
        return
    rows, columns = mask.shape
    planes = scratch[: _SCRATCH_PLANES * mask.size]
    rgb1 = planes[: 4 * mask.size].reshape(rows, 4, columns)
    both = planes[4 * mask.size :].reshape(rows, 6, columns)
    rgb1[:, :3] = pixels.transpose(0, 2, 1)
    rgb1[:, 3] = 1
    near = by_row[:, across.near[0]]
    slope = by_row[:, across.far[0]] - near
    np.matmul(np.concatenate([near, slope], axis=1), rgb1, out=both)
    before, after, change = rgb1[:, :3], both[:, :3], both[:, 3:]
    after += np.multiply(change, across.share, out=change)
    np.clip(after, 0, _WHITE[pixels.dtype], out=after)
    after -= before
    after *= mask[:, None]
    after += before
    if pixels.dtype != np.float32:
        np.rint(after, out=after)
    for channel in range(3):  # one at a time: numpy would loop over 3 values innermost
        np.copyto(pixels[..., channel], after[:, channel], where=foreground, casting="unsafe")

"""The renderer in numpy, tile by tile: what runs where the compiled loop was not built."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from samelight.render.native import thread_count
from samelight.render.taps import Taps, interpolation_taps
from samelight.types import Coverage, FloatArray, Pixels

# Per pixel: [r,g,b,1], what two columns of cells make of it, and the mask as float. A tile's
# scratch of 1.4 MB fits a core's cache.
_SCRATCH_PLANES = 4 + 2 * 3 + 1
_TILE_PIXELS = 32_768


def render_tiles(
    pixels: Pixels, mask: Coverage, grid: FloatArray, rows: slice, columns: slice
) -> None:
    """Recolour the foreground of a photo, in place.

    Args:
        pixels: (H,W,3) uint8, uint16, or float32 in [0,1]; overwritten.
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
        grid: (h,w,3,4) for colours in [0, white].
        rows: where foreground is.
        columns: where foreground is.
    """
    by_row = _coefficients_by_row(grid, mask.shape[0])
    taps = interpolation_taps(mask.shape[1], grid.shape[1])
    tiles = list(_tiles(rows, columns, taps))
    threads = thread_count()

    def render_share(first: int) -> None:
        # Allocated once: the kernel's page faults would cost as much as the arithmetic.
        scratch = np.empty(_SCRATCH_PLANES * _TILE_PIXELS, dtype=np.float32)
        for tile in tiles[first::threads]:
            across = taps.part(tile[1])
            _render_tile(pixels[tile], mask[tile], by_row[tile[0]], across, scratch)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(render_share, range(threads)))


def _coefficients_by_row(grid: FloatArray, height: int) -> FloatArray:
    """Interpolate the grid down the photo: (H,w,3,4)."""
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
    pixels: Pixels, mask: Coverage, by_row: FloatArray, across: Taps, scratch: FloatArray
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
    both = planes[4 * mask.size : 10 * mask.size].reshape(rows, 6, columns)
    coverage = planes[10 * mask.size :].reshape(rows, columns)
    np.copyto(coverage, mask)
    if mask.dtype != np.float32:
        coverage /= np.iinfo(mask.dtype).max
    white = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    rgb1[:, :3] = pixels.transpose(0, 2, 1)
    rgb1[:, 3] = 1
    near = by_row[:, across.near[0]]
    slope = by_row[:, across.far[0]] - near
    np.matmul(np.concatenate([near, slope], axis=1), rgb1, out=both)
    before, after, change = rgb1[:, :3], both[:, :3], both[:, 3:]
    after += np.multiply(change, across.share, out=change)
    np.clip(after, 0, white, out=after)
    after -= before
    after *= coverage[:, None]
    after += before
    if pixels.dtype != np.float32:
        np.rint(after, out=after)
    for channel in range(3):  # one at a time: numpy would loop over 3 values innermost
        np.copyto(pixels[..., channel], after[:, channel], where=foreground, casting="unsafe")

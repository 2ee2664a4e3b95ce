"""The least-squares fit of a grid of affine maps to two small pictures."""

import numpy as np
import numpy.typing as npt

from samelight.mask.box import bounding_box
from samelight.types import FloatArray

_IDENTITY = np.eye(3, 4)

# Ours: docs/full-resolution.md's table, as for the number of cells.
_WINDOW_CELLS = 0.7
_RIDGE_LOCAL = 1e-3
# Against a ridge a thousand times as large, what a cell sees less of than this, as a share of what
# the best placed sees, does not matter.
_LEAST_SEEN = 1e-6
# Ours: just enough to settle what a foreground of one colour leaves open.
_RIDGE_GLOBAL = 1e-4


def fit_grid(
    source: FloatArray, target: FloatArray, mask: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """Fit an affine map in a Gaussian window around every cell.

    Args:
        source: (H,W,3) in [0,1], before.
        target: (H,W,3) in [0,1], after.
        mask: (H,W) in [0,1], how much each pixel counts; not empty.
        shape: cells down and across.

    Returns:
        (h,w,3,4).
    """
    total_weight = float(np.square(mask, dtype=np.float64).sum())
    box = bounding_box(mask)
    moments = _moments(source[box], target[box], mask[box])
    overall = moments.sum(axis=(0, 1)) / total_weight
    global_affine = _ridge_solve(overall, _IDENTITY, _RIDGE_GLOBAL)
    # Cells that see no foreground follow the whole foreground's map.
    grid = np.tile(global_affine.astype(np.float32), (*shape, 1, 1))
    cells, local = _pool(moments, box, mask.shape, shape)
    grid[cells] = _ridge_solve(local, global_affine, _RIDGE_LOCAL)
    return grid


def pooling_matrix(pixels: int, cells: int, sigma_cells: float) -> npt.NDArray[np.float64]:
    """Build the weighted mean of one axis around every cell: `means = matrix @ values_at_pixels`.

    Args:
        pixels: length of the fine axis.
        cells: length of the coarse axis.
        sigma_cells: width of the Gaussian window, in cells, above 0.

    Returns:
        (cells,pixels), rows summing to 1.
    """
    pixel_centre = (np.arange(pixels) + 0.5) * (cells / pixels) - 0.5
    distance = pixel_centre[None, :] - np.arange(cells)[:, None]
    window: npt.NDArray[np.float64] = np.exp(-0.5 * (distance / sigma_cells) ** 2)
    window /= window.sum(axis=1, keepdims=True)
    return window


def _moments(source: FloatArray, target: FloatArray, mask: FloatArray) -> npt.NDArray[np.float64]:
    """Multiply out what a least-squares fit sums, per pixel.

    Rendering blends by the mask m: `target = x + m (T(x) - x)`. So a pixel's squared error is
    `m² (T(x) - x - (target - x) / m)²`, and its weight m².

    Returns:
        (H,W,7,4): the weighted rows `x xᵀ` (4) and `y xᵀ` (3), with x = [r,g,b,1].
    """
    weight = mask.astype(np.float64)[..., None]
    x = np.concatenate([source, np.ones_like(source[..., :1])], axis=-1, dtype=np.float64)
    x *= weight
    # Weighted by m once, and meeting another x that is: together m².
    y = x[..., :3] + (target - source)
    return np.concatenate([x, y], axis=-1)[..., :, None] * x[..., None, :]


def _pool(
    moments: npt.NDArray[np.float64],
    box: tuple[slice, slice],
    size: tuple[int, int],
    shape: tuple[int, int],
) -> tuple[tuple[slice, slice], npt.NDArray[np.float64]]:
    """Average the moments in a Gaussian window around every cell that sees any of them.

    Returns:
        The block of cells, and the (h,w,7,4) averages there.
    """
    height, width = moments.shape[:2]
    down, across = (
        pooling_matrix(pixels, cells, _WINDOW_CELLS)[:, span]
        for pixels, cells, span in zip(size, shape, box, strict=True)
    )
    cells = (_seeing(down), _seeing(across))
    down, across = down[cells[0]], across[cells[1]]
    rows = down @ moments.reshape(height, -1)
    pooled = across @ rows.reshape(len(down), width, -1)
    return cells, pooled.reshape(len(down), len(across), 7, 4)


def _seeing(windows: npt.NDArray[np.float64]) -> slice:
    """Find the cells of one axis whose window is not far from all pixels; (cells,pixels)."""
    seen = windows.sum(axis=1)
    seeing = np.flatnonzero(seen > _LEAST_SEEN * seen.max())
    return slice(int(seeing[0]), int(seeing[-1]) + 1)


def _ridge_solve(
    moments: npt.NDArray[np.float64], prior: npt.NDArray[np.float64], ridge: float
) -> npt.NDArray[np.float64]:
    """Solve for the affine map nearest to the data and, where data is thin, to the prior.

    Args:
        moments: (...,7,4), averaged so that a full window has weight 1.
        prior: (3,4).
        ridge: weight of the prior against a full window.

    Returns:
        (...,3,4).
    """
    pull = ridge * np.eye(4)
    xx = moments[..., :4, :] + pull
    yx = moments[..., 4:, :] + prior @ pull
    affine: npt.NDArray[np.float64] = np.linalg.solve(xx, yx.swapaxes(-1, -2)).swapaxes(-1, -2)
    return affine

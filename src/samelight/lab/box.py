"""Means over square windows, at a cost that does not depend on their size."""

from typing import Any

import numpy as np
import numpy.typing as npt


def box_mean(values: npt.NDArray[Any], radius: int) -> npt.NDArray[np.float64]:
    """Average over the (2r+1)^2 window around every pixel; borders are mirrored.

    Args:
        values: (H,W) or (H,W,C), any size from 1 x 1.
        radius: r, at least 1.

    Returns:
        The same shape, float64.
    """
    edges = [(radius + 1, radius)] * 2 + [(0, 0)] * (values.ndim - 2)
    # One more row and column in front: a window's sum is a difference of two running sums.
    sums = np.pad(values.astype(np.float64), edges, mode="symmetric")
    side = 2 * radius + 1
    for axis in (0, 1):
        np.cumsum(sums, axis=axis, out=sums)
        sums = np.moveaxis(sums, axis, 0)
        sums = np.moveaxis(sums[side:] - sums[:-side], 0, axis)
    return sums / side**2

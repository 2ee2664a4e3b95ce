"""One image axis, between its pixels and the cells of a coarse grid.

Samples lie at cell centres, as in half-pixel ("align_corners=False") resizing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samelight.types import FloatArray


@dataclass(frozen=True, eq=False)
class Taps:
    """Where each pixel of an axis reads a grid: `(1 - share) * grid[near] + share * grid[far]`."""

    near: npt.NDArray[np.intp]
    far: npt.NDArray[np.intp]
    share: FloatArray

    def part(self, pixels: slice) -> "Taps":
        """Keep the taps of some of the pixels."""
        return Taps(self.near[pixels], self.far[pixels], self.share[pixels])


def interpolation_taps(pixels: int, cells: int) -> Taps:
    """Place the pixels of one axis between the cells of a grid, for linear interpolation.

    Args:
        pixels: length of the fine axis.
        cells: length of the coarse axis.

    Returns:
        Three arrays of (pixels,); `near` never decreases, `share` lies in [0,1].
    """
    centre = ((np.arange(pixels) + 0.5) * (cells / pixels) - 0.5).clip(0, cells - 1)
    near = centre.astype(np.intp)
    return Taps(near, np.minimum(near + 1, cells - 1), (centre - near).astype(np.float32))

"""The bounding box of a foreground."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Box: TypeAlias = tuple[slice, slice]
"""Rows and columns of a picture."""


def bounding_box(mask: npt.NDArray[Any], margin: int = 0) -> Box:
    """Find the rows and the columns that hold all of a mask's foreground.

    Args:
        mask: (H,W) of any type, foreground above 0.
        margin: so many pixels more on every side, as far as the picture goes.

    Returns:
        The shortest slices; both are empty for an empty mask.
    """
    return _span(mask, 1, margin), _span(mask, 0, margin)


def _span(mask: npt.NDArray[Any], axis: int, margin: int) -> slice:
    # The largest value is found many times as fast as any non-zero one.
    places = np.flatnonzero(mask.max(axis=axis, initial=0))
    if not places.size:
        return slice(0, 0)
    length = mask.shape[1 - axis]
    return slice(max(0, int(places[0]) - margin), min(length, int(places[-1]) + 1 + margin))

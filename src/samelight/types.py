"""Types that the core's signatures share."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from samelight.errors import UsageError
from samelight.limits import MAX_STRENGTH

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""Colours or coverages in [0,1] unless the docstring says otherwise."""

Pixels: TypeAlias = npt.NDArray[Any]
"""(H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1]."""

Coverage: TypeAlias = npt.NDArray[Any]
"""(H,W) mask, 1 = foreground: float32 in [0,1], or uint8 or uint16 whose maximum means 1."""


class Note(NamedTuple):
    """Something that was converted, dropped or is doubtful, for the user."""

    kind: str
    """What it is about, for programs: "mask-binary", "photo-gray" and so on."""
    text: str
    """One line for people."""


WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}
"""The largest value of each type of pixels and masks."""


def require_strength(strength: float) -> None:
    """Refuse a strength that is no number, or outside 0 to 1.5.

    Args:
        strength: 0 = nothing, 1 = the whole correction.

    Raises:
        UsageError: naming the range.
    """
    if not 0 <= strength <= MAX_STRENGTH:
        raise UsageError(f"strength is {strength}: choose a number from 0 to {MAX_STRENGTH}")


def as_float(coverage: Coverage) -> FloatArray:
    """Bring coverage of any accepted depth to [0,1].

    Args:
        coverage: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
    """
    if coverage.dtype == np.float32:
        return coverage
    scaled: FloatArray = coverage.astype(np.float32)
    scaled /= WHITE[coverage.dtype]
    return scaled

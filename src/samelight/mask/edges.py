"""Edges of masks: pulled in and made soft, never outwards, so that the background stays exact."""

import numpy as np
import numpy.typing as npt
import pyvips

from samelight.errors import UsageError
from samelight.limits import MAX_EDGE_PX
from samelight.mask.box import bounding_box
from samelight.types import Coverage, FloatArray, as_float


def erode_coverage(mask: Coverage, width_px: int) -> Coverage:
    """Pull the foreground's edge in by some pixels, as a round brush would erase it.

    Where the foreground is cut by the photo's border it stays.

    Args:
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1; 1 = foreground.
        width_px: how far, 0 to 200.

    Returns:
        A mask of the same type, nowhere above `mask`.

    Raises:
        UsageError: if the width is out of range.
    """
    require_width("erode", width_px)
    box = bounding_box(mask, width_px)
    if width_px == 0 or not mask[box].size:
        return mask
    eroded = np.zeros_like(mask)
    eroded[box] = _disc_minimum(mask[box], width_px)
    return eroded


def feather_coverage(mask: Coverage, width_px: float) -> Coverage:
    """Let the foreground fade in over some pixels inside its edge.

    Args:
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1; 1 = foreground.
        width_px: over how many, 0 to 200.

    Returns:
        (H,W) float32 in [0,1], nowhere above `mask`.

    Raises:
        UsageError: if the width is out of range.
    """
    require_width("feather", width_px)
    box = bounding_box(mask, round(2 * width_px))
    if width_px == 0 or not mask[box].size:
        return mask
    inner = as_float(mask[box])
    image = pyvips.Image.new_from_array(inner)
    # A straight edge is blurred to 0.5 where it lies and to 0.98 two sigmas further in.
    blurred = image.gaussblur(width_px / 2, precision="float").numpy()
    feathered = np.zeros(mask.shape, dtype=np.float32)
    feathered[box] = inner * (2 * blurred - 1).clip(0, 1)
    return feathered


def require_width(name: str, width_px: float) -> None:
    """Refuse a width that is no number, or out of range.

    Args:
        name: of the option, for the message.
        width_px: what was asked for.

    Raises:
        UsageError: naming the range.
    """
    if not 0 <= width_px <= MAX_EDGE_PX:
        raise UsageError(f"{name} is {width_px} px: choose a number from 0 to {MAX_EDGE_PX}")


def _disc_minimum(values: Coverage, radius: int) -> Coverage:
    """Take the smallest value within a radius of each pixel, the border's repeated outwards."""
    padded = np.pad(values, radius, mode="edge")
    height, width = values.shape
    smallest: Coverage = values.copy()
    for dy in range(-radius, radius + 1):
        reach = int(np.sqrt(radius**2 - dy**2))
        rows = padded[radius + dy : radius + dy + height]
        rows = rows[:, radius - reach : radius + reach + width]
        np.minimum(smallest, _row_minimum(rows, 2 * reach + 1), out=smallest)
    return smallest


def _row_minimum(values: Coverage, window: int) -> Coverage:
    """Take the smallest of every `window` neighbours in a row; (H,W) -> (H,W-window+1)."""
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        values = np.asarray(np.minimum(values[:, :-step], values[:, step:]))
        covered += step
    return values


def edge_band(mask: Coverage, trusted: FloatArray) -> npt.NDArray[np.bool_]:
    """Find the foreground that a eroded and feathered mask no longer wholly covers.

    Args:
        mask: (H,W), foreground above 0.
        trusted: (H,W) in [0,1], of the same foreground, smaller.
    """
    return np.asarray((mask > 0) & (trusted < 1))

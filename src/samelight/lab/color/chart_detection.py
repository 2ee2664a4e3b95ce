"""The one file that touches colour-checker-detection, an optional package."""

import numpy as np
import numpy.typing as npt
from colour_checker_detection import detect_colour_checkers_segmentation

from samelight.lab.types import Pixels8


def swatches(photo: Pixels8) -> npt.NDArray[np.float64] | None:
    """Find the first 24-patch chart of a photo.

    Args:
        photo: (H,W,3).

    Returns:
        (24,3) sRGB-encoded, [0,1], from dark skin to black; None if there is no chart.
    """
    found = detect_colour_checkers_segmentation(photo.astype(np.float32) / np.float32(255))
    return np.asarray(found[0], dtype=np.float64) if len(found) else None

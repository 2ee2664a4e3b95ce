"""Before, after and mask on one sheet, to look at."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.io.photo import Photo, to_uint8
from samelight.types import Coverage

_LONG_SIDE_PX = 1024
_GAP_PX = 12
_WHITE = 255


def side_by_side(before: Photo, after: Photo, mask: Coverage) -> Photo:
    """Lay out before | after | mask, each at most 1024 px on its long side.

    Args:
        before: as it came.
        after: the same size, harmonized.
        mask: (H,W) of any accepted depth, 1 = foreground.

    Returns:
        An 8-bit photo without metadata but for the colour profile.
    """
    tiles = [_tile(values) for values in (before.pixels, after.pixels, mask)]
    gap = np.full((tiles[0].shape[0], _GAP_PX, 3), _WHITE, dtype=np.uint8)
    sheet = np.hstack([tiles[0], gap, tiles[1], gap, tiles[2]])
    return Photo(sheet, icc=before.icc)


def _tile(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    image = Image.fromarray(to_uint8(values)).convert("RGB")
    image.thumbnail((_LONG_SIDE_PX, _LONG_SIDE_PX))
    return np.asarray(image)

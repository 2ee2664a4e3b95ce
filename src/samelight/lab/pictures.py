"""Pictures on disk as the lab takes them: upright, at 8 bits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samelight.errors import PhotoError
from samelight.io.decode import open_picture, orientation
from samelight.io.metadata.exif import QUARTER_TURNS
from samelight.io.photo import read_photo, to_uint8
from samelight.lab.types import Picture, Pixels8
from samelight.mask.mask import Mask
from samelight.types import FloatArray

PICTURE_SUFFIXES = (".jpg", ".png", ".jpeg", ".webp", ".tif", ".tiff")


def is_visible(path: Path, suffixes: Sequence[str] = PICTURE_SUFFIXES) -> bool:
    """Whether a file is of one of some kinds, and not hidden.

    macOS leaves a hidden `._a.jpg` that is no picture beside each a.jpg on other systems' disks.
    """
    return path.suffix.lower() in suffixes and not path.name.startswith(".")


def list_pictures(folder: Path) -> list[Path]:
    """List a folder's pictures by name; none where there is no folder."""
    return [p for p in sorted(folder.iterdir()) if is_visible(p)] if folder.is_dir() else []


def read_picture(path: Path) -> Pixels8:
    """Read a photo, (H,W,3).

    Raises:
        PhotoError: when it cannot be read.
    """
    return to_uint8(read_photo(path).pixels)


def picture_shape(path: Path) -> tuple[int, int]:
    """Find a photo's height and width, upright, without decoding it.

    Raises:
        PhotoError: when it is no picture.
    """
    image = open_picture(path, PhotoError).image
    is_turned = orientation(image) in QUARTER_TURNS
    return (image.width, image.height) if is_turned else (image.height, image.width)


def read_mask_picture(path: Path) -> Picture:
    """Read a mask, (H,W), 255 = foreground.

    Raises:
        MaskError: when it cannot be read, or is no mask.
    """
    return to_uint8(Mask.of(path).coverage)


def unit_range(picture: Picture) -> FloatArray:
    """Bring 0-255 to float32 in [0,1]."""
    scaled: FloatArray = picture.astype(np.float32) / np.float32(255)
    return scaled

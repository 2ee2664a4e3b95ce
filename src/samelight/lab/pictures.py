"""Pictures on disk as the lab takes them: upright, at 8 bits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from samelight.errors import MaskError, PhotoError
from samelight.io.decode import open_picture, orientation
from samelight.io.metadata.exif import QUARTER_TURNS
from samelight.io.photo import read_photo, to_uint8
from samelight.lab.types import Picture, Pixels8
from samelight.mask.mask import Mask
from samelight.render.resample import Window
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


def read_fitting_mask(path: Path, photo: Path, shape: tuple[int, int]) -> Mask:
    """Read a mask and make it as large as its photo.

    Args:
        path: of the mask.
        photo: whose it is.
        shape: the photo's height and width.

    Raises:
        MaskError: when it cannot be read, or has other proportions: it names both files and sizes.
    """
    mask = Mask.of(path)
    try:
        return mask.resized(shape)
    except MaskError as error:
        raise MaskError(
            f"{path} is {mask.shape[1]} x {mask.shape[0]} pixels and its photo {photo} "
            f"{shape[1]} x {shape[0]}: wanted a mask of the photo's proportions"
        ) from error


def cut_out(picture: Picture, window: Window, size_px: int) -> Picture:
    """Cut a window out of a picture (H,W) or (H,W,3) and make it a square of a given side."""
    box = window.box(picture.shape[1], picture.shape[0])
    image = Image.fromarray(picture)
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BILINEAR, box=box))


def unit_range(picture: Picture) -> FloatArray:
    """Bring 0-255 to float32 in [0,1]."""
    scaled: FloatArray = picture.astype(np.float32) / np.float32(255)
    return scaled

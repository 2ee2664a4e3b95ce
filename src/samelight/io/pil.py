"""Between Pillow's pictures, numpy's arrays and photos."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.errors import PhotoError
from samelight.io.photo import Photo, to_uint8


def photo_of_array(image: npt.NDArray[Any]) -> Photo:
    """Take an array for a photo.

    Args:
        image: (H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1].

    Raises:
        PhotoError: for anything else.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise PhotoError(f"the image is an array of shape {image.shape}: wanted (H,W,3)")
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise PhotoError(f"the image holds {image.dtype}: wanted uint8, uint16 or float32")
    if image.dtype == np.float32 and not (image.min() >= 0 and image.max() <= 1):
        raise PhotoError("the image holds floats outside [0,1]: divide by its white value")
    return Photo(image)


def photo_of_pil(image: Image.Image) -> Photo:
    """Take a PIL image for a photo, as it lies in memory.

    Args:
        image: of any mode that Pillow converts to RGB.
    """
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    values = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    icc = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    return Photo(values[..., :3], values[..., 3] if has_alpha else None, icc=icc)


def pil_of_photo(photo: Photo, info: Mapping[Any, Any]) -> Image.Image:
    """Make a PIL image of 8 bits from a photo.

    Args:
        photo: whose pixels and alpha it gets.
        info: of the image that the photo was made from: its profile, EXIF, XMP and resolution are
            carried over.
    """
    values = to_uint8(photo.pixels)
    if photo.alpha is not None:
        values = np.dstack([values, to_uint8(photo.alpha)])
    image = Image.fromarray(values)
    carried = ("icc_profile", "exif", "xmp", "dpi")
    image.info |= {key: info[key] for key in carried if info.get(key) is not None}
    return image

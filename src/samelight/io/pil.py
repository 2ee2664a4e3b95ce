"""Between Pillow's pictures, numpy's arrays and photos."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips
from PIL import Image

from samelight.color.code_points import profile_of_gamma
from samelight.errors import PhotoError
from samelight.io.photo import Photo, to_uint8
from samelight.io.rgb import to_rgb

# What libvips calls a mode's pixels; its values are the same, so that one conversion serves both.
_INTERPRETATIONS = {"L": "b-w", "LA": "b-w", "I;16": "grey16", "CMYK": "cmyk"}
_INTERPRETATIONS |= {"RGB": "srgb", "RGBA": "srgb"}
# Other ways to write the same pixels: Pillow converts them without loss.
_SAME_AS = {"1": "L", "La": "LA", "RGBX": "RGB", "RGBa": "RGBA", "PA": "RGBA"}
_SAME_AS |= {"YCbCr": "RGB", "HSV": "RGB"}
_SCALE = "scale it to 16 bits (I;16), or to an array of float32 in [0,1]"
_WAYS_OUT = {"I": _SCALE, "F": _SCALE, "LAB": "convert it to RGB with PIL.ImageCms"}


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
        if not np.isfinite(image).all():
            raise PhotoError("the image holds values that are no numbers: replace NaN and infinity")
        raise PhotoError("the image holds floats outside [0,1]: divide by its white value")
    return Photo(image)


def photo_of_pil(image: Image.Image) -> Photo:
    """Take a PIL image for a photo, as it lies in memory.

    Args:
        image: RGB, gray, palette or CMYK of 8 bits, or gray of 16. It is converted as a file of
            the same pixels and profile would be.

    Raises:
        PhotoError: for a mode that is not converted: I, F and LAB.
    """
    mode = _plain_mode(image)
    if mode == "I;16":
        # Pillow converts other byte orders to white.
        values = np.asarray(image).astype(np.uint16)
    else:
        values = np.asarray(image if image.mode == mode else image.convert(mode))
    bands = pyvips.Image.new_from_array(values).copy(interpretation=_INTERPRETATIONS[mode])
    if image.mode in ("P", "PA"):
        bands.set_type(pyvips.GValue.gint_type, "palette", 1)
    icc = image.info.get("icc_profile")
    if icc is None:
        icc = profile_of_gamma(image.info.get("gamma"), image.info.get("chromaticity"))
    rgb = to_rgb(bands, icc, "the image")
    converted = rgb.convert(bands)
    pixels = converted.numpy().reshape(image.height, image.width, converted.bands)
    alpha = pixels[..., 3] if converted.bands == 4 else None
    return Photo(pixels[..., :3], alpha, rgb.icc, notes=rgb.notes)


def pil_of_photo(photo: Photo, info: Mapping[Any, Any]) -> Image.Image:
    """Make a PIL image of 8 bits from a photo.

    Args:
        photo: whose pixels, alpha and colour profile it gets.
        info: of the image that the photo was made from: its EXIF, XMP and resolution are carried
            over.
    """
    values = to_uint8(photo.pixels)
    if photo.alpha is not None:
        values = np.dstack([values, to_uint8(photo.alpha)])
    image = Image.fromarray(values)
    carried = ("exif", "xmp", "dpi")
    image.info |= {key: info[key] for key in carried if info.get(key) is not None}
    if photo.icc is not None:
        image.info["icc_profile"] = photo.icc
    return image


def _plain_mode(image: Image.Image) -> str:
    """Find the mode, known to libvips too, to which a picture is brought.

    Raises:
        PhotoError: if there is none.
    """
    mode = "I;16" if image.mode.startswith("I;16") else _SAME_AS.get(image.mode, image.mode)
    if image.mode in ("P", "1", "L", "RGB") and image.has_transparency_data:
        mode = "LA" if image.mode in ("1", "L") else "RGBA"
    elif image.mode == "P":
        mode = "RGB"
    if mode not in _INTERPRETATIONS:
        way_out = _WAYS_OUT.get(mode, "convert it to RGB")
        raise PhotoError(f"the image is of mode {mode}, which is not taken: {way_out}")
    return mode

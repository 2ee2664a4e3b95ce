"""Between a photo's own colour profile and sRGB, for the small picture the network sees."""

import numpy as np
import pyvips

from samelight.types import FloatArray

_WHITE = 65535
# ICC.1:2022, header: the size is the four bytes at 0, the data colour space those at 16.
_SPACE = slice(16, 20)


def usable_profile(icc: bytes | None) -> bytes | None:
    """Keep a profile that describes RGB values and can be read; None stands for sRGB.

    Args:
        icc: the profile of a photo, if it has one.
    """
    if icc is None or icc[_SPACE] != b"RGB " or int.from_bytes(icc[:4], "big") > len(icc):
        return None
    try:
        to_srgb(np.zeros((1, 1, 3), np.float32), icc)
    except pyvips.Error:
        return None
    return icc


def to_srgb(rgb: FloatArray, icc: bytes) -> FloatArray:
    """Convert a small picture from its profile to sRGB.

    Args:
        rgb: (H,W,3) encoded in the profile's space, [0,1].
        icc: an RGB profile.

    Returns:
        (H,W,3) sRGB-encoded, [0,1]; colours that sRGB cannot show are clipped.
    """
    image = _as_vips(rgb)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return _as_array(image.icc_transform("srgb", embedded=True, depth=16, intent="relative"))


def from_srgb(rgb: FloatArray, icc: bytes) -> FloatArray:
    """Convert a small picture from sRGB to a profile.

    Args:
        rgb: (H,W,3) sRGB-encoded, [0,1].
        icc: an RGB profile.

    Returns:
        (H,W,3) encoded in the profile's space, [0,1].
    """
    image = _as_vips(rgb).icc_import(input_profile="srgb", intent="relative").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return _as_array(image.icc_export(depth=16, intent="relative"))


def _as_vips(rgb: FloatArray) -> pyvips.Image:
    values = np.rint(rgb.clip(0, 1) * _WHITE).astype(np.uint16)
    return pyvips.Image.new_from_array(values).copy(interpretation="rgb16")


def _as_array(image: pyvips.Image) -> FloatArray:
    values: FloatArray = image.numpy().astype(np.float32)
    values /= _WHITE
    return values

"""The one tag that moves pixels: orientation, in EXIF and in XMP."""

import re
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

_PREFIX = b"Exif\x00\x00"
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
# An attribute or an element of the XMP packet, as Adobe's XMP specification part 2 allows both.
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>\s*))[2-8](?=[\"'\s<])")


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn a picture the way its EXIF orientation asks for.

    Args:
        pixels: (H,W) or (H,W,C), as stored.
        orientation: 1 to 8; anything else is taken as 1, as viewers do.

    Returns:
        A contiguous array, height and width swapped for 5 to 8.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def with_orientation_reset(exif: bytes) -> bytes:
    r"""Set the orientation tag to 1 ("as stored") and leave every other byte alone.

    Args:
        exif: a TIFF structure, with or without the JPEG prefix `Exif\0\0`.

    Returns:
        The same block; unchanged if it holds no such tag or cannot be read.
    """
    start = len(_PREFIX) if exif.startswith(_PREFIX) else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None:
        return exif
    patched = bytearray(exif)
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, start + 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start + directory)
        for index in range(count):
            entry = start + directory + 2 + index * _ENTRY_BYTES
            tag, kind = struct.unpack_from(f"{order}HH", exif, entry)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                struct.pack_into(f"{order}H", patched, entry + 8, 1)
    except struct.error:
        return exif
    return bytes(patched)


def with_xmp_orientation_reset(xmp: bytes) -> bytes:
    """Set an XMP packet's orientation to 1 and leave every other byte alone.

    Args:
        xmp: the packet.
    """
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)

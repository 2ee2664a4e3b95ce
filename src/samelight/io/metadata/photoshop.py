"""Photoshop's image resources (Adobe Photoshop file formats), in which JPEG and TIFF hold IPTC."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from samelight.io.metadata.iptc import trimmed

PREFIX = b"Photoshop 3.0\0"
"""What stands before image resources in JPEG."""

_SIGNATURE, _IPTC = b"8BIM", 0x0404
_PATHS = range(2000, 2999)
# What shows the photo as it was, or says again what is carried otherwise: thumbnails, colour
# profile, EXIF, XMP, IPTC and its checksum.
_LEFT_OUT = {1033, 1036, 1039, 1058, 1059, 1060, 1061, _IPTC}


class _Resource(NamedTuple):
    number: int
    data: bytes
    block: bytes
    """All of it, from its signature to its padding."""


def iptc_of(resources: bytes) -> bytes | None:
    """Find IPTC data sets among image resources.

    Args:
        resources: without what stands before them in JPEG.
    """
    found = (one.data for one in _resources(resources) if one.number == _IPTC)
    return trimmed(next(found, b""))


def others_of(resources: bytes) -> bytes | None:
    """Keep of image resources what nothing else carries: clipping paths, settings for print.

    Args:
        resources: without what stands before them in JPEG.
    """
    kept = (one.block for one in _resources(resources) if one.number not in _LEFT_OUT)
    return b"".join(kept) or None


def has_paths(resources: bytes) -> bool:
    """Whether there are clipping paths, which many a shop's photo has."""
    return any(one.number in _PATHS for one in _resources(resources))


def without_paths(resources: bytes) -> bytes | None:
    """Leave out clipping paths, which do not fit a photo that is turned."""
    kept = (one.block for one in _resources(resources) if one.number not in _PATHS)
    return b"".join(kept) or None


def resource_of_iptc(iptc: bytes) -> bytes:
    """Wrap IPTC data sets as an image resource."""
    head = _SIGNATURE + struct.pack(">HHI", _IPTC, 0, len(iptc))
    return head + iptc + b"\0" * (len(iptc) % 2)


def _resources(data: bytes) -> Iterator[_Resource]:
    """Go through image resources, the last one cut off where the data ends."""
    place = 0
    while data[place : place + 4] == _SIGNATURE and place + 7 <= len(data):
        # Number, name padded to an even length, size, data padded likewise.
        number = int.from_bytes(data[place + 4 : place + 6], "big")
        name_bytes = 1 + data[place + 6]
        start = place + 6 + name_bytes + name_bytes % 2 + 4
        size = int.from_bytes(data[start - 4 : start], "big")
        stop = start + size + size % 2
        yield _Resource(number, data[start : start + size], data[place:stop])
        place = stop

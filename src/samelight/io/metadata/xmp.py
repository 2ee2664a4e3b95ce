"""What has to change in an XMP packet when its photo is turned and data behind it are left."""

import re

# An attribute or an element, as Adobe's XMP specification part 1 allows both.
_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>\s*))[2-8](?=[\"'\s<])")
# Adobe's gain map (hdrgm), Google's containers of further pictures and films, and the pointer to a
# packet's continuation: all of them speak of bytes that are not carried.
_ATTRIBUTE = re.compile(
    rb"\s(?:hdrgm:\w+|GCamera:(?:Micro|Motion)\w+|xmpNote:HasExtendedXMP)"
    rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')"
)
_ELEMENT = re.compile(
    rb"<(hdrgm:\w+|GCamera:(?:Micro|Motion)\w+|(?:G?Container):Directory|xmpNote:HasExtendedXMP)"
    rb"(?:\s[^>]*)?(?:/>|>.*?</\1\s*>)",
    re.DOTALL,
)


def upright_xmp(xmp: bytes) -> bytes:
    """Set a packet's orientation to 1 and leave every other byte alone.

    Args:
        xmp: the packet of a photo that was turned.
    """
    return _ORIENTATION.sub(rb"\g<1>1", xmp)


def has_gain_map(xmp: bytes) -> bool:
    """Whether a packet says that an HDR gain map follows its picture."""
    return b"hdrgm:" in xmp or b"HDRGainMap:" in xmp


def without_appended(xmp: bytes) -> bytes:
    """Take out what a packet says of gain maps, films and other data behind the picture.

    Args:
        xmp: the packet.

    Returns:
        The packet; the same if it says nothing of the kind.
    """
    return _ELEMENT.sub(b"", _ATTRIBUTE.sub(b"", xmp))

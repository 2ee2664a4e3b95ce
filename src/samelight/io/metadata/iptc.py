"""IPTC-IIM data sets, which JPEG wraps in Photoshop's image resources and TIFF in a tag."""

import struct

PHOTOSHOP = b"Photoshop 3.0\0"
"""What stands before image resources in JPEG."""

# IPTC-IIM 4.2 section 1: each data set begins with it. Sizes above 32767 are said otherwise.
_SET, _EXTENDED = 0x1C, 0x8000
# Photoshop's image resource of IPTC.
_SIGNATURE, _IPTC = b"8BIM", 0x0404


def trimmed(data: bytes) -> bytes | None:
    """Cut data sets off where they end: TIFF pads them to words.

    Args:
        data: what is said to be data sets; turned in words if a TIFF of other byte order held them.

    Returns:
        The data sets that are whole; None if there are none.
    """
    if data[:1] != b"\x1c" and data[3:4] == b"\x1c":
        data = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
    end = 0
    while end + 5 <= len(data) and data[end] == _SET:
        (size,) = struct.unpack_from(">H", data, end + 3)
        if size & _EXTENDED:
            length = size & ~_EXTENDED
            size = length + int.from_bytes(data[end + 5 : end + 5 + length], "big")
        if end + 5 + size > len(data):
            break
        end += 5 + size
    return data[:end] or None


def of_resources(resources: bytes) -> bytes | None:
    """Find the data sets among image resources.

    Args:
        resources: 8BIM blocks, without what stands before them in JPEG.
    """
    place = 0
    while resources[place : place + 4] == _SIGNATURE:
        # Number, name padded to an even length, size, data padded likewise.
        number = int.from_bytes(resources[place + 4 : place + 6], "big")
        name_bytes = 1 + resources[place + 6] if place + 6 < len(resources) else 1
        size_at = place + 6 + name_bytes + name_bytes % 2
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        if number == _IPTC:
            return trimmed(resources[size_at + 4 : size_at + 4 + size])
        place = size_at + 4 + size + size % 2
    return None


def to_resources(iptc: bytes) -> bytes:
    """Wrap data sets as one image resource.

    Args:
        iptc: the data sets.
    """
    head = _SIGNATURE + struct.pack(">HHI", _IPTC, 0, len(iptc))
    return head + iptc + b"\0" * (len(iptc) % 2)

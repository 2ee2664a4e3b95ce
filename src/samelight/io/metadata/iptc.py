"""IPTC-IIM data sets."""

import struct

# IPTC-IIM 4.2 section 1: each data set begins with it. Sizes above 32767 are said otherwise.
_SET, _EXTENDED = 0x1C, 0x8000


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

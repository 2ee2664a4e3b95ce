"""EXIF in TIFF files, which libvips neither reads nor writes: a TIFF's own tags are its EXIF.

An EXIF block is itself a small TIFF, so both directions copy directories from one to the other.
"""

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

_CLASSIC = 42
_ENTRY = 12
# TIFF 6.0 section 2 and EXIF 2.3: bytes of a value of each type, and of the unit that byte order
# turns around; 13 is an offset.
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_UNIT_BYTES = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
_LONG = 4
# EXIF, GPS and interoperability directories.
_SUBDIRECTORIES = (34665, 34853, 40965)
# Tags of a TIFF that describe the photo and not how its pixels are stored: description, make,
# model, software, date, artist, computer, rating, copyright, Windows' titles.
_DESCRIPTIVE = {270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096)}
_DESCRIPTIVE |= {34665, 34853}
# A directory of more bytes than this describes no photo.
_MOST_BYTES = 16 << 20


class _Tag(NamedTuple):
    kind: int
    number: int
    value: "bytes | dict[int, _Tag]"


def read_tiff_exif(path: str | Path) -> bytes | None:
    """Collect what a TIFF file says about its photo into an EXIF block.

    Args:
        path: a TIFF file.

    Returns:
        A little-endian EXIF block without prefix; None if the file says nothing, or is a BigTIFF.
    """
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        tags = _parse(data)
    kept = {tag: entry for tag, entry in tags.items() if tag in _DESCRIPTIVE}
    if not kept:
        return None
    directory = _serialise(kept, start=8, next_directory=0)
    return struct.pack("<2sHI", b"II", _CLASSIC, 8) + directory


def add_tiff_exif(path: str | Path, exif: bytes) -> None:
    """Write an EXIF block's tags into a TIFF file that lacks them.

    Args:
        path: a little-endian TIFF file, as libvips writes it; a BigTIFF is left as it is.
        exif: a TIFF structure, with or without the JPEG prefix; one that cannot be read is left
            out.
    """
    tags = {t: e for t, e in _parse(exif.removeprefix(b"Exif\0\0")).items() if t in _DESCRIPTIVE}
    with Path(path).open("r+b") as file:
        order, magic, first = struct.unpack("<2sHI", file.read(8))
        if not tags or order != b"II" or magic != _CLASSIC:
            return
        file.seek(first)
        (count,) = struct.unpack("<H", file.read(2))
        raw = file.read(count * _ENTRY)
        (next_directory,) = struct.unpack("<I", file.read(4))
        present = {
            int.from_bytes(raw[i : i + 2], "little"): raw[i : i + _ENTRY]
            for i in range(0, len(raw), _ENTRY)
        }
        end = file.seek(0, 2)
        start = end + end % 2
        new = {tag: entry for tag, entry in tags.items() if tag not in present}
        file.write(b"\0" * (end % 2))
        file.write(_serialise(new, start, next_directory, present))
        file.seek(4)
        file.write(struct.pack("<I", start))


def _parse(data: "bytes | mmap.mmap") -> dict[int, _Tag]:
    """Read the first directory with all below it; empty if it is not a classic TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        return {}
    try:
        magic, first = struct.unpack_from(f"{order}HI", data, 2)
        return _directory(data, order, first, depth=0) if magic == _CLASSIC else {}
    except struct.error:
        return {}


def _directory(data: "bytes | mmap.mmap", order: str, start: int, depth: int) -> dict[int, _Tag]:
    """Read one directory, its values turned little-endian.

    Raises:
        struct.error: if it reaches over the end of the data.
    """
    (count,) = struct.unpack_from(f"{order}H", data, start)
    tags = {}
    for place in range(start + 2, start + 2 + count * _ENTRY, _ENTRY):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
        size = _VALUE_BYTES.get(kind, 0) * number
        if not 0 < size <= _MOST_BYTES:
            continue
        (offset,) = struct.unpack_from(f"{order}I", data, place + 8)
        if tag in _SUBDIRECTORIES:
            if depth < len(_SUBDIRECTORIES):
                below = _directory(data, order, offset, depth + 1)
                tags[tag] = _Tag(_LONG, 1, below)
            continue
        at = place + 8 if size <= 4 else offset
        value = bytes(data[at : at + size])
        if len(value) == size:
            tags[tag] = _Tag(kind, number, _little_endian(value, kind, order))
    return tags


def _little_endian(value: bytes, kind: int, order: str) -> bytes:
    unit = _UNIT_BYTES.get(kind, 1)
    if order == "<" or unit == 1:
        return value
    return b"".join(value[i : i + unit][::-1] for i in range(0, len(value), unit))


def _serialise(
    tags: dict[int, _Tag],
    start: int,
    next_directory: int,
    present: dict[int, bytes] | None = None,
) -> bytes:
    """Lay out a directory, little-endian, followed by what does not fit into its entries.

    Args:
        tags: what to write.
        start: where in the file it will lie; even.
        next_directory: offset of the next one, 0 = none.
        present: entries to keep as they are, by tag.
    """
    entries = dict(present or {})
    tail = bytearray()
    tail_start = start + 2 + _ENTRY * (len(entries) + len(tags)) + 4
    for tag, (kind, number, value) in tags.items():
        if isinstance(value, dict):
            place = struct.pack("<I", tail_start + len(tail))
            tail += _serialise(value, tail_start + len(tail), 0)
        elif len(value) <= 4:
            place = value.ljust(4, b"\0")
        else:
            place = struct.pack("<I", tail_start + len(tail))
            tail += value
        tail += b"\0" * (len(tail) % 2)
        entries[tag] = struct.pack("<HHI", tag, kind, number) + place
    rows = b"".join(entries[tag] for tag in sorted(entries))
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", next_directory) + bytes(tail)

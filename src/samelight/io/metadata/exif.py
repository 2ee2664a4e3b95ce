"""What has to change in an EXIF block when its photo is turned upright and recoloured."""

import io
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from samelight.io.metadata.ifd import RATIONAL, SHORT, Tag, add_tags, exif_block, read_directory

PREFIX = b"Exif\0\0"
"""What stands before the block in JPEG."""

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 274, 282, 283, 296
_EXIF_DIRECTORY, _PIXEL_WIDTH, _PIXEL_HEIGHT = 34665, 40962, 40963
_THUMBNAIL_OFFSET, _THUMBNAIL_BYTES = 513, 514
_INCH, _CENTIMETRE = 2, 3
_MM_PER_UNIT = {_INCH: 25.4, _CENTIMETRE: 10.0}
# Orientations that swap width and height.
QUARTER_TURNS = (5, 6, 7, 8)


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn a picture the way its EXIF orientation asks for.

    Args:
        pixels: (H,W) or (H,W,C), as stored.
        orientation: 1 to 8; anything else is taken as 1, as viewers do.

    Returns:
        A contiguous array, height and width swapped for 5 to 8.
    """
    if orientation in QUARTER_TURNS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright_exif(exif: bytes, orientation: int) -> bytes:
    """Make a block true of its photo turned upright, and leave every other byte alone.

    The orientation becomes 1; a quarter turn swaps width with height; the thumbnail, which shows
    the photo as it was, goes.

    Args:
        exif: a TIFF structure without prefix.
        orientation: how the photo was turned, 1 to 8.

    Returns:
        A block with every offset as it was; the same if it cannot be read.
    """
    try:
        patched = bytearray(exif)
        entries = {entry.tag: entry for entry in _entries(exif, _first_directory(exif))}
        if _ORIENTATION in entries and entries[_ORIENTATION].kind == SHORT:
            struct.pack_into(_order(exif) + "H", patched, entries[_ORIENTATION].value_at, 1)
        if orientation in QUARTER_TURNS:
            _swap(patched, entries.get(_X_RESOLUTION), entries.get(_Y_RESOLUTION))
            if _EXIF_DIRECTORY in entries:
                start = _number(exif, entries[_EXIF_DIRECTORY].value_at)
                below = {entry.tag: entry for entry in _entries(exif, start)}
                _swap(patched, below.get(_PIXEL_WIDTH), below.get(_PIXEL_HEIGHT))
        return _without_thumbnail(patched)
    except (struct.error, IndexError):
        return exif


def pixels_per_mm(tags: dict[int, Tag]) -> tuple[float, float] | None:
    """Read the print resolution from a first directory; None if it has none.

    Args:
        tags: of a TIFF file or an EXIF block.
    """
    across, down = (
        tags[tag].ratio() if tag in tags else None for tag in (_X_RESOLUTION, _Y_RESOLUTION)
    )
    unit = tags[_RESOLUTION_UNIT].numbers() if _RESOLUTION_UNIT in tags else (_INCH,)
    if not across or not down or unit[:1] not in ((_INCH,), (_CENTIMETRE,)):
        return None
    return across / _MM_PER_UNIT[unit[0]], down / _MM_PER_UNIT[unit[0]]


def resolution_tags(density: tuple[float, float]) -> dict[int, Tag]:
    """Make the tags of a print resolution.

    Args:
        density: pixels per mm, across and down.
    """
    # Dots per inch come out whole where they were; a thousandth is finer than any printer.
    across, down = (struct.pack("<II", round(25_400 * value), 1000) for value in density)
    return {
        _X_RESOLUTION: Tag(RATIONAL, 1, across),
        _Y_RESOLUTION: Tag(RATIONAL, 1, down),
        _RESOLUTION_UNIT: Tag(SHORT, 1, struct.pack("<H", _INCH)),
    }


def with_resolution(exif: bytes | None, density: tuple[float, float] | None) -> bytes | None:
    """Put a print resolution into a block that has none, for formats with no other place for it.

    Args:
        exif: a TIFF structure without prefix, if there is one.
        density: pixels per mm, across and down, if known.
    """
    if density is None or (exif is not None and _X_RESOLUTION in read_directory(exif)):
        return exif
    if exif is None:
        return exif_block(resolution_tags(density))
    file = io.BytesIO(exif)
    add_tags(file, resolution_tags(density))
    return file.getvalue()


class _Entry(NamedTuple):
    tag: int
    kind: int
    number: int
    value_at: int


def _order(exif: bytes) -> str:
    """The byte order as `struct` writes it.

    Raises:
        struct.error: if it is no TIFF structure.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(exif[:2]))
    if order is None:
        raise struct.error("no byte order")
    return order


def _number(exif: bytes, at: int) -> int:
    return int(struct.unpack_from(_order(exif) + "I", exif, at)[0])


def _first_directory(exif: bytes) -> int:
    return _number(exif, 4)


def _count(exif: bytes, directory: int) -> int:
    return int(struct.unpack_from(_order(exif) + "H", exif, directory)[0])


def _entries(exif: bytes, directory: int) -> Iterator[_Entry]:
    """Go through a directory's entries, each with the place of its value."""
    for place in range(directory + 2, directory + 2 + 12 * _count(exif, directory), 12):
        tag, kind, number = struct.unpack_from(_order(exif) + "HHI", exif, place)
        value_at = _number(exif, place + 8) if kind == RATIONAL else place + 8
        yield _Entry(tag, kind, number, value_at)


def _swap(patched: bytearray, one: _Entry | None, other: _Entry | None) -> None:
    """Exchange two values of the same kind."""
    if one is None or other is None or one.kind != other.kind:
        return
    size = 8 if one.kind == RATIONAL else 4
    first, second = (
        slice(one.value_at, one.value_at + size),
        slice(other.value_at, other.value_at + size),
    )
    if max(first.stop, second.stop) <= len(patched):
        patched[first], patched[second] = patched[second], patched[first]


def _without_thumbnail(exif: bytearray) -> bytes:
    """Unhook the second directory, and wipe the picture it points to."""
    block = bytes(exif)
    first = _first_directory(block)
    link = first + 2 + 12 * _count(block, first)
    second = _number(block, link)
    if second == 0:
        return block
    struct.pack_into(_order(block) + "I", exif, link, 0)
    entries = {entry.tag: entry for entry in _entries(block, second)}
    if {_THUMBNAIL_OFFSET, _THUMBNAIL_BYTES} <= entries.keys():
        start = _number(block, entries[_THUMBNAIL_OFFSET].value_at)
        stop = min(start + _number(block, entries[_THUMBNAIL_BYTES].value_at), len(exif))
        if stop == len(exif):
            del exif[start:]
        else:
            exif[start:stop] = bytes(max(0, stop - start))
    return bytes(exif)

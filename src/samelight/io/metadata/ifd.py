"""Directories of tags, as TIFF files and EXIF blocks share them (TIFF 6.0 section 2, EXIF 2.3)."""

import mmap
import struct
from typing import IO, NamedTuple

_CLASSIC, _BIG = 42, 43
# Bytes of a value of each type, and of the unit that byte order turns around.
# 13 and 18 are offsets; those from 16 on BigTIFF's.
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_VALUE_BYTES |= {13: 4, 16: 8, 18: 8}
_UNIT_BYTES = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 18: 8}
_WHOLE = {1: "B", 3: "H", 4: "I", 16: "Q"}
BYTE, ASCII, SHORT, LONG, RATIONAL = 1, 2, 3, 4, 5
# EXIF, GPS and interoperability directories.
_SUBDIRECTORIES = (34665, 34853, 40965)
# What reading at an offset behind the end raises, by how far behind it is.
_OVER_THE_END = (struct.error, OverflowError)
# A value of more bytes than this describes no photo.
_MOST_BYTES = 16 << 20


class Tag(NamedTuple):
    """One entry, its value little-endian; or a directory below."""

    kind: int
    number: int
    value: "bytes | dict[int, Tag]"

    def numbers(self) -> tuple[int, ...]:
        """The value of whole numbers; empty for another kind."""
        if isinstance(self.value, dict) or self.kind not in _WHOLE:
            return ()
        return struct.unpack(f"<{self.number}{_WHOLE[self.kind]}", self.value)

    def ratio(self) -> float | None:
        """The value of one fraction; None for another kind, or by zero."""
        if isinstance(self.value, dict) or (self.kind, self.number) != (RATIONAL, 1):
            return None
        above, below = struct.unpack("<II", self.value)
        return above / below if below else None


Directory = dict[int, Tag]


class _Layout(NamedTuple):
    """How `struct` reads a directory."""

    order: str
    number_of_entries: str
    offset: str

    @property
    def entry_bytes(self) -> int:
        return 4 + 2 * self.inline_bytes

    @property
    def entry_head(self) -> str:
        return f"{self.order}HH{self.offset}"

    @property
    def inline_bytes(self) -> int:
        return struct.calcsize(self.offset)


def read_directory(data: "bytes | mmap.mmap", page: int = 0) -> Directory:
    """Read a directory with all below it.

    Args:
        data: a TIFF file, a BigTIFF file or an EXIF block without prefix.
        page: which one, from 0.

    Returns:
        Its tags by number; empty if there is no such directory, or it reaches over the data's end.
    """
    try:
        layout, start = _start_of(data, page)
        return _directory(data, layout, start, depth=0) if start else {}
    except _OVER_THE_END:
        return {}


def find_value(data: "bytes | mmap.mmap", tag: int, page: int = 0) -> slice | None:
    """Find where a short value stands that is stored inside its directory.

    Args:
        data: a TIFF or BigTIFF file.
        tag: its number.
        page: of which directory, from 0.

    Returns:
        Its bytes' place; None if there is no such tag, or its value is stored elsewhere.
    """
    try:
        layout, start = _start_of(data, page)
        for place in _entries(data, layout, start) if start else ():
            found, kind, number = struct.unpack_from(layout.entry_head, data, place)
            size = _VALUE_BYTES.get(kind, 0) * number
            if found == tag and 0 < size <= layout.inline_bytes:
                at = place + 4 + layout.inline_bytes
                return slice(at, at + size)
    except _OVER_THE_END:
        pass
    return None


def _start_of(data: "bytes | mmap.mmap", page: int) -> tuple[_Layout, int]:
    """Find a directory: how it is laid out, and where it begins; 0 if there is none.

    Raises:
        struct.error: if it is no TIFF structure, or reaches over its end; or OverflowError.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise struct.error("no byte order")
    (magic,) = struct.unpack_from(f"{order}H", data, 2)
    if magic not in (_CLASSIC, _BIG):
        raise struct.error("no TIFF")
    layout = _Layout(order, "H", "I") if magic == _CLASSIC else _Layout(order, "Q", "Q")
    (start,) = struct.unpack_from(order + layout.offset, data, 4 if magic == _CLASSIC else 8)
    for _ in range(page):
        entries = _entries(data, layout, start)
        (start,) = struct.unpack_from(order + layout.offset, data, entries.stop)
    return layout, start


def _entries(data: "bytes | mmap.mmap", layout: _Layout, start: int) -> range:
    """The places of a directory's entries."""
    (count,) = struct.unpack_from(layout.order + layout.number_of_entries, data, start)
    first = start + struct.calcsize(layout.number_of_entries)
    return range(first, first + count * layout.entry_bytes, layout.entry_bytes)


def _directory(data: "bytes | mmap.mmap", layout: _Layout, start: int, depth: int) -> Directory:
    """Read one directory.

    Raises:
        struct.error: if it reaches over the end of the data; or OverflowError.
    """
    tags = {}
    for place in _entries(data, layout, start):
        tag, kind, number = struct.unpack_from(layout.entry_head, data, place)
        size = _VALUE_BYTES.get(kind, 0) * number
        if not 0 < size <= _MOST_BYTES:
            continue
        at = place + 4 + layout.inline_bytes
        if size > layout.inline_bytes:
            (at,) = struct.unpack_from(layout.order + layout.offset, data, at)
        value = _little_endian(bytes(data[at : at + size]), kind, layout.order)
        if tag in _SUBDIRECTORIES:
            if depth < len(_SUBDIRECTORIES) and size <= 8:
                below = _directory(data, layout, int.from_bytes(value, "little"), depth + 1)
                tags[tag] = Tag(LONG, 1, below)
        elif len(value) == size:
            tags[tag] = Tag(kind, number, value)
    return tags


def _little_endian(value: bytes, kind: int, order: str) -> bytes:
    """Turn a value from a byte order to little-endian, or back."""
    unit = _UNIT_BYTES.get(kind, 1)
    if order == "<" or unit == 1:
        return value
    return b"".join(value[i : i + unit][::-1] for i in range(0, len(value), unit))


def exif_block(tags: Directory) -> bytes:
    """Make an EXIF block, little-endian and without prefix."""
    return struct.pack("<2sHI", b"II", _CLASSIC, 8) + _serialise(tags, 8, "<")


def _serialise(
    tags: Directory,
    start: int,
    order: str,
    next_directory: int = 0,
    present: dict[int, bytes] | None = None,
) -> bytes:
    """Lay out a directory, followed by what does not fit into its entries.

    Args:
        tags: what to write.
        start: where in the file it will lie; even.
        order: of bytes, as `struct` writes it.
        next_directory: offset of the next one, 0 = none.
        present: entries of 12 bytes to keep as they are, by tag.
    """
    entries = dict(present or {})
    tail = bytearray()
    tail_start = start + 2 + 12 * len(entries.keys() | tags.keys()) + 4
    for tag, (kind, number, value) in tags.items():
        place = struct.pack(f"{order}I", tail_start + len(tail))
        if isinstance(value, dict):
            tail += _serialise(value, tail_start + len(tail), order)
        elif len(value) <= 4:
            place = _little_endian(value, kind, order).ljust(4, b"\0")
        else:
            tail += _little_endian(value, kind, order)
        tail += b"\0" * (len(tail) % 2)
        entries[tag] = struct.pack(f"{order}HHI", tag, kind, number) + place
    rows = b"".join(entries[tag] for tag in sorted(entries))
    head, foot = struct.pack(f"{order}H", len(entries)), struct.pack(f"{order}I", next_directory)
    return head + rows + foot + bytes(tail)


def add_tags(file: IO[bytes], tags: Directory, *, dropped: frozenset[int] = frozenset()) -> bool:
    """Put tags into the first directory of a classic TIFF file or of an EXIF block.

    What it holds stays where it is; a new directory is appended and pointed to.

    Args:
        file: open for reading and writing.
        tags: what to add; goes before what the file has.
        dropped: tags to leave out.

    Returns:
        Whether it was done; what is no classic TIFF structure is left as it is.
    """
    file.seek(0)
    head = file.read(8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None:
        return False
    try:
        file.seek(struct.unpack(f"{order}I", head[4:])[0])
        (count,) = struct.unpack(f"{order}H", file.read(2))
        rows = [file.read(12) for _ in range(count)]
        (next_directory,) = struct.unpack(f"{order}I", file.read(4))
        present = {struct.unpack_from(f"{order}H", row)[0]: row for row in rows}
    except struct.error:
        return False
    kept = {tag: row for tag, row in present.items() if tag not in dropped}
    end = file.seek(0, 2)
    start = end + end % 2
    file.write(b"\0" * (end % 2))
    file.write(_serialise(tags, start, order, next_directory, kept))
    file.seek(4)
    file.write(struct.pack(f"{order}I", start))
    return True

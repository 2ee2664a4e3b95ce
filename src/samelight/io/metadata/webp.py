"""Metadata in WebP files: chunks of a RIFF container (RFC 9649)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from samelight.io.metadata import exif as exif_block
from samelight.io.metadata.ifd import read_directory
from samelight.io.metadata.record import Found, Metadata

_EXTENDED, _EXIF, _XMP = b"VP8X", b"EXIF", b"XMP "
_HAS_EXIF, _HAS_XMP = 0x08, 0x04
_HEADER_BYTES = 12


def read_webp(path: str | Path) -> Found:
    """Read what a WebP file says beside its picture.

    Args:
        path: the file.
    """
    with Path(path).open("rb") as file:
        found = {name: file.read(size) for name, size in _chunks(file) if name in (_EXIF, _XMP)}
    # Some writers put JPEG's prefix before the block.
    exif = found[_EXIF].removeprefix(exif_block.PREFIX) if _EXIF in found else None
    density = exif_block.pixels_per_mm(read_directory(exif)) if exif else None
    return Found(Metadata(exif, found.get(_XMP), pixels_per_mm=density))


def write_webp(source: IO[bytes], target: IO[bytes], metadata: Metadata) -> list[str]:
    """Copy a WebP file that says nothing and let it say something.

    Args:
        source: as libvips writes a lossy picture, with at most a colour profile.
        target: gets the copy.
        metadata: what to say.

    Returns:
        What it cannot hold, in words.
    """
    exif = exif_block.with_resolution(metadata.exif, metadata.pixels_per_mm)
    added = {_EXIF: exif, _XMP: metadata.xmp}
    blocks = b"".join(_chunk(name, body) for name, body in added.items() if body is not None)
    flags = (_HAS_EXIF if exif is not None else 0) | (_HAS_XMP if metadata.xmp is not None else 0)
    chunks = source.read()[_HEADER_BYTES:]
    if chunks[:4] == _EXTENDED:
        chunks = chunks[:8] + bytes([chunks[8] | flags]) + chunks[9:]
    elif flags:
        chunks = _chunk(_EXTENDED, bytes([flags, 0, 0, 0]) + _canvas(chunks)) + chunks
    chunks += blocks
    target.write(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks)
    return (["IPTC"] if metadata.iptc is not None else []) + metadata.lost_in("WebP")


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Go through the chunks, the file at the start of each one's body: name and bytes."""
    place = _HEADER_BYTES
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, size
        place += 8 + size + size % 2


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _canvas(chunks: bytes) -> bytes:
    """Width and height as the extended header wants them, from a lossy frame (RFC 6386 9.1)."""
    width, height = struct.unpack_from("<HH", chunks, 8 + 6)
    size = [(value & 0x3FFF) - 1 for value in (width, height)]
    return b"".join(value.to_bytes(3, "little") for value in size)

"""Metadata in AVIF and HEIC files: boxes (ISO/IEC 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyvips

from samelight.color.code_points import Cicp, profile_of_cicp, require_known
from samelight.io.metadata import exif as exif_block
from samelight.io.metadata.ifd import read_directory
from samelight.io.metadata.record import Found, Metadata
from samelight.types import Note

# More than this before the pixels describes no photo.
_MOST_BYTES = 64 << 20
_GAIN_MAPS = (b"tmap", b"hdrgainmap")


def read_heif(path: str | Path, image: pyvips.Image) -> Found:
    """Read what an AVIF or HEIC file says beside its picture.

    Args:
        path: the file.
        image: opened by libvips, which finds EXIF and XMP.

    Raises:
        PhotoError: if its colours are of high dynamic range, or described in an unknown way.
    """
    exif, xmp = (
        bytes(image.get(field)) if image.get_typeof(field) else None
        for field in ("exif-data", "xmp-data")
    )
    exif = exif.removeprefix(exif_block.PREFIX) if exif else None
    density = exif_block.pixels_per_mm(read_directory(exif)) if exif else None
    with Path(path).open("rb") as file:
        meta = _meta(file)
    notes: tuple[Note, ...] = ()
    if any(name in meta for name in _GAIN_MAPS):
        text = f"{path} has an HDR gain map: it was left out, the base picture was taken"
        notes = (Note("photo-gain-map", text),)
    cicp = primary_cicp(meta)
    if cicp is not None:
        require_known(cicp, path)
    profile = profile_of_cicp(cicp) if cicp is not None else None
    # Of a reference from a picture to its alpha.
    associated = b"prem" in dict(_boxes(meta[4:])).get(b"iref", b"")
    metadata = Metadata(exif, xmp, pixels_per_mm=density, associated_alpha=associated)
    return Found(metadata, profile, notes=notes)


def longest_side(path: str | Path) -> int:
    """The largest width or height that a file claims for any picture in it, 0 if it claims none.

    Args:
        path: an AVIF or HEIC file.
    """
    with Path(path).open("rb") as file:
        boxes = dict(_boxes(_meta(file)[4:]))
    properties = dict(_boxes(boxes.get(b"iprp", b"")))
    extents = (body for name, body in _boxes(properties.get(b"ipco", b"")) if name == b"ispe")
    return max((max(struct.unpack_from(">II", e, 4)) for e in extents if len(e) >= 12), default=0)


def write_heif(file: IO[bytes], metadata: Metadata) -> list[str]:
    """Put an EXIF block in the place of one that libvips made up.

    The block is appended, and what leads to the item of its kind is led to it.

    Args:
        file: as libvips writes it, with a colour profile, XMP, and some EXIF if the metadata has
            any; open for reading and writing.
        metadata: what to say.

    Returns:
        What it cannot hold, in words.
    """
    lost = ["IPTC"] if metadata.iptc is not None else []
    exif = exif_block.with_resolution(metadata.exif, metadata.pixels_per_mm)
    if exif is not None:
        meta = _meta(file)
        place = file.tell() - len(meta) + _location_of_exif(meta)
        # The number before the block says where in it TIFF begins.
        payload = bytes(4) + exif
        end = file.seek(0, 2)
        file.write(struct.pack(">I4s", 8 + len(payload), b"mdat") + payload)
        file.seek(place)
        file.write(struct.pack(">IHII", end + 8, 1, 0, len(payload)))
    return lost + metadata.lost_in("AVIF")


def primary_cicp(meta: bytes) -> Cicp | None:
    """Find the code points that hold for the primary picture.

    Args:
        meta: the body of a file's box of that name.
    """
    boxes = dict(_boxes(meta[4:]))
    properties = dict(_boxes(boxes.get(b"iprp", b"")))
    primary = boxes.get(b"pitm", b"")
    item = int.from_bytes(primary[4:6] if primary[:1] == b"\0" else primary[4:8], "big")
    listed = list(_boxes(properties.get(b"ipco", b"")))
    for index in _associated(properties.get(b"ipma", b""), item):
        name, body = listed[index - 1] if 0 < index <= len(listed) else (b"", b"")
        if name == b"colr" and body[:4] == b"nclx" and len(body) >= 11:
            primaries, transfer, matrix = struct.unpack_from(">HHH", body, 4)
            return Cicp(primaries, transfer, matrix, body[10] >> 7)
    return None


def _associated(body: bytes, item: int) -> Iterator[int]:
    """The numbers of an item's properties, from 1, out of the box that associates them."""
    id_bytes = 2 if body[:1] == b"\0" else 4
    index_bytes = 2 if body[3:4] and body[3] & 1 else 1
    place = 8
    for _ in range(int.from_bytes(body[4:8], "big")):
        if place + id_bytes >= len(body):
            return
        current = int.from_bytes(body[place : place + id_bytes], "big")
        stop = place + id_bytes + 1 + body[place + id_bytes] * index_bytes
        if current == item:
            for at in range(place + id_bytes + 1, stop, index_bytes):
                # The highest bit says whether the property is essential.
                index = int.from_bytes(body[at : at + index_bytes], "big")
                yield index & (0x7F if index_bytes == 1 else 0x7FFF)
        place = stop


def _location_of_exif(meta: bytes) -> int:
    """Where in the meta box's body it says at which place of the file the EXIF item lies.

    As libheif writes it: a base, the number of extents, which is one, its offset and its length.
    """
    boxes = dict(_boxes(meta[4:]))
    entries = [body for name, body in _boxes(boxes[b"iinf"][6:]) if name == b"infe"]
    item = next(body[4:6] for body in entries if body[8:12] == b"Exif")
    locations = boxes[b"iloc"]
    # After version, sizes and number of items: item, source and location of each.
    first = meta.index(b"iloc" + locations) + 4 + 8
    for place in range(first, first + len(locations) - 8, 18):
        if meta[place : place + 2] == item:
            return place + 4
    raise ValueError("libheif writes its table of locations in another way")


def _meta(file: IO[bytes]) -> bytes:
    """Read the body of a file's meta box, and stop behind it; empty if it has none."""
    while len(head := file.read(8)) == 8:
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        if size == 1:
            size = int.from_bytes(file.read(8), "big") - 8
        if name == b"meta":
            return file.read(min(size - 8, _MOST_BYTES) if size else _MOST_BYTES)
        if size < 8:
            break
        file.seek(size - 8, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Go through boxes that lie side by side: name and body."""
    place = 0
    while place + 8 <= len(data):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if size < 8:
            return
        yield name, data[place + 8 : place + size]
        place += size

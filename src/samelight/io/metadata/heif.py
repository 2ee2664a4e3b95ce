"""What AVIF and HEIC files say about colours: boxes (ISO/IEC 14496-12, 23008-12)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    meta = _meta(path)
    exif, xmp = (
        bytes(image.get(field)) if image.get_typeof(field) else None
        for field in ("exif-data", "xmp-data")
    )
    exif = exif.removeprefix(exif_block.PREFIX) if exif else None
    density = exif_block.pixels_per_mm(read_directory(exif)) if exif else None
    notes = ()
    if any(name in meta for name in _GAIN_MAPS):
        text = f"{path} has an HDR gain map: it was left out, the base picture was taken"
        notes = (Note("photo-gain-map", text),)
    cicp = primary_cicp(meta)
    if cicp is not None:
        require_known(cicp, path)
    profile = profile_of_cicp(cicp) if cicp is not None else None
    return Found(Metadata(exif, xmp, pixels_per_mm=density), profile, notes)


def exif_fields(exif: bytes) -> list[tuple[str, int, Any]]:
    """Parse an EXIF block into the header fields from which libvips' savers write it again.

    They drop every tag that has no such field, and only its file readers make the fields: so the
    block is read back from a JPEG of one pixel.

    Args:
        exif: without prefix.

    Returns:
        Names, types and values; none if it cannot be read, or is too large for JPEG.
    """
    body = exif_block.PREFIX + exif
    if len(body) + 2 > 0xFFFF:
        return []
    pixel = pyvips.Image.black(1, 1).jpegsave_buffer(keep="none")
    segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    try:
        carrier = pyvips.Image.jpegload_buffer(pixel[:2] + segment + pixel[2:])
    except pyvips.Error:
        return []
    names = [name for name in carrier.get_fields() if name.startswith("exif-")]
    return [(name, carrier.get_typeof(name), carrier.get(name)) for name in names]


def primary_cicp(meta: bytes) -> Cicp | None:
    """Find the code points that hold for the primary picture.

    Args:
        meta: the body of a file's box of that name.
    """
    boxes = dict(_boxes(meta[4:]))
    properties = dict(_boxes(boxes.get(b"iprp", b"")))
    primary, item_bytes = boxes.get(b"pitm", b""), 4
    if primary[:1] == b"\0":
        item_bytes = 2
    listed = list(_boxes(properties.get(b"ipco", b"")))
    item = primary[4 : 4 + item_bytes]
    for index in _associated(properties.get(b"ipma", b""), int.from_bytes(item, "big")):
        name, body = listed[index - 1] if 0 < index <= len(listed) else (b"", b"")
        if name == b"colr" and body[:4] == b"nclx" and len(body) >= 11:
            points = [int.from_bytes(body[i : i + 2], "big") for i in (4, 6, 8)]
            return Cicp(points[0], points[1], points[2], full_range=bool(body[10] & 0x80))
    return None


def _associated(body: bytes, item: int) -> Iterator[int]:
    """The numbers of an item's properties, from 1, out of the box that associates them."""
    version, flags = body[:1], body[3:4]
    id_bytes = 2 if version == b"\0" else 4
    index_bytes = 2 if flags and flags[0] & 1 else 1
    place, count = 8, int.from_bytes(body[4:8], "big")
    while count > 0 and place + id_bytes < len(body):
        current = int.from_bytes(body[place : place + id_bytes], "big")
        number = body[place + id_bytes]
        place += id_bytes + 1
        if current == item:
            for at in range(place, place + number * index_bytes, index_bytes):
                # The highest bit says whether the property is essential.
                index = int.from_bytes(body[at : at + index_bytes], "big")
                yield index & (0x7F if index_bytes == 1 else 0x7FFF)
        place += number * index_bytes
        count -= 1


def _meta(path: str | Path) -> bytes:
    """The body of a file's meta box; empty if it has none."""
    with Path(path).open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, name = int.from_bytes(head[:4], "big"), head[4:]
            if size == 1:
                size = int.from_bytes(file.read(8), "big") - 8
            if name == b"meta":
                return file.read(min(size - 8, _MOST_BYTES)) if size else file.read(_MOST_BYTES)
            if size < 8:
                break
            file.seek(size - 8, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[Any, bytes]]:
    """Go through boxes that lie side by side: name and body."""
    place = 0
    while place + 8 <= len(data):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if size < 8:
            return
        yield name, data[place + 8 : place + size]
        place += size

"""Metadata in JPEG files: segments before the picture (ITU-T T.81, JFIF 1.02, EXIF 2.3, XMP 3)."""

import mmap
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from samelight.io.metadata import exif as exif_block
from samelight.io.metadata import photoshop
from samelight.io.metadata import xmp as packet
from samelight.io.metadata.ifd import read_directory
from samelight.io.metadata.record import Found, Metadata, Own
from samelight.types import Note

# Bytes of a segment's body; an EXIF block's prefix and the like are among them.
_MOST_BYTES = 0xFFFF - 2
_APP0, _APP1, _APP2, _APP13, _COM = 0xE0, 0xE1, 0xE2, 0xED, 0xFE
_START_OF_SCAN, _END = 0xDA, 0xD9
_WITHOUT_SIZE = {0x01, *range(0xD0, 0xD9)}
_JFIF, _XMP = b"JFIF\0", b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
# CIPA DC-007 (further pictures) and ISO 21496-1 (gain maps).
_MULTI_PICTURE, _ISO_GAIN_MAP = b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"
_APPLE_GAIN_MAP = b"HDRGainMap"
_PER_INCH, _PER_CM = 1, 2


def read_jpeg(path: str | Path) -> Found:
    """Read what a JPEG file says beside its picture.

    Args:
        path: the file.
    """
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        segments = list(_segments(data))
        gain_map = any(m == _APP2 and b.startswith(_ISO_GAIN_MAP) for m, b in segments)
        further = any(m == _APP2 and b.startswith(_MULTI_PICTURE) for m, b in segments)
        gain_map = gain_map or (further and data.find(_APPLE_GAIN_MAP) >= 0)
    exif, xmp = _first(segments, _APP1, exif_block.PREFIX), _first(segments, _APP1, _XMP)
    resources = b"".join(
        body.removeprefix(photoshop.PREFIX)
        for marker, body in segments
        if marker == _APP13 and body.startswith(photoshop.PREFIX)
    )
    comments = (body for marker, body in segments if marker == _COM)
    own = tuple(Own("JPEG", "COM", body, "a JPEG comment") for body in comments)
    density = _density(_first(segments, _APP0, _JFIF))
    if density is None and exif is not None:
        density = exif_block.pixels_per_mm(read_directory(exif))
    kept = packet.without_appended(xmp) if xmp is not None else None
    metadata = Metadata(
        exif,
        kept,
        photoshop.iptc_of(resources),
        photoshop.others_of(resources),
        density,
        own,
    )
    gain_map = gain_map or (xmp is not None and packet.has_gain_map(xmp))
    notes = []
    if gain_map:
        text = f"{path} has an HDR gain map: it was left out, the SDR picture was taken"
        notes.append(Note("photo-gain-map", text))
    elif further or kept != xmp:
        text = f"{path} holds further pictures or a film behind its picture: they were left out"
        notes.append(Note("photo-appended", text))
    if _first(segments, _APP1, _MORE_XMP) is not None:
        notes.append(Note("photo-xmp", f"{path} has XMP in several parts: only the first was kept"))
    return Found(metadata, notes=tuple(notes))


def write_jpeg(source: IO[bytes], target: IO[bytes], metadata: Metadata) -> list[str]:
    """Copy a JPEG file that says nothing and let it say something.

    Args:
        source: as libvips writes it, with at most a colour profile.
        target: gets the copy.
        metadata: what to say.

    Returns:
        What it cannot hold, in words.
    """
    target.write(source.read(2))
    said = exif_block.pixels_per_mm(read_directory(metadata.exif)) if metadata.exif else None
    if metadata.pixels_per_mm is not None and metadata.pixels_per_mm != said:
        across, down = (min(round(25.4 * value), 0xFFFF) for value in metadata.pixels_per_mm)
        jfif = _JFIF + struct.pack(">BBBHHBB", 1, 2, _PER_INCH, across, down, 0, 0)
        _write_segment(target, _APP0, jfif)
    blocks = [("EXIF", _APP1, exif_block.PREFIX, metadata.exif), ("XMP", _APP1, _XMP, metadata.xmp)]
    blocks += [("", _APP13, photoshop.PREFIX, part) for part in _resource_parts(metadata)]
    blocks += [("", _COM, b"", own.body) for own in metadata.own if own.format == "JPEG"]
    lost = []
    for name, marker, prefix, body in blocks:
        if body is not None and not _write_segment(target, marker, prefix + body):
            lost.append(f"{len(body)} bytes of {name}")
    shutil.copyfileobj(source, target)
    return lost + metadata.lost_in("JPEG")


def _resource_parts(metadata: Metadata) -> list[bytes]:
    """Image resources in parts that fit into a segment each; readers join them again."""
    iptc = photoshop.resource_of_iptc(metadata.iptc) if metadata.iptc is not None else b""
    resources = iptc + (metadata.photoshop or b"")
    size = _MOST_BYTES - len(photoshop.PREFIX)
    return [resources[i : i + size] for i in range(0, len(resources), size)]


def _write_segment(target: IO[bytes], marker: int, body: bytes) -> bool:
    """Write a segment; False if its body is too large for one."""
    if len(body) > _MOST_BYTES:
        return False
    target.write(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)
    return True


def _segments(data: mmap.mmap) -> Iterator[tuple[int, bytes]]:
    """Go through the segments up to the first scan: marker and body."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _WITHOUT_SIZE:
            place += 2
        elif marker in (_START_OF_SCAN, _END):
            return
        else:
            size = int.from_bytes(data[place + 2 : place + 4], "big")
            yield marker, bytes(data[place + 4 : place + 2 + size])
            place += 2 + max(size, 2)


def _first(segments: list[tuple[int, bytes]], marker: int, prefix: bytes) -> bytes | None:
    """The body of the first segment of its kind, without its prefix."""
    found = (b for m, b in segments if m == marker and b.startswith(prefix))
    body = next(found, None)
    return body.removeprefix(prefix) if body is not None else None


def _density(jfif: bytes | None) -> tuple[float, float] | None:
    if jfif is None or len(jfif) < 7:
        return None
    unit, across, down = struct.unpack_from(">BHH", jfif, 2)
    if unit not in (_PER_INCH, _PER_CM) or not across or not down:
        return None
    mm = 25.4 if unit == _PER_INCH else 10.0
    return across / mm, down / mm

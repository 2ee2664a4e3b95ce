"""Metadata in TIFF files, whose own tags are their EXIF; libvips neither reads nor writes those."""

import mmap
import struct
from pathlib import Path
from typing import IO, Literal, NamedTuple

from samelight.io.metadata import exif as exif_block
from samelight.io.metadata import photoshop
from samelight.io.metadata.ifd import (
    BYTE,
    SHORT,
    Directory,
    Tag,
    add_tags,
    find_value,
    read_directory,
)
from samelight.io.metadata.ifd import (
    exif_block as block_of,
)
from samelight.io.metadata.iptc import trimmed
from samelight.io.metadata.record import Found, Metadata

# Tags that describe the photo and not how its pixels are stored: description, make, model,
# software, date, artist, computer, rating, copyright, Windows' titles, EXIF, GPS.
_DESCRIPTIVE = {270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096)}
_DESCRIPTIVE |= {34665, 34853}
# What libvips writes of its own accord: orientation and print resolution.
_INVENTED = frozenset({274, 282, 283, 296})
_XMP, _IPTC, _PHOTOSHOP, _EXTRA_SAMPLES = 700, 33723, 34377, 338
_UNDEFINED, _ASSOCIATED, _UNASSOCIATED = 7, 1, 2
_BITS, _COMPRESSION, _COLOUR_MODEL, _PLANES, _TILE_WIDTH, _SAMPLE_FORMAT = (
    258,
    259,
    262,
    284,
    322,
    339,
)
_OLD_JPEG, _JPEG, _YCBCR = 6, 7, 6
_SEPARATE_PLANES = 2
# What libvips reads where libtiff has its usual codecs, and names for what else there is.
_USUAL_COMPRESSIONS = {1, 2, 3, 4, 5, _JPEG, 8, 32773, 32946}
_COMPRESSIONS = {
    _OLD_JPEG: "old-style JPEG", 34712: "JPEG 2000", 34887: "LERC", 34892: "lossy DNG",
    34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
# 8 values of a bit each; a run of PackBits, a word of LZW and one of Deflate make more of them.
_MOST_VALUES_A_BYTE = {1: 8, 32773: 64 * 8, 5: 4096 * 8, 8: 1032 * 8, 32946: 1032 * 8}
_USUAL_BITS = {1, 2, 4, 8, 16}
_USUAL_COLOUR_MODELS = {0, 1, 2, 3, 5, _YCBCR}
_COLOUR_MODELS = {
    _YCBCR: "YCbCr", 8: "CIELab", 9: "ICC Lab", 10: "ITU Lab", 32803: "a camera's raw mosaic",
    32844: "LogL", 32845: "LogLuv", 34892: "a camera's raw values",
}  # fmt: skip
_SAMPLE_FORMATS = {2: "signed whole numbers", 3: "floating-point values", 5: "complex numbers"}


class TiffKind(NamedTuple):
    """How a TIFF page is stored."""

    unusual: tuple[str, ...]
    """What few programs read about it, in words; empty for a usual one."""
    is_misread: bool
    """Whether libvips reads it without complaint, and wrongly."""
    most_values_a_byte: int | None
    """How many values a byte of the file can hold; None = as many as one likes."""


def read_tiff(path: str | Path, page: int = 0) -> Found:
    """Read what a TIFF file says beside its picture.

    Args:
        path: a TIFF or BigTIFF file.
        page: which of its pictures, from 0.
    """
    tags = _tags(path, page)
    kept = {tag: entry for tag, entry in tags.items() if tag in _DESCRIPTIVE}
    xmp, iptc, resources = (_bytes(tags, tag) for tag in (_XMP, _IPTC, _PHOTOSHOP))
    data_sets = trimmed(iptc) if iptc else None
    if data_sets is None and resources:
        data_sets = photoshop.iptc_of(resources)
    exif = block_of(kept) if kept else None
    return Found(
        Metadata(
            exif,
            xmp,
            data_sets,
            photoshop.others_of(resources) if resources else None,
            exif_block.pixels_per_mm(tags),
            associated_alpha=_numbers(tags, _EXTRA_SAMPLES, 0)[0] == _ASSOCIATED,
        )
    )


def tiff_kind(path: str | Path, page: int = 0) -> TiffKind:
    """Find out how a page is stored.

    Args:
        path: a TIFF or BigTIFF file.
        page: which of its pictures, from 0.
    """
    tags = _tags(path, page)
    (compression,) = _numbers(tags, _COMPRESSION, 1)[:1]
    (model,) = _numbers(tags, _COLOUR_MODEL, 1)[:1]
    (sample_format,) = _numbers(tags, _SAMPLE_FORMAT, 1)[:1]
    bits = _numbers(tags, _BITS, 1)
    unusual = []
    if compression not in _USUAL_COMPRESSIONS:
        name = _COMPRESSIONS.get(compression, f"number {compression}")
        unusual.append(f"{name} compression")
    if not set(bits) <= _USUAL_BITS:
        unusual.append(f"{max(bits)} bits a channel")
    if sample_format in _SAMPLE_FORMATS:
        unusual.append(_SAMPLE_FORMATS[sample_format])
    is_plain_ycbcr = model == _YCBCR and compression not in (_OLD_JPEG, _JPEG)
    if model not in _USUAL_COLOUR_MODELS or is_plain_ycbcr:
        name = _COLOUR_MODELS.get(model, f"number {model}")
        unusual.append(f"colour model {name}")
    if _numbers(tags, _PLANES, 1)[0] == _SEPARATE_PLANES and _TILE_WIDTH in tags:
        unusual.append("tiles of one channel each")
    is_misread = compression == _OLD_JPEG or model not in _USUAL_COLOUR_MODELS or is_plain_ycbcr
    return TiffKind(tuple(unusual), is_misread, _MOST_VALUES_A_BYTE.get(compression))


def without_association(path: str | Path, page: int = 0) -> mmap.mmap | None:
    """Call a file's alpha unassociated in memory, so that libvips leaves its colours as they are.

    It would divide them in floating point and cut off what is behind it, which cannot be undone.

    Args:
        path: a TIFF or BigTIFF file.
        page: which of its pictures, from 0.

    Returns:
        The file's bytes, only the page that holds the tag being copied; None if its alpha is not
        associated.
    """
    with Path(path).open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"
    place = find_value(data, _EXTRA_SAMPLES, page)
    if place is None or int.from_bytes(data[place], order) != _ASSOCIATED:
        data.close()
        return None
    data[place] = _UNASSOCIATED.to_bytes(place.stop - place.start, order)
    return data


def write_tiff(file: IO[bytes], metadata: Metadata) -> list[str]:
    """Let a TIFF file that says nothing say something.

    Args:
        file: as libvips writes it, with at most a colour profile; open for reading and writing. A
            BigTIFF stays as it is.
        metadata: what to say.

    Returns:
        What it cannot hold, in words.
    """
    exif = read_directory(metadata.exif) if metadata.exif else {}
    tags = {tag: entry for tag, entry in exif.items() if tag in _DESCRIPTIVE}
    if metadata.xmp:
        tags[_XMP] = Tag(BYTE, len(metadata.xmp), metadata.xmp)
    if metadata.iptc:
        tags[_IPTC] = Tag(_UNDEFINED, len(metadata.iptc), metadata.iptc)
    if metadata.photoshop:
        tags[_PHOTOSHOP] = Tag(BYTE, len(metadata.photoshop), metadata.photoshop)
    if metadata.pixels_per_mm:
        tags |= exif_block.resolution_tags(metadata.pixels_per_mm)
    if metadata.associated_alpha:
        tags[_EXTRA_SAMPLES] = Tag(SHORT, 1, struct.pack("<H", _ASSOCIATED))
    lost = [] if add_tags(file, tags, dropped=_INVENTED) else ["metadata above 4 GB"]
    return lost + metadata.lost_in("TIFF")


def _tags(path: str | Path, page: int) -> Directory:
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return read_directory(data, page)


def _bytes(tags: Directory, tag: int) -> bytes | None:
    value = tags[tag].value if tag in tags else None
    return value if isinstance(value, bytes) else None


def _numbers(tags: Directory, tag: int, default: int) -> tuple[int, ...]:
    """The whole numbers of a tag, at least one."""
    return (tags[tag].numbers() if tag in tags else ()) or (default,)

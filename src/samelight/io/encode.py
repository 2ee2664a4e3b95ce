"""Writing pixels through libvips, and what a photo says beside them into the container."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pyvips

from samelight.io.decode import block
from samelight.io.metadata.heif import write_heif
from samelight.io.metadata.jpeg import write_jpeg
from samelight.io.metadata.png import described_colours, write_png
from samelight.io.metadata.record import Metadata
from samelight.io.metadata.tiff import write_tiff
from samelight.io.metadata.webp import write_webp

_QUALITY = 95
# libvips' own middle way takes five times as long for a file 4 % smaller.
_AVIF_QUALITY, _AVIF_EFFORT = 90, 2
# libvips' flags of what to keep.
_KEEP_EXIF, _KEEP_XMP, _KEEP_ICC = 1, 2, 8
# Offsets of a classic TIFF have 32 bits; leave some of what they reach to metadata.
_MOST_CLASSIC_BYTES = (1 << 32) - (1 << 26)


class Format(NamedTuple):
    """How a format is written, and what pixels it can hold."""

    write: Callable[[pyvips.Image, Metadata, str], list[str]]
    """Writes 3 or 4 bands with at most a colour profile, and metadata, to a name. Returns what of
    the metadata it could not, in words."""
    bits: int
    """The most a channel can have."""
    has_alpha: bool = True
    associates_alpha: bool = False
    """Whether colours can be multiplied by their alpha."""


def _write_jpeg(image: pyvips.Image, metadata: Metadata, name: str) -> list[str]:
    with _encoded(image, "jpegsave_target", name, Q=_QUALITY, subsample_mode="off") as files:
        return write_jpeg(*files, metadata)


def _write_webp(image: pyvips.Image, metadata: Metadata, name: str) -> list[str]:
    with _encoded(image, "webpsave_target", name, Q=_QUALITY) as files:
        return write_webp(*files, metadata)


def _write_png(image: pyvips.Image, metadata: Metadata, name: str) -> list[str]:
    icc = block(image, "icc-profile-data")
    if icc is not None and icc == described_colours(metadata):
        # Its own chunks say it; no profile is invented.
        image.remove("icc-profile-data")
    with _encoded(image, "pngsave_target", name) as files:
        return write_png(*files, metadata)


def _write_tiff(image: pyvips.Image, metadata: Metadata, name: str) -> list[str]:
    bytes_a_value = 2 if image.format == "ushort" else 1
    is_big = image.width * image.height * image.bands * bytes_a_value > _MOST_CLASSIC_BYTES
    # Level 1 writes 16 bits nearly five times as fast as the usual 6.
    image.tiffsave(
        name,
        compression="deflate",
        predictor="horizontal",
        level=1,
        bigtiff=is_big,
        keep=_KEEP_ICC,
    )
    with Path(name).open("r+b") as file:
        return write_tiff(file, metadata)


def _write_avif(image: pyvips.Image, metadata: Metadata, name: str) -> list[str]:
    has_exif = metadata.exif is not None or metadata.pixels_per_mm is not None
    if metadata.xmp is not None:
        image.set_type(pyvips.GValue.blob_type, "xmp-data", metadata.xmp)
    image.heifsave(
        name,
        compression="av1",
        Q=_AVIF_QUALITY,
        bitdepth=12 if image.format == "ushort" else 8,
        subsample_mode="off",
        effort=_AVIF_EFFORT,
        keep=_KEEP_ICC | _KEEP_XMP | (_KEEP_EXIF if has_exif else 0),
    )
    with Path(name).open("r+b") as file:
        return write_heif(file, metadata)


FORMATS = {
    ".jpg": Format(_write_jpeg, bits=8, has_alpha=False),
    ".jpeg": Format(_write_jpeg, bits=8, has_alpha=False),
    ".png": Format(_write_png, bits=16),
    ".webp": Format(_write_webp, bits=8),
    ".tif": Format(_write_tiff, bits=16, associates_alpha=True),
    ".tiff": Format(_write_tiff, bits=16, associates_alpha=True),
    ".avif": Format(_write_avif, bits=12),
}
"""By the ending of a file's name."""


@contextmanager
def _encoded(
    image: pyvips.Image, saver: str, name: str, **options: object
) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Encode into a nameless file, from which the one to be written is copied: both, opened."""
    with tempfile.TemporaryFile(dir=Path(name).parent) as source:
        target = pyvips.Target.new_to_descriptor(source.fileno())
        getattr(image, saver)(target, keep=_KEEP_ICC, **options)
        source.seek(0)
        with Path(name).open("wb") as file:
            yield source, file

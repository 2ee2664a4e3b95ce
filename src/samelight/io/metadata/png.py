"""Metadata in PNG files: chunks (W3C PNG, third edition)."""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from samelight.color.code_points import Cicp, profile_of_cicp, profile_of_gamma, require_known
from samelight.errors import PhotoError
from samelight.io.metadata import exif as exif_block
from samelight.io.metadata import photoshop
from samelight.io.metadata.ifd import read_directory
from samelight.io.metadata.iptc import trimmed
from samelight.io.metadata.record import Found, Metadata, Own

_SIGNATURE_BYTES, _HEADER_BYTES = 8, 33
_TEXTS = ("tEXt", "zTXt", "iTXt")
_COLOURS = ("cICP", "sRGB", "gAMA", "cHRM", "sBIT")
_ANIMATION = "acTL"
_WANTED = {*_TEXTS, *_COLOURS, _ANIMATION, "eXIf", "iCCP", "pHYs"}
_XMP = b"XML:com.adobe.xmp\0"
# How ImageMagick and exiftool keep IPTC in PNG, which has no chunk for it.
_IPTC = b"Raw profile type iptc\0"
_METRE = 1
# More text than this describes no photo.
_MOST_BYTES = 64 << 20


def read_png(path: str | Path) -> Found:
    """Read what a PNG file says beside its picture.

    Args:
        path: the file.

    Raises:
        PhotoError: if its colours are of high dynamic range, or described in an unknown way.
    """
    exif = xmp = iptc = None
    chunks: dict[str, bytes] = {}
    own = []
    with Path(path).open("rb") as file:
        for name, body in _chunks(file):
            if name == "iTXt" and body.startswith(_XMP):
                xmp = _international_text(body)
            elif name in _TEXTS and body.startswith(_IPTC):
                iptc = _raw_profile(body, compressed=name == "zTXt")
            elif name in _TEXTS:
                own.append(Own("PNG", name, body, "the texts of a PNG"))
            elif name in _COLOURS:
                # In other formats a profile says the same.
                own.append(Own("PNG", name, body, None))
            chunks.setdefault(name, body)
    exif = chunks.get("eXIf")
    density = _density(chunks.get("pHYs"))
    if density is None and exif is not None:
        density = exif_block.pixels_per_mm(read_directory(exif))
    metadata = Metadata(exif, xmp, iptc, None, density, tuple(own))
    return Found(metadata, _described_profile(chunks, path), overrides_icc="cICP" in chunks)


def frames_of_png(path: str | Path) -> int:
    """How many pictures a PNG file shows one after the other; 1 for a still one.

    Args:
        path: the file.
    """
    with Path(path).open("rb") as file:
        control = next((body for name, body in _chunks(file) if name == _ANIMATION), b"")
    return max(1, int.from_bytes(control[:4], "big"))


def described_colours(metadata: Metadata) -> bytes | None:
    """The profile that a photo's own PNG chunks describe, if they are not sRGB's.

    Args:
        metadata: of a photo read from PNG.
    """
    chunks = {own.name: own.body for own in metadata.own if own.format == "PNG"}
    return _described_profile(chunks, "the photo")


def write_png(source: IO[bytes], target: IO[bytes], metadata: Metadata) -> list[str]:
    """Copy a PNG file that says nothing and let it say something.

    Args:
        source: as libvips writes it, with at most a colour profile.
        target: gets the copy.
        metadata: what to say.

    Returns:
        What it cannot hold, in words.
    """
    header = source.read(_HEADER_BYTES)
    target.write(header)
    own = [(block.name, block.body) for block in metadata.own if block.format == "PNG"]
    has_alpha = header[25] == 6
    for name, body in own:
        if name == "sBIT":
            _write_chunk(target, name, _significant_bits(body, 3 + has_alpha))
        elif name in _COLOURS:
            _write_chunk(target, name, body)
    if metadata.pixels_per_mm is not None:
        across, down = (round(1000 * value) for value in metadata.pixels_per_mm)
        _write_chunk(target, "pHYs", struct.pack(">IIB", across, down, _METRE))
    if metadata.exif is not None:
        _write_chunk(target, "eXIf", metadata.exif)
    if metadata.xmp is not None:
        _write_chunk(target, "iTXt", _XMP + b"\0\0\0\0" + metadata.xmp)
    if metadata.iptc is not None:
        _write_chunk(target, "zTXt", _IPTC + b"\0" + zlib.compress(_hexadecimal(metadata.iptc)))
    for name, body in own:
        if name in _TEXTS:
            _write_chunk(target, name, body)
    _copy_rest(source, target)
    return metadata.lost_in("PNG")


def _chunks(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Go through the chunks that are of interest and undamaged."""
    place = _SIGNATURE_BYTES
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        name = kind.decode("latin-1")
        if name in _WANTED and size <= _MOST_BYTES:
            body, check = file.read(size), file.read(4)
            if check == zlib.crc32(kind + body).to_bytes(4, "big"):
                yield name, body
        place += 12 + size


def _write_chunk(target: IO[bytes], name: str, body: bytes) -> None:
    kind = name.encode("latin-1")
    check = zlib.crc32(kind + body)
    target.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check))


def _copy_rest(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy all after the header but the resolution, which libvips writes of its own accord."""
    while head := source.read(8):
        size, kind = struct.unpack(">I4s", head)
        rest = source.read(size + 4)
        if kind != b"pHYs":
            target.write(head + rest)


def _described_profile(chunks: dict[str, bytes], path: str | Path) -> bytes | None:
    """What the chunks before a profile, or in its place, say about colours."""
    if len(chunks.get("cICP", b"")) == 4:
        cicp = Cicp(*chunks["cICP"])
        require_known(cicp, path)
        if cicp.matrix != 0 or not cicp.full_range:
            raise PhotoError(f"{path} holds video levels (cICP): save it as full-range RGB")
        return profile_of_cicp(cicp)
    if "iCCP" in chunks or "sRGB" in chunks:
        return None
    gamma, white_and_primaries = chunks.get("gAMA", b""), chunks.get("cHRM", b"")
    return profile_of_gamma(
        struct.unpack(">I", gamma)[0] / 100_000 if len(gamma) == 4 else None,
        [value / 100_000 for value in struct.unpack(">8I", white_and_primaries)]
        if len(white_and_primaries) == 32
        else None,
    )


def _significant_bits(body: bytes, channels: int) -> bytes:
    """Bits a channel, for RGB or RGBA."""
    gray_or_rgb = body[:3] if len(body) >= 3 else body[:1] * 3
    alpha = body[3:4] or body[1:2] if len(body) != 3 else b""
    return gray_or_rgb + (alpha or gray_or_rgb[:1]) * (channels - 3)


def _density(body: bytes | None) -> tuple[float, float] | None:
    if body is None or len(body) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", body)
    return (across / 1000, down / 1000) if unit == _METRE and across and down else None


def _international_text(body: bytes) -> bytes | None:
    """The text of an iTXt chunk, as it is encoded."""
    _, _, rest = body.partition(b"\0")
    is_compressed = rest[:1] == b"\1"
    _, _, rest = rest[2:].partition(b"\0")
    _, _, text = rest.partition(b"\0")
    return _decompressed(text) if is_compressed else text


def _decompressed(data: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(data, _MOST_BYTES)
    except zlib.error:
        return None


def _raw_profile(body: bytes, *, compressed: bool) -> bytes | None:
    """Data sets from ImageMagick's form: a name, the number of bytes, and hexadecimal digits."""
    _, _, text = body.partition(b"\0")
    found = re.fullmatch(
        rb"\s*\w+\s+\d+\s+([\da-fA-F\s]*)", (_decompressed(text[1:]) or b"") if compressed else text
    )
    digits = b"".join(found[1].split()) if found else b""
    data = bytes.fromhex(digits[: len(digits) // 2 * 2].decode("latin-1"))
    return trimmed(data) or photoshop.iptc_of(data.removeprefix(photoshop.PREFIX))


def _hexadecimal(iptc: bytes) -> bytes:
    """Data sets in ImageMagick's form, wrapped as an image resource as it does."""
    resources = photoshop.resource_of_iptc(iptc)
    digits = resources.hex().encode("latin-1")
    lines = b"\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return b"\niptc\n%8d\n%b\n" % (len(resources), lines)

"""Photos: pixels upright, at the depth they came in, with what their files say about them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from samelight.errors import OutputError, PhotoError
from samelight.io.alpha import associated, unassociated
from samelight.io.decode import Opened, block, decode, open_picture, orientation
from samelight.io.encode import FORMATS, Format
from samelight.io.files import require_writable_file, write_whole
from samelight.io.metadata.exif import QUARTER_TURNS, upright, upright_exif
from samelight.io.metadata.heif import read_heif
from samelight.io.metadata.jpeg import read_jpeg
from samelight.io.metadata.photoshop import has_paths, without_paths
from samelight.io.metadata.png import read_png
from samelight.io.metadata.record import Found, Metadata
from samelight.io.metadata.tiff import read_tiff
from samelight.io.metadata.webp import read_webp
from samelight.io.metadata.xmp import upright_xmp
from samelight.io.rgb import to_rgb
from samelight.limits import MAX_MEGAPIXELS
from samelight.types import Note, Pixels

_BAND_ROWS = 64
# Pixels per mm that every format can write; what is beyond, no print has.
_LEAST_DENSITY, _MOST_DENSITY = 0.02, 100_000.0
# Of samelight.io.raw.
_RAW_ENDINGS = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2")
_READERS: dict[str, Callable[[Opened], Found]] = {
    "jpeg": lambda opened: read_jpeg(opened.path),
    "png": lambda opened: read_png(opened.path),
    "webp": lambda opened: read_webp(opened.path),
    "tiff": lambda opened: read_tiff(opened.path, opened.page),
    "heif": lambda opened: read_heif(opened.path, opened.image),
}


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory.

    Attributes:
        pixels: (H,W,3) encoded RGB, upright: uint8 or uint16; float32 in [0,1] if it came from an
            array.
        alpha: (H,W) of the same type, its maximum = opaque; None if the file had none. Colours are
            not multiplied by it.
        icc: colour profile; the pixels are in its space. None stands for sRGB.
        metadata: EXIF, XMP, IPTC and the like, true of the photo turned upright.
        orientation: the EXIF orientation the file had, 1 to 8; the pixels are upright.
        notes: what had to be converted or left out on the way in, for the user.
    """

    pixels: Pixels
    alpha: npt.NDArray[Any] | None = None
    icc: bytes | None = None
    metadata: Metadata = field(default_factory=Metadata)
    orientation: int = 1
    notes: tuple[Note, ...] = ()

    def save(self, path: str | Path) -> tuple[Note, ...]:
        """Write the photo as `write_photo` does.

        Args:
            path: where to write; its ending decides the format.

        Returns:
            What the format cannot hold.

        Raises:
            OutputError: if the ending is not known or the place cannot be written.
        """
        return write_photo(path, self)


def to_uint8(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Reduce values of any accepted type to 8 bits.

    Args:
        pixels: any shape: uint8, uint16, or float32 in [0,1].
    """
    if pixels.dtype == np.uint8:
        return pixels
    reduced = np.empty(pixels.shape, dtype=np.uint8)
    # In bands of rows: a large photo's intermediate pixels would take several times its memory.
    for top in range(0, len(pixels), _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS]
        if pixels.dtype == np.uint16:
            reduced[top : top + _BAND_ROWS] = band >> 8
        else:
            reduced[top : top + _BAND_ROWS] = np.rint(band.clip(0, 1) * 255)
    return reduced


def read_photo(
    path: str | Path, *, page: int | None = None, max_megapixels: float = MAX_MEGAPIXELS
) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF or AVIF file, or HEIC and camera raw where codecs allow.

    Gray and palette pictures come back as RGB; CMYK is converted to sRGB through its profile.
    The photo's `notes` say so.

    Args:
        path: the file.
        page: which of several pictures, from 1; None = the first, and the notes say that there
            are more.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        PhotoError: if it is missing, damaged, too large, or not such a picture.
    """
    if Path(path).suffix.lower() in _RAW_ENDINGS:
        from samelight.io.raw import read_raw

        developed = f"{path} was developed: camera white balance, sRGB, 16 bits"
        return Photo(read_raw(path), notes=(Note("photo-raw", developed),))
    opened = open_picture(path, PhotoError, page=page, max_megapixels=max_megapixels)
    found = _READERS[opened.kind](opened)
    icc = block(opened.image, "icc-profile-data")
    if icc is None or found.overrides_icc:
        icc = found.profile
    rgb = to_rgb(opened.image, icc, str(path))
    stored, damage = decode(opened, rgb.convert)
    pixels, alpha = stored[..., :3], stored[..., 3] if stored.shape[-1] == 4 else None
    turned = orientation(opened.image)
    metadata, lost = _true_of(found.metadata, opened, turned, colours_hold=not rgb.is_srgb)
    photo = Photo(
        pixels=upright(pixels, turned),
        alpha=upright(alpha, turned) if alpha is not None else None,
        icc=rgb.icc,
        metadata=metadata,
        orientation=turned,
        notes=(*opened.notes, *found.notes, *rgb.notes, *damage, *lost),
    )
    return _with_plain_colours(photo, path) if metadata.associated_alpha else photo


def _true_of(
    metadata: Metadata, opened: Opened, turned: int, *, colours_hold: bool
) -> tuple[Metadata, tuple[Note, ...]]:
    """What a file said, made true of its pixels turned upright and perhaps converted."""
    density, xmp, resources = metadata.pixels_per_mm, metadata.xmp, metadata.photoshop
    if density is not None and not _LEAST_DENSITY < min(density) <= max(density) < _MOST_DENSITY:
        density = None
    if density is not None and turned in QUARTER_TURNS:
        density = density[::-1]
    # Where only XMP asks for a turn, few programs turn, and so the tag stays. HEIF has boxes for
    # it, by which libvips has turned already.
    if xmp is not None and (turned != 1 or opened.kind == "heif"):
        xmp = upright_xmp(xmp)
    lost: tuple[Note, ...] = ()
    if turned != 1 and resources and has_paths(resources):
        resources = without_paths(resources)
        text = f"{opened.path} was turned: its clipping paths were left out"
        lost = (Note("photo-paths", text),)
    true = replace(
        metadata,
        exif=upright_exif(metadata.exif, turned) if metadata.exif else None,
        xmp=xmp,
        photoshop=resources,
        pixels_per_mm=density,
        own=tuple(block for block in metadata.own if colours_hold or block.meaning is not None),
    )
    return true, lost


def _with_plain_colours(photo: Photo, path: str | Path) -> Photo:
    """Divide the colours of a file with associated alpha by it."""
    if photo.alpha is None:
        return replace(photo, metadata=replace(photo.metadata, associated_alpha=False))
    pixels, is_possible = unassociated(photo.pixels, photo.alpha)
    if is_possible:
        return replace(photo, pixels=pixels)
    text = f"{path} has colours brighter than their associated alpha: those were cut down to it"
    return replace(photo, pixels=pixels, notes=(*photo.notes, Note("photo-alpha", text)))


def write_photo(path: str | Path, photo: Photo) -> tuple[Note, ...]:
    """Write a photo; its name's ending decides the format.

    PNG and TIFF keep every bit. JPEG and WebP are written at quality 95 with 8 bits a channel,
    JPEG with full colour resolution and transparency laid over white; AVIF at quality 90 with up
    to 12 bits. docs/photos.md says what each carries beside the pixels.

    Args:
        path: where to write; a file there is replaced only once the new one is complete.
        photo: what to write.

    Returns:
        What the format cannot hold.

    Raises:
        OutputError: if the ending is not known or the place cannot be written.
    """
    require_writable_photo(path)
    form = FORMATS[Path(path).suffix.lower()]
    lost = _lost_pixels(photo, form)
    write_whole(
        path, lambda name: lost.extend(form.write(_as_vips(photo, form), photo.metadata, name))
    )
    return tuple(Note("output-loss", f"{path} cannot hold {what}: left out") for what in lost)


def require_writable_photo(path: str | Path) -> None:
    """Refuse a place where `write_photo` could not write, before work is done for it.

    Args:
        path: where to write.

    Raises:
        OutputError: if the ending is not known, or the folder missing or closed.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write {path}: end its name in {', '.join(FORMATS)}")
    require_writable_file(path)


def _lost_pixels(photo: Photo, form: Format) -> list[str]:
    """What a format cannot hold of a photo's pixels, in words."""
    lost = []
    if photo.pixels.dtype == np.uint16 and form.bits < 16:
        lost.append(f"more than {form.bits} bits a channel")
    if photo.alpha is not None and not form.has_alpha:
        lost.append("transparency (white was laid under it)")
    return lost


def _as_vips(photo: Photo, form: Format) -> pyvips.Image:
    """Wrap a photo for a format, with its colour profile and nothing else."""
    pixels, alpha = photo.pixels, photo.alpha
    if photo.metadata.associated_alpha and alpha is not None and form.associates_alpha:
        pixels = associated(pixels, alpha)
    pixels = _in_whole_numbers(pixels, form.bits)
    alpha = _in_whole_numbers(alpha, form.bits) if alpha is not None else None
    image = pyvips.Image.new_from_array(pixels)
    if alpha is not None:
        image = image.bandjoin(pyvips.Image.new_from_array(alpha))
    interpretation = "rgb16" if pixels.dtype == np.uint16 else "srgb"
    image = image.copy(interpretation=interpretation)
    if alpha is not None and not form.has_alpha:
        image = image.flatten(background=255)
    if photo.icc is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", photo.icc)
    return image


def _in_whole_numbers(values: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """Bring values to 8 or 16 bits, as many as a format holds and they need."""
    if bits == 8:
        return to_uint8(values)
    if values.dtype == np.float32:
        values = np.rint(values.clip(0, 1) * np.float32(65535)).astype(np.uint16)
    return values

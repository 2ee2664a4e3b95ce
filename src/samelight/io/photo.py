"""Photos: pixels upright, at the depth they came in, with what their files say about them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from samelight.errors import OutputError, PhotoError
from samelight.io.files import (
    decoding_error,
    metadata,
    open_image,
    orientation,
    require_writable_file,
    write_whole,
)
from samelight.io.metadata.exif import upright, with_orientation_reset, with_xmp_orientation_reset
from samelight.io.metadata.tiff_tags import add_tiff_exif, read_tiff_exif
from samelight.types import Note, Pixels

_RGB = ("srgb", "rgb", "rgb16")
_GRAY = ("b-w", "grey16")
_QUALITY = 95
_BAND_ROWS = 64
# libvips' own middle way takes five times as long for a file 4 % smaller.
_AVIF_QUALITY, _AVIF_EFFORT = 90, 2
# Of samelight.io.raw.
_RAW_ENDINGS = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory.

    Attributes:
        pixels: (H,W,3) sRGB-encoded RGB, uint8 or uint16, upright.
        alpha: (H,W) of the same type, its maximum = opaque; None if the file had none.
        icc: colour profile; the pixels are in its space.
        exif: EXIF block, its orientation tag already reset to 1.
        xmp: XMP packet, its orientation reset too.
        iptc: IPTC block.
        pixels_per_mm: across and down, as the file says for print; None if it does not.
        orientation: the EXIF orientation the file had, 1 to 8; the pixels are upright.
        notes: what had to be converted on the way in, for the user.
    """

    pixels: Pixels
    alpha: npt.NDArray[Any] | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    pixels_per_mm: tuple[float, float] | None = None
    orientation: int = 1
    notes: tuple[Note, ...] = ()

    def save(self, path: str | Path) -> None:
        """Write the photo as `write_photo` does.

        Args:
            path: where to write; its ending decides the format.

        Raises:
            OutputError: if the ending is not known or the place cannot be written.
        """
        write_photo(path, self)


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


def read_photo(path: str | Path) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF or AVIF file, or HEIC and camera raw where codecs allow.

    Gray and palette pictures come back as RGB; CMYK is converted to sRGB through its profile.
    The photo's `notes` say so.

    Args:
        path: the file.

    Raises:
        PhotoError: if it is missing, damaged, or not such a picture.
    """
    if Path(path).suffix.lower() in _RAW_ENDINGS:
        from samelight.io.raw import read_raw

        developed = f"{path} was developed: camera white balance, sRGB, 16 bits"
        return Photo(read_raw(path), notes=(Note("photo-raw", developed),))
    image = open_image(path, PhotoError)
    try:
        turned = orientation(image)
        rgb, icc, notes = _as_rgb(image, path)
        stored = rgb.numpy()
    except pyvips.Error as failure:
        raise decoding_error(path, PhotoError) from failure
    exif, xmp = _exif(image, path), metadata(image, "xmp-data")
    density = (image.xres, image.yres) if turned < 5 else (image.yres, image.xres)
    return Photo(
        pixels=upright(stored[..., :3], turned),
        alpha=upright(stored[..., 3], turned) if stored.shape[-1] == 4 else None,
        icc=icc,
        exif=with_orientation_reset(exif) if exif else None,
        xmp=with_xmp_orientation_reset(xmp) if xmp else None,
        iptc=metadata(image, "iptc-data"),
        # libvips says 1 where the file says nothing.
        pixels_per_mm=density if density != (1.0, 1.0) else None,
        orientation=turned,
        notes=notes,
    )


def _exif(image: pyvips.Image, path: str | Path) -> bytes | None:
    if image.get("vips-loader").startswith("tiffload"):
        return read_tiff_exif(path)
    return metadata(image, "exif-data")


def _as_rgb(
    image: pyvips.Image, path: str | Path
) -> tuple[pyvips.Image, bytes | None, tuple[Note, ...]]:
    """Bring an opened file to 3 or 4 bands of 8 or 16 bits.

    Returns:
        The picture, the profile that still holds for it, and what there is to tell the user.
    """
    if image.format not in ("uchar", "ushort"):
        raise PhotoError(f"{path} holds {image.format} values: save it with 8 or 16 bits")
    icc = metadata(image, "icc-profile-data")
    depth = 16 if image.format == "ushort" else 8
    if image.interpretation in _RGB and image.bands in (3, 4):
        is_palette = image.get_typeof("palette") != 0
        note = Note("photo-palette", f"{path} has a palette: it was converted to RGB")
        return image, icc, (note,) if is_palette else ()
    if image.interpretation in _GRAY and image.bands in (1, 2):
        text = f"{path} is gray: it was converted to RGB, so that it can take on colour"
        note = Note("photo-gray", text)
        if icc is not None and icc[16:20] == b"GRAY":
            # A gray profile cannot describe RGB values.
            colour = image.icc_transform("srgb", embedded=True, depth=depth)
            return colour, None, (note,)
        return image.colourspace("rgb16" if depth == 16 else "srgb"), None, (note,)
    if image.interpretation == "cmyk" and image.bands == 4:
        text = f"{path} is CMYK: it was converted to sRGB, the whole picture"
        note = Note("photo-cmyk", text)
        converted = image.icc_transform("srgb", embedded=True, input_profile="cmyk", depth=8)
        return converted, None, (note,)
    raise PhotoError(
        f"{path} has {image.bands} bands of {image.interpretation}: save it as RGB, gray or CMYK"
    )


def write_photo(path: str | Path, photo: Photo) -> None:
    """Write a photo; its name's ending decides the format.

    PNG and TIFF keep every bit. JPEG and WebP are written at quality 95 with 8 bits a channel,
    JPEG with full colour resolution and transparency laid over white; AVIF at quality 90 with up
    to 12 bits. EXIF, XMP, IPTC and the colour profile are carried as far as the format can.

    Args:
        path: where to write; a file there is replaced only once the new one is complete.
        photo: what to write.

    Raises:
        OutputError: if the ending is not known or the place cannot be written.
    """
    require_writable_photo(path)
    save = _SAVERS[Path(path).suffix.lower()]
    write_whole(path, lambda partial: save(photo, partial))


def require_writable_photo(path: str | Path) -> None:
    """Refuse a place where `write_photo` could not write, before work is done for it.

    Args:
        path: where to write.

    Raises:
        OutputError: if the ending is not known, or the folder missing or closed.
    """
    path = Path(path)
    if path.suffix.lower() not in _SAVERS:
        raise OutputError(f"cannot write {path}: end its name in {', '.join(_SAVERS)}")
    require_writable_file(path)


def _save_jpeg(photo: Photo, name: str) -> None:
    image = _as_vips(photo, bits=8)
    if photo.alpha is not None:
        image = image.flatten(background=255)
    image.jpegsave(name, Q=_QUALITY, subsample_mode="off")


def _save_webp(photo: Photo, name: str) -> None:
    _as_vips(photo, bits=8).webpsave(name, Q=_QUALITY)


def _save_png(photo: Photo, name: str) -> None:
    _as_vips(photo).pngsave(name)


def _save_tiff(photo: Photo, name: str) -> None:
    # Level 1 writes 16 bits nearly five times as fast as the usual 6.
    _as_vips(photo).tiffsave(name, compression="deflate", predictor="horizontal", level=1)
    if photo.exif is not None:
        add_tiff_exif(name, photo.exif)


def _save_avif(photo: Photo, name: str) -> None:
    deep = photo.pixels.dtype == np.uint16
    _as_vips(photo).heifsave(
        name,
        compression="av1",
        Q=_AVIF_QUALITY,
        bitdepth=12 if deep else 8,
        subsample_mode="off",
        effort=_AVIF_EFFORT,
    )


_SAVERS: dict[str, Callable[[Photo, str], None]] = {
    ".jpg": _save_jpeg,
    ".jpeg": _save_jpeg,
    ".png": _save_png,
    ".webp": _save_webp,
    ".tif": _save_tiff,
    ".tiff": _save_tiff,
    ".avif": _save_avif,
}


def _as_vips(photo: Photo, *, bits: int = 16) -> pyvips.Image:
    """Wrap a photo for a saver, reduced to 8 bits a channel if that is all the format holds."""
    pixels, alpha = photo.pixels, photo.alpha
    if bits == 8:
        pixels = to_uint8(pixels)
        alpha = to_uint8(alpha) if alpha is not None else None
    image = pyvips.Image.new_from_array(pixels)
    if alpha is not None:
        image = image.bandjoin(pyvips.Image.new_from_array(alpha))
    across, down = photo.pixels_per_mm or (image.xres, image.yres)
    interpretation = "rgb16" if pixels.dtype == np.uint16 else "srgb"
    image = image.copy(interpretation=interpretation, xres=across, yres=down)
    if photo.exif is not None:
        for field, kind, value in _exif_fields(photo.exif):
            image.set_type(kind, field, value)
    blocks = {"icc-profile-data": photo.icc, "xmp-data": photo.xmp, "iptc-data": photo.iptc}
    for field, block in blocks.items():
        if block is not None:
            image.set_type(pyvips.GValue.blob_type, field, block)
    return image


def _exif_fields(exif: bytes) -> list[tuple[str, int, Any]]:
    """Parse an EXIF block into the header fields from which libvips' savers write it again.

    They drop every tag that has no such field, and only its file readers make the fields: so the
    block is read back from a JPEG of one pixel. The thumbnail is left out, it shows the old photo.
    """
    block = exif if exif.startswith(b"Exif\x00\x00") else b"Exif\x00\x00" + exif
    if len(block) + 2 > 0xFFFF:
        return []
    pixel = pyvips.Image.black(1, 1).jpegsave_buffer(keep="none")
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    try:
        carrier = pyvips.Image.new_from_buffer(pixel[:2] + segment + pixel[2:], "")
    except pyvips.Error:
        return []
    names = [name for name in carrier.get_fields() if name.startswith("exif-")]
    return [(name, carrier.get_typeof(name), carrier.get(name)) for name in names]

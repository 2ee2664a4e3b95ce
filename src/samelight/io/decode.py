"""Opening image files through libvips: limits before decoding, and errors for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyvips

from samelight.errors import SamelightError
from samelight.io.metadata.heif import longest_side
from samelight.io.metadata.png import frames_of_png
from samelight.io.metadata.tiff import TiffKind, tiff_kind, without_association
from samelight.limits import MAX_MEGAPIXELS
from samelight.types import Note

_FORMATS = "JPEG, PNG, WebP, TIFF or AVIF"
_KINDS = ("jpeg", "png", "webp", "tiff", "heif")
_JPEG, _TIFF = b"\xff\xd8", (b"II", b"MM")
# ISO/IEC 23008-12: what a HEIF file's first box says where its pictures are coded as HEVC, and
# where it is a film.
_HEVC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftyphevc", b"ftypmif1")
_HEIF, _LONGEST_SIDE = b"ftyp", 100_000_000
_AVIF_SEQUENCE = b"ftypavis"
_BRAND = slice(4, 12)
# Values that a byte can make: JPEG spends a bit at least on 64 values or, in a channel of less
# resolution, on what they are enlarged to; Deflate makes 1032 bytes of one, and those 8 bits each.
_MOST_VALUES_A_BYTE = {"jpeg": 2000, "png": 1032 * 8}


class Opened(NamedTuple):
    """An image file whose header was read."""

    path: Path
    kind: str
    """Its container: "jpeg", "png", "webp", "tiff" or "heif"."""
    image: pyvips.Image
    """For one pass from top to bottom."""
    page: int
    """Which of its pictures, from 0."""
    error: type[SamelightError]
    notes: tuple[Note, ...]


def open_picture(
    path: str | Path,
    error: type[SamelightError],
    *,
    page: int | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Opened:
    """Open an image file.

    Args:
        path: the file; its content decides the format, not its name.
        error: what to raise if it cannot be read.
        page: which of several pictures, from 1; None = the first, with a note if there are more.
        max_megapixels: larger pictures are refused.
    """
    path = Path(path)
    if not path.is_file():
        raise error(f"{path} is not a file: check the path")
    if path.stat().st_size == 0:
        raise error(f"{path} is empty: fetch or export it again")
    if page is not None and page < 1:
        raise error(f"page is {page}: pictures are counted from 1")
    image = _load(path, page, error)
    kind = str(image.get("vips-loader")).split("load")[0]
    if kind not in _KINDS:
        raise error(f"{path} is a {kind} file: save it as {_FORMATS}")
    opened = Opened(path, kind, image, (page or 1) - 1, error, _pages_note(path, kind, image, page))
    _require_size(opened, max_megapixels)
    _require_content(opened)
    return opened


def decode(
    opened: Opened, convert: Callable[[pyvips.Image], pyvips.Image] = lambda image: image
) -> tuple[npt.NDArray[Any], tuple[Note, ...]]:
    """Decode an opened file.

    Args:
        opened: the file.
        convert: what to do with its pixels on the way.

    Returns:
        (H,W,bands), and what there is to say of damage.
    """
    try:
        with _all_failures():
            return _as_array(convert(opened.image)), ()
    except pyvips.Error as failure:
        if opened.kind != "jpeg":
            raise decoding_error(opened) from failure
        reason = str(failure).strip().splitlines()[-1].removeprefix("VipsJpeg:").strip()
    try:
        with _all_failures():
            pixels = _as_array(convert(_load_jpeg(opened.path, "error")))
    except pyvips.Error as failure:
        raise decoding_error(opened) from failure
    text = f"{opened.path} is damaged ({reason}): what could be decoded was taken, look at it"
    return pixels, (Note("photo-damaged", text),)


def block(image: pyvips.Image, field: str) -> bytes | None:
    """Read a block of bytes such as `icc-profile-data` from an image's header, if it has it."""
    return bytes(image.get(field)) if image.get_typeof(field) != 0 else None


def orientation(image: pyvips.Image) -> int:
    """Read the EXIF orientation, 1 if there is none."""
    return int(image.get("orientation")) if image.get_typeof("orientation") != 0 else 1


def decoding_error(opened: Opened) -> SamelightError:
    """Say that a file opened and then broke off."""
    path = opened.path
    if _brand(path) in _HEVC_BRANDS:
        return opened.error(_no_hevc(path))
    if opened.kind == "tiff" and (kind := tiff_kind(path, opened.page)).unusual:
        return opened.error(_unusual_tiff(path, kind))
    return opened.error(f"{path} is damaged or cut short: fetch or export it again")


def _load(path: Path, page: int | None, error: type[SamelightError]) -> pyvips.Image:
    """Read a file's header."""
    with path.open("rb") as file:
        is_jpeg = file.read(len(_JPEG)) == _JPEG
    if _brand(path).startswith(_HEIF) and longest_side(path) > _LONGEST_SIDE:
        # libvips would complain to stderr.
        raise error(f"{path} is damaged: fetch or export it again")
    options = {} if page in (None, 1) else {"page": page - 1}
    try:
        with _all_failures():
            if is_jpeg:
                return _load_jpeg(path, "warning")
            return pyvips.Image.new_from_source(
                _source(path, (page or 1) - 1),
                "",
                access="sequential",
                fail_on="error",
                **options,
            )
    except pyvips.Error as failure:
        if is_jpeg:
            return _load_damaged_jpeg(path, error)
        raise _opening_error(path, page, error) from failure


def _load_jpeg(path: Path, fail_on: str) -> pyvips.Image:
    # By its own loader: that for gain maps, which libvips prefers, drops the JPEG's metadata.
    return pyvips.Image.jpegload_source(_source(path), access="sequential", fail_on=fail_on)


def _load_damaged_jpeg(path: Path, error: type[SamelightError]) -> pyvips.Image:
    try:
        with _all_failures():
            return _load_jpeg(path, "error")
    except pyvips.Error as failure:
        raise error(f"{path} is not a picture: wanted {_FORMATS}") from failure


@contextmanager
def _all_failures() -> Iterator[None]:
    """Let every failure be pyvips' own, also where libvips quotes bytes that are no text."""
    try:
        yield
    except UnicodeDecodeError as failure:
        pyvips.vips_lib.vips_error_clear()
        raise pyvips.Error("libvips says what is no text") from failure


def _source(path: Path, page: int = 0) -> pyvips.Source:
    with path.open("rb") as file:
        is_tiff = file.read(2) in _TIFF
    if is_tiff and (data := without_association(path, page)) is not None:
        return pyvips.Source.new_from_memory(data)
    # By source and not by name: libvips would read "[...]" in a file's name as options.
    return pyvips.Source.new_from_file(str(path))


def _opening_error(path: Path, page: int | None, error: type[SamelightError]) -> SamelightError:
    brand = _brand(path)
    if brand in _HEVC_BRANDS:
        return error(_no_hevc(path))
    if brand == _AVIF_SEQUENCE:
        return error(f"{path} is an animated AVIF: save the picture you want of it as a still one")
    kind = tiff_kind(path, (page or 1) - 1)
    if kind.unusual:
        return error(_unusual_tiff(path, kind))
    if page not in (None, 1):
        return error(f"{path} has no picture {page}: ask for an earlier one, from 1")
    return error(f"{path} is not a picture: wanted {_FORMATS}")


def _require_size(opened: Opened, max_megapixels: float) -> None:
    """Refuse a picture that is too large to be wanted."""
    width, height = opened.image.width, opened.image.height
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise opened.error(
            f"{opened.path} is {width} x {height} ({megapixels:.0f} megapixels), and more than "
            f"{max_megapixels:g} are refused: make it smaller, or raise --max-megapixels (in "
            "Python max_megapixels)"
        )


def _require_content(opened: Opened) -> None:
    """Refuse what libvips reads wrongly, and what cannot be all there.

    Most of such a picture would be filled with gray, for a file of a few bytes in gigabytes.
    """
    image, most = opened.image, _MOST_VALUES_A_BYTE.get(opened.kind)
    if opened.kind == "tiff":
        kind = tiff_kind(opened.path, opened.page)
        most = kind.most_values_a_byte
        if kind.is_misread:
            raise opened.error(_unusual_tiff(opened.path, kind))
    values = image.width * image.height * image.bands
    if most is not None and values > most * opened.path.stat().st_size:
        raise decoding_error(opened)


def _pages_note(path: Path, kind: str, image: pyvips.Image, page: int | None) -> tuple[Note, ...]:
    pages = int(image.get("n-pages")) if image.get_typeof("n-pages") != 0 else 1
    how = "--page picks another, in Python page"
    if kind == "png":
        pages, how = frames_of_png(path), "save another as a still picture"
    if pages == 1 or page is not None:
        return ()
    text = f"{path} holds {pages} pictures: the first was taken ({how})"
    return (Note("photo-pages", text),)


def _brand(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BRAND.stop)[_BRAND]


def _unusual_tiff(path: Path, kind: TiffKind) -> str:
    return (
        f"{path} is a TIFF with {' and '.join(kind.unusual)}, which cannot be read here: save it "
        "as RGB or gray with 8 or 16 bits, uncompressed or with LZW or Deflate"
    )


def _no_hevc(path: Path) -> str:
    return (
        f"{path} is a HEIC file and this libvips has no HEVC codec for it: save it as AVIF, TIFF "
        "or JPEG, or use a system libvips with libde265 (pip uninstall pyvips-binary)"
    )


def _as_array(image: pyvips.Image) -> npt.NDArray[Any]:
    """(H,W,bands) in any case; pyvips itself leaves out what is 1."""
    pixels: npt.NDArray[Any] = np.asarray(image.numpy())
    return pixels.reshape(image.height, image.width, image.bands)

"""Image files through libvips: decoding with errors for people, and writing all or nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pyvips

from samelight.errors import OutputError, SamelightError

_LOADERS = ("jpegload", "pngload", "webpload", "tiffload", "heifload")
_FORMATS = "JPEG, PNG, WebP, TIFF or AVIF"
# ISO/IEC 23008-12: what a HEIF file's first box says where its pictures are coded as HEVC.
_HEVC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftyphevc", b"ftypmif1")
_BRAND = slice(4, 12)


def open_image(path: str | Path, error: type[SamelightError]) -> pyvips.Image:
    """Open an image file for one pass from top to bottom.

    Args:
        path: the file; its content decides the format, not its name.
        error: what to raise if it cannot be opened.
    """
    if not Path(path).is_file():
        raise error(f"{path} is not a file: check the path")
    try:
        # By source and not by name: libvips would read "[...]" in a file's name as options.
        source = pyvips.Source.new_from_file(str(path))
        image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")
    except pyvips.Error as failure:
        if _is_hevc(path):
            raise error(_no_hevc(path)) from failure
        raise error(f"{path} is not a picture: wanted {_FORMATS}") from failure
    loader = str(image.get("vips-loader"))
    if not loader.startswith(_LOADERS):
        raise error(f"{path} is a {loader.split('load')[0]} file: save it as {_FORMATS}")
    return image


def metadata(image: pyvips.Image, field: str) -> bytes | None:
    """Read a block of bytes such as `exif-data` from an image's header, if it has it."""
    return bytes(image.get(field)) if image.get_typeof(field) != 0 else None


def orientation(image: pyvips.Image) -> int:
    """Read the EXIF orientation, 1 if there is none."""
    return int(image.get("orientation")) if image.get_typeof("orientation") != 0 else 1


def decoding_error(path: str | Path, error: type[SamelightError]) -> SamelightError:
    """Say that a file opened and then broke off."""
    if _is_hevc(path):
        return error(_no_hevc(path))
    return error(f"{path} is damaged or cut short: fetch or export it again")


def _is_hevc(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(_BRAND.stop)[_BRAND] in _HEVC_BRANDS


def _no_hevc(path: str | Path) -> str:
    return (
        f"{path} is a HEIC file and this libvips has no HEVC codec for it: save it as AVIF, TIFF "
        "or JPEG, or use a system libvips with libde265 (pip uninstall pyvips-binary)"
    )


def require_writable_file(path: Path) -> None:
    """Refuse a place where no file could be written, before work is done for it.

    Args:
        path: where the file shall be.

    Raises:
        OutputError: if the folder is missing or closed, or a folder has that name.
    """
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: {path.parent} is not a folder, make it first")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: choose a folder and a name you may write to")


def write_whole(path: str | Path, write: Callable[[str], None]) -> None:
    """Write a file completely or not at all.

    Args:
        path: where the file shall be; an old one there is replaced.
        write: writes the file under the temporary name it is given, in the same folder.

    Raises:
        OutputError: if the file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.urandom(4).hex()}{path.suffix}")
    try:
        write(str(partial))
        partial.replace(path)
    except (OSError, pyvips.Error) as failure:
        reason = (str(failure).strip() or type(failure).__name__).splitlines()[-1]
        raise OutputError(f"cannot write {path}: {reason}") from failure
    finally:
        partial.unlink(missing_ok=True)

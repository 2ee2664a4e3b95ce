"""Bringing decoded pictures of any colour model to RGB."""

from collections.abc import Callable
from typing import NamedTuple

import pyvips

from samelight.color.profile import usable_profile
from samelight.errors import PhotoError
from samelight.types import Note

_RGB = ("srgb", "rgb", "rgb16")
_GRAY = ("b-w", "grey16")
# ICC.1:2022, header: the data colour space.
_SPACE = slice(16, 20)


class ToRgb(NamedTuple):
    """How a picture becomes RGB of 8 or 16 bits."""

    convert: Callable[[pyvips.Image], pyvips.Image]
    icc: bytes | None
    """The profile that holds afterwards."""
    is_srgb: bool
    """Whether a profile was used up on the way, so that what else the file says no longer holds."""
    notes: tuple[Note, ...]


def to_rgb(image: pyvips.Image, icc: bytes | None, name: str) -> ToRgb:
    """Find out how to bring a picture to 3 or 4 bands of 8 or 16 bits.

    Args:
        image: opened or made; its pixels are not looked at.
        icc: its profile; None stands for sRGB, or what is usual for gray and CMYK.
        name: what to call it.

    Raises:
        PhotoError: if it is of a kind that is not converted.
    """
    if image.format not in ("uchar", "ushort"):
        raise PhotoError(f"{name} holds {image.format} values: save it with 8 or 16 bits")
    depth = 16 if image.format == "ushort" else 8
    if image.interpretation in _RGB and image.bands in (3, 4):
        kept, notes = _profile_of_rgb(icc, name)
        if image.get_typeof("palette") != 0:
            text = f"{name} has a palette: it was converted to RGB"
            notes = (Note("photo-palette", text), *notes)
        return ToRgb(lambda picture: picture, kept, False, notes)
    if image.interpretation in _GRAY and image.bands in (1, 2):
        text = f"{name} is gray: it was converted to RGB, so that it can take on colour"
        through_profile = _through_profile(icc, depth, None)
        if icc is not None and icc[_SPACE] == b"GRAY" and _works(through_profile, image):
            return ToRgb(through_profile, None, True, (Note("photo-gray", text),))
        space = "rgb16" if depth == 16 else "srgb"
        gray = ToRgb(lambda picture: picture.colourspace(space), None, False, ())
        return gray._replace(notes=(Note("photo-gray", text), *_left_out(icc, name)))
    if image.interpretation == "cmyk" and image.bands == 4:
        text = f"{name} is CMYK: it was converted to sRGB, the whole picture"
        notes = (Note("photo-cmyk", text),)
        if icc is not None and icc[_SPACE] != b"CMYK":
            icc, notes = None, (*notes, *_left_out(icc, name))
        return ToRgb(_through_profile(icc, depth, "cmyk"), None, True, notes)
    raise PhotoError(
        f"{name} has {image.bands} bands of {image.interpretation}: save it as RGB, gray or CMYK"
    )


def _through_profile(
    icc: bytes | None, depth: int, otherwise: str | None
) -> Callable[[pyvips.Image], pyvips.Image]:
    """To sRGB through a profile, or through libvips' own of a name if it cannot be read."""

    def convert(picture: pyvips.Image) -> pyvips.Image:
        picture = picture.copy()
        picture.remove("icc-profile-data")
        if icc is not None:
            picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
        options = {} if otherwise is None else {"input_profile": otherwise}
        return picture.icc_transform("srgb", embedded=True, depth=depth, **options)

    return convert


def _works(convert: Callable[[pyvips.Image], pyvips.Image], image: pyvips.Image) -> bool:
    """Whether a conversion goes through, tried on one pixel of a picture's kind."""
    pixel = pyvips.Image.black(1, 1, bands=image.bands).cast(image.format)
    try:
        convert(pixel.copy(interpretation=image.interpretation)).avg()
    except pyvips.Error:
        return False
    return True


def _profile_of_rgb(icc: bytes | None, name: str) -> tuple[bytes | None, tuple[Note, ...]]:
    """Keep a profile that describes RGB values."""
    if icc is None or usable_profile(icc) is not None:
        return icc, ()
    if len(icc) > _SPACE.stop and icc[_SPACE] != b"RGB ":
        return None, _left_out(icc, name)
    text = f"the colour profile of {name} cannot be read: it was kept, and taken for sRGB"
    return icc, (Note("photo-profile", text),)


def _left_out(icc: bytes | None, name: str) -> tuple[Note, ...]:
    if icc is None:
        return ()
    text = f"the colour profile of {name} does not describe its kind of pixels: it was left out"
    return (Note("photo-profile", text),)

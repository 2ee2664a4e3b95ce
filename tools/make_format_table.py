"""Write the table of docs/photos.md that says what each format carries.

    python tools/make_format_table.py

It writes one photo that has everything into every format and lets exiftool say what is there
(Debian: libimage-exiftool-perl). tests/tools/test_format_table.py holds the page to it.
"""

import json
import re
import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from samelight.color.code_points import Cicp, profile_of_cicp
from samelight.io.metadata.record import Metadata, Own
from samelight.io.photo import Photo, read_photo, write_photo

PAGE = Path(__file__).parents[1] / "docs" / "photos.md"
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WebP": ".webp", "AVIF": ".avif"}
_MARKED = re.compile(r"<!-- formats -->\n.*?<!-- end -->", re.DOTALL)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    b' photoshop:Headline="a headline"/></rdf:RDF></x:xmpmeta>'
)
_KEYWORD = b"\x1c\x02\x19" + struct.pack(">H", 7) + b"keyword"
_PATH = b"8BIM" + struct.pack(">HHI", 2000, 0, 26) + bytes(26)
_P3, _SRGB_CURVE, _FULL_RANGE = 12, 13, 1

Tags = dict[str, Any]


def photo_with_everything(*, by_numbers: bool) -> Photo:
    """A small photo of 16 bits with alpha, colours, and every kind of metadata.

    Args:
        by_numbers: whether PNG's chunks say what its colours are, or a profile alone.
    """
    exif = Image.Exif()
    exif[271] = "a camera"
    below = exif.get_ifd(34665)
    below[33434], below[42036] = IFDRational(1, 250), "a lens"
    ramp = np.tile(np.linspace(0, 65535, 32).astype(np.uint16), (24, 1))
    cicp = Cicp(_P3, _SRGB_CURVE, 0, _FULL_RANGE)
    colours = (Own("PNG", "cICP", bytes(cicp), None),) if by_numbers else ()
    own = (
        *colours,
        Own("PNG", "sBIT", bytes([12, 12, 12, 12]), None),
        Own("PNG", "tEXt", b"parameters\0a prompt", "the texts of a PNG"),
        Own("JPEG", "COM", b"a comment", "a JPEG comment"),
    )
    return Photo(
        np.dstack([ramp, ramp[::-1], ramp]),
        ramp,
        profile_of_cicp(cicp),
        Metadata(
            exif.tobytes().removeprefix(b"Exif\0\0"),
            _XMP,
            _KEYWORD,
            _PATH,
            (300 / 25.4, 300 / 25.4),
            own,
            associated_alpha=True,
        ),
    )


def _exif(tags: Tags, given: Photo, back: Photo) -> str:
    there = (tags.get("Make"), tags.get("ExposureTime"), tags.get("LensModel"))
    if there != ("a camera", 0.004, "a lens"):
        return "no"
    before, after = given.metadata.exif or b"", back.metadata.exif or b""
    # Its head may lead to a new directory with the resolution, behind all that was there.
    return "to the byte" if before[8:] in after else "its tags"


def _paths(_tags: Tags, given: Photo, back: Photo) -> str:
    return "yes" if back.metadata.photoshop == given.metadata.photoshop else "no"


def _resolution(tags: Tags, _given: Photo, _back: Photo) -> str:
    if tags.get("XResolution") == 300:
        return (
            "yes" if tags.get("JFIFVersion") or "PhotometricInterpretation" in tags else "in EXIF"
        )
    return "yes" if tags.get("PixelsPerUnitX") == round(300 / 0.0254) else "no"


def _colours(tags: Tags, given: Photo, back: Photo) -> str:
    if tags.get("ColorPrimaries") == _P3 and "ProfileDescription" not in tags:
        return "yes"
    return "as a profile" if back.icc == given.icc else "no"


def _depth(_tags: Tags, given: Photo, back: Photo) -> str:
    if back.pixels.dtype == np.uint8 or back.alpha is None or given.alpha is None:
        return "8"
    return "16" if np.array_equal(back.alpha, given.alpha) else "12"


def _associated(tags: Tags, _given: Photo, back: Photo) -> str:
    if back.alpha is None:
        return "no"
    return "yes" if tags.get("ExtraSamples") == 1 else "divided by it"


def _has(name: str, value: object) -> Callable[[Tags, Photo, Photo], str]:
    return lambda tags, _given, _back: "yes" if tags.get(name) == value else "no"


FIELDS: dict[str, Callable[[Tags, Photo, Photo], str]] = {
    "bits a channel": _depth,
    "transparency": lambda _tags, _given, back: "no, over white" if back.alpha is None else "yes",
    "associated alpha": _associated,
    "colour profile (ICC)": lambda _tags, given, back: "yes" if back.icc == given.icc else "no",
    "colours by numbers (cICP, nclx, gAMA and cHRM)": _colours,
    "significant bits (sBIT)": _has("SignificantBits", "12 12 12 12"),
    "EXIF": _exif,
    "XMP": _has("Headline", "a headline"),
    "IPTC": _has("Keywords", "keyword"),
    "clipping paths": _paths,
    "print resolution": _resolution,
    "texts of a PNG (tEXt, zTXt, iTXt)": _has("Parameters", "a prompt"),
    "comment of a JPEG": _has("Comment", "a comment"),
}
"""Each looks at what exiftool says of a file, at what was given, and at what is read back."""


def table() -> str:
    """Write the photo into every format, and set out what arrived.

    Raises:
        FileNotFoundError: if there is no exiftool.
    """
    columns = {name: _column(suffix) for name, suffix in FORMATS.items()}
    rows = [["", *columns], ["---"] * (1 + len(columns))]
    rows += [[field, *cells] for field, *cells in zip(FIELDS, *columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _column(suffix: str) -> list[str]:
    """What arrives in one format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"photo{suffix}"
        cells = {}
        for by_numbers in (True, False):
            given = photo_with_everything(by_numbers=by_numbers)
            write_photo(path, given)
            tags, back = _exiftool(path), read_photo(path)
            for name, look in FIELDS.items():
                if (look is _colours) == by_numbers:
                    cells[name] = look(tags, given, back)
    return [cells[name] for name in FIELDS]


def fill(page: str) -> str:
    """Replace the marked table of a page by today's."""
    return _MARKED.sub(f"<!-- formats -->\n{table()}\n<!-- end -->", page)


def _exiftool(path: Path) -> Tags:
    asked = ["exiftool", "-json", "-n", str(path)]
    said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    tags: Tags = json.loads(said)[0]
    return tags


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text("utf-8")), "utf-8")

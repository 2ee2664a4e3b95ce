"""Harmonize whatever pictures a folder holds, and count what becomes of them.

    python tools/corpus_run.py FOLDER

Made for folders of odd files, such as the test suites of image libraries. Each file is harmonized
inside an ellipse and written as TIFF; outside of it every value must be the one that another
decoder (tifffile, pypng or Pillow) finds in the file. Prints a line for each file that is not
written and exact, or refused; then a table.
"""

import argparse
import tempfile
import traceback
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import png
import tifffile
from guarded import Guarded
from PIL import Image, ImageOps

from samelight.edit import edit
from samelight.errors import SamelightError
from samelight.io.photo import Photo, read_photo, write_photo
from samelight.mask.mask import Mask

_MOST_SECONDS = 60.0
_FINE = ("exact", "refused")
# Of the rounding of another JPEG or AV1 decoder.
_NEAR = 2
# Pillow turns by these as well; samelight leaves them, and the picture, as they are.
_ORIENTATIONS_LEFT_ALONE = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16))


def become_of(path: Path) -> str:
    """Harmonize a file.

    Returns:
        "exact", "near" (by 2 levels of 255), "not compared" (no other decoder reads it, or its
        colours were converted), "inexact", "refused", or a traceback.
    """
    try:
        before = read_photo(path)
        height, width = before.pixels.shape[:2]
        down, across = (np.linspace(-1, 1, size, dtype=np.float32) for size in (height, width))
        mask = Mask.of(down[:, None] ** 2 + across**2 < 0.4)
        after = edit(before, mask).photo
        with tempfile.TemporaryDirectory() as folder:
            write_photo(Path(folder) / "after.tif", after)
            written = _first_page(Path(folder) / "after.tif")
    except SamelightError as refusal:
        return "refused" if len(str(refusal).splitlines()) == 1 else "long line"
    except Exception:  # whatever comes is what is looked for
        return traceback.format_exc()
    return _compared(before, written, _decoded_elsewhere(path), mask.coverage == 0)


def _compared(
    before: Photo,
    written: npt.NDArray[Any] | None,
    elsewhere: npt.NDArray[Any] | None,
    background: npt.NDArray[np.bool_],
) -> str:
    if (
        written is None
        or elsewhere is None
        or before.metadata.associated_alpha
        or _is_converted(before)
    ):
        return "not compared"
    if elsewhere.shape != written.shape or elsewhere.dtype != written.dtype:
        return "inexact"
    off = np.abs(written[background].astype(int) - elsewhere[background])
    if off.max(initial=0) == 0:
        return "exact"
    return "near" if off.max() <= _NEAR * np.iinfo(written.dtype).max / 255 else "inexact"


def _is_converted(photo: Photo) -> bool:
    """Whether values are not those of the file, but for being repeated in three channels."""
    said = {note.kind for note in photo.notes}
    return bool(said & {"photo-cmyk", "photo-damaged", "photo-raw"})


def _decoded_elsewhere(path: Path) -> npt.NDArray[Any] | None:
    """Decode RGB of 8 or 16 bits without libvips; None where the other libraries cannot."""
    try:
        if path.read_bytes()[:2] in (b"II", b"MM"):
            return _first_page(path)
        with Image.open(path) as image:
            # Decoders of AV1 differ in how they enlarge half-size colours.
            if image.format == "AVIF" or (
                "icc_profile" in image.info and image.mode in ("L", "LA")
            ):
                return None
            is_deep = image.format == "PNG" and ";16B" in str(image.tile[0][3])
            if not is_deep:
                for name in _ORIENTATIONS_LEFT_ALONE:
                    image.info.pop(name, None)
                upright: Image.Image = ImageOps.exif_transpose(image)
                return np.asarray(upright.convert("RGBA"))[..., :3]
        width, height, rows, _ = png.Reader(str(path)).asDirect()
        deep = np.vstack([np.asarray(row, np.uint16) for row in rows])
        return _three_channels(deep.reshape(height, width, -1))
    except Exception:  # a decoder that cannot is no judge
        return None


def _first_page(path: Path) -> npt.NDArray[Any] | None:
    """A TIFF file's picture as tifffile reads it, if it is gray or RGB of whole numbers."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        values: npt.NDArray[Any] = page.asarray()
        if page.photometric.name not in ("RGB", "MINISBLACK") or values.dtype not in _DEPTHS:
            return None
        is_planar = page.planarconfig.name == "SEPARATE"
    return _three_channels(np.moveaxis(values, 0, -1) if is_planar else values)


def _three_channels(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values = np.atleast_3d(values)
    return values[..., :3] if values.shape[-1] >= 3 else np.repeat(values[..., :1], 3, axis=-1)


def main() -> None:
    """Go through a folder and say what became of its files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    paths = sorted(p for p in parser.parse_args().folder.rglob("*") if p.is_file())
    warnings.simplefilter("ignore")
    harmonize = Guarded(become_of, most_seconds=_MOST_SECONDS)
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for path in paths:
        kind = harmonize(path).kind
        if "Traceback" in kind:
            print(path, kind, sep="\n")  # noqa: T201
            kind = "traceback"
        elif kind not in _FINE:
            print(path, kind)  # noqa: T201
        tallies[path.suffix.lower()][kind] += 1
    harmonize.close()
    for suffix, tally in sorted(tallies.items()):
        print(suffix or "no ending", dict(tally.most_common()))  # noqa: T201


if __name__ == "__main__":
    main()

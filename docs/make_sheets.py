"""Make the contact sheets of docs/methods/house.md, and the README's picture.

`python docs/make_sheets.py real DIR` lays out composites made by people (DIR holds `*_comp.*` and
`*_mask.png`), each before and after. `python docs/make_sheets.py lights DIR` pastes the example's
otter before pairs of photos from DIR and prints what became of it as a table; the first pair is
the README's.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from samelight import Harmonizer
from samelight.explain import explain_correction
from samelight.io.mask import as_float, read_mask
from samelight.io.photo import read_photo
from samelight.lab.evaluation.report import markdown_table
from samelight.render import render
from samelight.types import FloatArray, Pixels

_ROOT = Path(__file__).resolve().parent.parent
_IMAGES = _ROOT / "docs" / "images"
_TILE = (200, 134)
_GAP_PX = 4
_PER_ROW = 8
# The author's own photos (bmlswp, MIT) and a set of which anyone may "use these media files
# however you wish" (mdextract).
_LIGHTS = {
    "autumn avenue / blue street": ("mdextract__Canon-PowerShot-S30-2-", "bmlswp__building21"),
    "desert / snowy mountains": ("mdextract__Canon-IXUS-430", "mdextract__Nikon-E990"),
    "red evening / hazy city": ("mdextract__Canon-PowerShot-G11", "mdextract__Minolta-DiMAGE-A1"),
    "autumn wood / misty valley": ("bmlswp__scene19", "mdextract__Nikon-E775"),
    "sunny park / blue house": ("bmlswp__scene28", "bmlswp__building22"),
    "lamplight / ski slope": ("mdextract__Canon-PowerShot-SD600", "mdextract__Canon-PowerShot-A70"),
    "night / overcast": ("mdextract__Canon-PowerShot-S40-2-", "mdextract__Sony-DSC-HX5V-2-"),
    "arch at night / pale field": (
        "mdextract__Samsung-SM-G935L-Galaxy-S7-Edge-",
        "bmlswp__scene29",
    ),
    "restaurant / under water": (
        "mdextract__FujiFilm-DS-7-3-",
        "mdextract__Canon-PowerShot-A720-IS",
    ),
    "sunset / snow": ("mdextract__FujiFilm-FinePixS5500", "mdextract__Nikon-D3100"),
}


class Look(NamedTuple):
    """A composite before and after, and what was done in numbers."""

    before: Pixels
    after: Pixels
    lightness: float
    warmth: float


def look(harmonizer: Harmonizer, composite: Pixels, mask: FloatArray) -> Look:
    """Harmonize one composite."""
    found = harmonizer.inspect(composite, mask)
    told = explain_correction(found.correction, found.composite, found.mask)
    after = render(composite, mask, found.correction)
    return Look(composite, after, told["lightness"], told["warmth"])


def real(harmonizer: Harmonizer, folder: Path) -> None:
    """Composites made by people, before and after: house-real.jpg."""
    tiles = []
    for path in sorted(folder.rglob("*_comp.*")):
        mask = as_float(read_mask(path.with_name(path.stem.replace("_comp", "_mask") + ".png")))
        shown = look(harmonizer, read_photo(path).pixels, mask)
        tiles += [shown.before, shown.after]
    _save("house-real", tiles)


def lights(harmonizer: Harmonizer, folder: Path) -> None:
    """The otter before ten pairs of photos, before and after: two pictures and a table."""
    own = read_photo(_ROOT / "examples" / "composite.jpg").pixels
    mask = as_float(read_mask(_ROOT / "examples" / "mask.png"))
    tiles, rows = [], []
    for names, stems in _LIGHTS.items():
        looks = []
        for stem in stems:
            (path,) = folder.rglob(f"{stem}.*")
            background = Image.fromarray(read_photo(path).pixels)
            fitted = np.asarray(ImageOps.fit(background, (own.shape[1], own.shape[0])))
            composite = np.rint(fitted + mask[..., None] * (own.astype(np.float32) - fitted))
            looks.append(look(harmonizer, composite.astype(np.uint8), mask))
            tiles += [looks[-1].before, looks[-1].after]
        first, second = looks
        rows.append(
            (
                names,
                *(f"{each.lightness:+.1f}" for each in looks),
                *(f"{each.warmth:+.1f}" for each in looks),
                f"{first.lightness - second.lightness:+.1f}",
                f"{first.warmth - second.warmth:+.1f}",
            )
        )
    _save("house-lights", tiles)
    _save("demo", tiles[:4], tile=(375, 250))
    heads = ("backgrounds", "L* 1st", "L* 2nd", "b* 1st", "b* 2nd", "L* apart", "b* apart")
    sys.stdout.write(markdown_table(heads, rows) + "\n")


def _save(name: str, tiles: list[Pixels], tile: tuple[int, int] = _TILE) -> None:
    width, height = (side + _GAP_PX for side in tile)
    columns = min(_PER_ROW, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width - _GAP_PX, rows * height - _GAP_PX), "white")
    for number, pixels in enumerate(tiles):
        padded = ImageOps.pad(Image.fromarray(pixels), tile, color="white")
        down, across = divmod(number, columns)
        sheet.paste(padded, (across * width, down * height))
    sheet.save(_IMAGES / f"{name}.jpg", quality=85, optimize=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sheet", choices=("real", "lights"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=None)
    arguments = parser.parse_args()
    {"real": real, "lights": lights}[arguments.sheet](Harmonizer(arguments.model), arguments.folder)


if __name__ == "__main__":
    main()

"""Make the contact sheets of docs/methods/samelight.md, and the README's picture.

`python tools/make_sheets.py real DIR` lays out composites made by people (DIR holds `*_comp.*` and
`*_mask.png`), each before, after, and after a bold correction. `python tools/make_sheets.py lights
DIR` pastes the example's otter before pairs of photos from DIR in the same way and prints what
became of it as a table; the first pair is the README's, before and bold.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from samelight.correction.describe import explain_correction
from samelight.edit import EditOptions, edit
from samelight.io.photo import Photo, read_photo
from samelight.lab.evaluation.report import markdown_table
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL
from samelight.types import FloatArray, Pixels

_ROOT = Path(__file__).resolve().parent.parent
_IMAGES = _ROOT / "docs" / "images"
_TILE = (200, 134)
_GAP_PX = 4
_PER_ROW = 6
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


class Change(NamedTuple):
    """What became of a composite, and in CIE Lab units how its foreground changed."""

    picture: Pixels
    lightness: float
    warmth: float


class Look(NamedTuple):
    """A composite and what is made of it."""

    before: Pixels
    after: Change
    gated: Change

    @property
    def tiles(self) -> list[Pixels]:
        """The three pictures."""
        return [self.before, self.after.picture, self.gated.picture]


def look(model: str, composite: Pixels, mask: FloatArray) -> Look:
    """Harmonize one composite in full, and with the gate."""
    return Look(
        composite,
        _change(EditOptions(model=model), composite, mask),
        _change(EditOptions(model=model, gate="auto"), composite, mask),
    )


def _change(options: EditOptions, composite: Pixels, mask: FloatArray) -> Change:
    result = edit(Photo(composite), Mask(mask), options)
    told = explain_correction(result.correction, result.composite, result.small_mask)
    return Change(result.pixels, told["lightness"], told["warmth"])


def real(model: str, folder: Path) -> None:
    """Composites made by people: samelight-real.jpg."""
    tiles: list[Pixels] = []
    for path in sorted(folder.rglob("*_comp.*")):
        mask = Mask.of(path.with_name(path.stem.replace("_comp", "_mask") + ".png")).as_float()
        tiles += look(model, read_photo(path).pixels, mask).tiles
    _save("samelight-real", tiles)


def lights(model: str, folder: Path) -> None:
    """The otter before ten pairs of photos: two pictures and a table."""
    own = read_photo(_ROOT / "examples" / "composite.jpg").pixels
    mask = Mask.of(_ROOT / "examples" / "mask.png").as_float()
    looks, rows = [], []
    for names, stems in _LIGHTS.items():
        for stem in stems:
            (path,) = folder.rglob(f"{stem}.*")
            background = Image.fromarray(read_photo(path).pixels)
            fitted = np.asarray(ImageOps.fit(background, (own.shape[1], own.shape[0])))
            composite = np.rint(fitted + mask[..., None] * (own.astype(np.float32) - fitted))
            looks.append(look(model, composite.astype(np.uint8), mask))
        first, second = looks[-2:]
        once = first.after, second.after
        cells = [each.lightness for each in once] + [each.warmth for each in once]
        for one, two in (once, (first.gated, second.gated)):
            cells += [one.lightness - two.lightness, one.warmth - two.warmth]
        rows.append((names, *(f"{cell:+.1f}" for cell in cells)))
    _save("samelight-lights", [tile for one in looks for tile in one.tiles])
    demo = [picture for one in looks[:2] for picture in (one.before, one.after.picture)]
    _save("demo", demo, tile=(375, 250))
    heads = ["backgrounds", "L* 1st", "L* 2nd", "b* 1st", "b* 2nd", "L* apart", "b* apart"]
    heads += ["gate auto: L* apart", "b* apart"]
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
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    {"real": real, "lights": lights}[arguments.sheet](arguments.model, arguments.folder)


if __name__ == "__main__":
    main()

"""Make the contact sheet of docs/methods/samelight.md: composites made by people.

    python tools/make_sheets.py DIR [--model MODEL]

DIR holds `*_comp.*` and `*_mask.png`; each is shown before, after, and after with `--gate auto`.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import samelight
from samelight.io.photo import read_photo
from samelight.models.registry import DEFAULT_MODEL
from samelight.types import Pixels

_SHEET = Path(__file__).resolve().parents[1] / "docs" / "images" / "samelight-real.jpg"
_TILE = (200, 134)
_GAP_PX = 4
_PER_ROW = 6


def tiles_of(folder: Path, model: str) -> list[Pixels]:
    """Three pictures for every composite."""
    tiles: list[Pixels] = []
    for path in sorted(folder.rglob("*_comp.*")):
        mask = path.with_name(path.stem.replace("_comp", "_mask") + ".png")
        after = samelight.harmonize(path, mask, model=model)
        gated = samelight.harmonize(path, mask, model=model, gate="auto")
        tiles += [read_photo(path).pixels, after.pixels, gated.pixels]
    return tiles


def sheet_of(tiles: list[Pixels]) -> Image.Image:
    """Lay tiles out in rows."""
    width, height = (side + _GAP_PX for side in _TILE)
    rows = -(-len(tiles) // _PER_ROW)
    sheet = Image.new("RGB", (_PER_ROW * width - _GAP_PX, rows * height - _GAP_PX), "white")
    for number, pixels in enumerate(tiles):
        padded = ImageOps.pad(Image.fromarray(np.asarray(pixels)), _TILE, color="white")
        down, across = divmod(number, _PER_ROW)
        sheet.paste(padded, (across * width, down * height))
    return sheet


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    sheet = sheet_of(tiles_of(arguments.folder, arguments.model))
    sheet.save(_SHEET, quality=85, optimize=True)


if __name__ == "__main__":
    main()

"""What becomes of cut-outs in plain daylight before unlike backgrounds: docs/methods/samelight.md.

    python studies/paste_suite.py CUTOUTS BACKGROUNDS [--model MODEL] [--sheet FILE]

Every cut-out of a folder (RGBA pictures) is pasted before every photo of another; told is the mean
change of the object by the default settings, in CIE Lab: of lightness, with that of the object
that is darkened least, and of b*, which is warmth. The sheet shows each before and after.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.color.spaces import rgb_to_lab
from samelight.edit import edit
from samelight.io.photo import Photo
from samelight.lab.evaluation.report import markdown_table
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL
from samelight.options import EditOptions
from samelight.types import Pixels

_FRAME = (900, 600)
_MOST_HIGH, _MOST_WIDE, _ABOVE_BOTTOM = 380, 460, 40
_SHEET_STEP = 3


class Pasted(NamedTuple):
    """A cut-out before a background."""

    composite: Pixels
    """(600,900,3) uint8."""
    mask: Mask


def pasted(cutouts: list[Path], background: Path) -> Iterator[Pasted]:
    """Paste every cut-out, its colours untouched, at the middle of the lower edge."""
    with Image.open(background) as photo:
        behind = photo.convert("RGB").resize(_FRAME)
    for path in cutouts:
        with Image.open(path) as picture:
            cutout = picture.convert("RGBA")
        high = cutout.height > cutout.width
        scale = _MOST_HIGH / cutout.height if high else _MOST_WIDE / cutout.width
        size = int(cutout.width * scale), int(cutout.height * scale)
        cutout = cutout.resize(size, Image.Resampling.LANCZOS)
        place = (_FRAME[0] - size[0]) // 2, _FRAME[1] - size[1] - _ABOVE_BOTTOM
        composite, mask = behind.copy(), Image.new("L", _FRAME)
        composite.paste(cutout, place, cutout)
        mask.paste(cutout.getchannel("A"), place)
        yield Pasted(np.asarray(composite), Mask.of(mask))


def change(before: Pixels, after: Pixels, mask: Mask) -> npt.NDArray[np.float64]:
    """Mean change of L*, a* and b* over the object."""
    lab_before, lab_after = (rgb_to_lab(p / np.float32(255)) for p in (before, after))
    moved = (lab_after - lab_before).reshape(-1, 3).astype(np.float64)
    mean: npt.NDArray[np.float64] = np.average(moved, axis=0, weights=mask.as_float().ravel())
    return mean


def main() -> None:
    """Print a row per background."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cutouts", type=Path)
    parser.add_argument("backgrounds", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    options = EditOptions(model=arguments.model)
    cutouts = sorted(arguments.cutouts.glob("*.png"))
    rows, tiles = [], []
    for background in sorted(arguments.backgrounds.glob("*.jpg")):
        moved, line = [], []
        for composite, mask in pasted(cutouts, background):
            after = edit(Photo(composite), mask, options).pixels
            moved.append(change(composite, after, mask))
            small = (p[::_SHEET_STEP, ::_SHEET_STEP] for p in (composite, after))
            line.append(np.concatenate(list(small)))
        found = np.array(moved)
        cells = found[:, 0].mean(), found[:, 0].max(), found[:, 2].mean()
        rows.append((background.stem, *(f"{cell:+.1f}" for cell in cells)))
        tiles.append(np.concatenate(line, axis=1))
    heads = ("background", "L* in the mean", "L* of the one darkened least", "b* in the mean")
    sys.stdout.write(markdown_table(heads, rows) + "\n")
    if arguments.sheet is not None:
        Image.fromarray(np.concatenate(tiles)).save(arguments.sheet, quality=85)


if __name__ == "__main__":
    main()

"""Rebuild the example composite and its mask from the two photos they were made of.

Run it as `python make_example.py OTTERS.jpg WREN.jpg`; SOURCES.md names both photos.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

_HERE = Path(__file__).resolve().parent
_SIZE = (1400, 933)

# The part of the wren's photo shown, in its own pixels: left, top, right, bottom.
_WREN_BOX = (0, 0, 3240, 2160)
# A lens that shows an otter this large leaves what lies behind it a little soft.
_WREN_BLUR = 1.5
# How far the otters' photo is moved down; the rows below the frame are cut off.
_DROP = 253
_FEATHER = 1.0


def make_example(otters: Path, wren: Path, folder: Path) -> None:
    """Write `composite.jpg` and `mask.png`.

    Args:
        otters: the photo the otter and its ledge are cut from, along `outline.png`.
        wren: the photo they are pasted into.
        folder: where both files go.
    """
    size = _size_at_full_width(otters)
    mask = _placed(_soft_outline(size))
    pasted = np.asarray(_placed(_photo(otters).resize(size, Image.Resampling.LANCZOS)))
    backdrop = _photo(wren).resize(_SIZE, Image.Resampling.LANCZOS, box=_WREN_BOX)
    behind = np.asarray(backdrop.filter(ImageFilter.GaussianBlur(_WREN_BLUR)))

    alpha = np.asarray(mask, dtype=np.float32)[..., None] / 255.0
    composite = alpha * pasted + (1.0 - alpha) * behind
    picture = Image.fromarray(np.rint(composite).astype(np.uint8))
    picture.save(folder / "composite.jpg", quality=92, optimize=True)
    mask.save(folder / "mask.png", optimize=True)


def _photo(path: Path) -> Image.Image:
    with Image.open(path) as photo:
        pixels: Image.Image = photo.convert("RGB")
    return pixels


def _size_at_full_width(path: Path) -> tuple[int, int]:
    with Image.open(path) as photo:
        return _SIZE[0], round(photo.height * _SIZE[0] / photo.width)


def _soft_outline(size: tuple[int, int]) -> Image.Image:
    with Image.open(_HERE / "outline.png") as outline:
        smooth = outline.convert("L").resize(size, Image.Resampling.BICUBIC)
    soft: Image.Image = smooth.filter(ImageFilter.GaussianBlur(_FEATHER))
    return soft


def _placed(picture: Image.Image) -> Image.Image:
    frame = Image.new(picture.mode, _SIZE)
    frame.paste(picture, (0, _DROP))
    return frame


def main() -> None:
    """Read the two paths from the command line and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("otters", type=Path, help="oakland-zoo-otters.jpg")
    parser.add_argument("wren", type=Path, help="canyon-wren.jpg")
    parser.add_argument("--folder", type=Path, default=_HERE, help="where the files go")
    arguments = parser.parse_args()
    make_example(arguments.otters, arguments.wren, arguments.folder)


if __name__ == "__main__":
    main()

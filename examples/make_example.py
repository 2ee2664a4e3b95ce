"""Rebuild the example composites and their mask from the photos they were made of.

Run it as `python make_example.py FOLDER`; SOURCES.md names the photos the folder must hold.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

_HERE = Path(__file__).resolve().parent
_SIZE = (1400, 933)

_OTTERS = "oakland-zoo-otters.jpg"
# By the composite's name: the photo that the otter is pasted into.
_BACKGROUNDS = {
    "composite": "beacon-street-sunset.jpg",
    "night": "high-trestle-trail.jpg",
    "haze": "tea-gardens.jpg",
}
# A lens that shows an otter this large leaves what lies behind it a little soft.
_BACKGROUND_BLUR = 1.5
# How far the otters' photo is moved down; the rows below the frame are cut off.
_DROP = 253
_FEATHER = 1.0


def make_examples(photos: Path, folder: Path) -> None:
    """Write the composites and `mask.png`.

    Args:
        photos: folder of the photos.
        folder: where the files go.
    """
    otters = _photo(photos / _OTTERS)
    size = _SIZE[0], round(otters.height * _SIZE[0] / otters.width)
    mask = _placed(_soft_outline(size))
    pasted = np.asarray(_placed(otters.resize(size, Image.Resampling.LANCZOS)))
    alpha = np.asarray(mask, dtype=np.float32)[..., None] / 255.0
    for name, background in _BACKGROUNDS.items():
        fitted = ImageOps.fit(_photo(photos / background), _SIZE, Image.Resampling.LANCZOS)
        behind = np.asarray(fitted.filter(ImageFilter.GaussianBlur(_BACKGROUND_BLUR)))
        composite = alpha * pasted + (1.0 - alpha) * behind
        picture = Image.fromarray(np.rint(composite).astype(np.uint8))
        picture.save(folder / f"{name}.jpg", quality=90, optimize=True)
    mask.save(folder / "mask.png", optimize=True)


def _photo(path: Path) -> Image.Image:
    with Image.open(path) as photo:
        pixels: Image.Image = photo.convert("RGB")
    return pixels


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
    """Read the folder from the command line and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the photos")
    parser.add_argument("--folder", type=Path, default=_HERE, help="where the files go")
    arguments = parser.parse_args()
    make_examples(arguments.photos, arguments.folder)


if __name__ == "__main__":
    main()

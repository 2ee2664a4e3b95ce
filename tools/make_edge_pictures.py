"""Make the pictures of docs/edges.md from the example: one piece of the edge at 400 %.

`python tools/make_edge_pictures.py` needs the extra `matting`.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from samelight import Correction
from samelight.io.photo import read_photo
from samelight.mask.despill import despill
from samelight.mask.edges import erode_coverage, feather_coverage
from samelight.mask.mask import Mask
from samelight.render.apply import render
from samelight.types import FloatArray, Pixels, as_float

_ROOT = Path(__file__).resolve().parent.parent
_IMAGES = _ROOT / "docs" / "images"
# The otter's back before the street, in pixels of the example: left, top, right, bottom.
_PIECE = (990, 575, 1090, 650)
_ZOOM = 4
_SPILL_PX = 4
# No network's: strong, so that one sees where it reaches.
_BLUE = np.diag(np.array([0.55, 0.85, 1.25, 1], np.float32))[None, None, :3]


def main() -> None:
    """Write one picture for each option."""
    photo = read_photo(_ROOT / "examples" / "composite.jpg")
    mask = Mask.of(_ROOT / "examples" / "mask.png").as_float()
    correction = Correction(_BLUE)
    # A mask that is three pixels too large, as a hasty cut-out's is.
    wide = 1 - erode_coverage(1 - mask, 3)
    spilled = _spill(photo.pixels, mask)
    clean = despill(spilled, mask, _SPILL_PX)
    pictures = {
        "composite": photo.pixels,
        "plain": render(photo.pixels, mask, correction),
        "wide": render(photo.pixels, wide, correction),
        "erode": render(photo.pixels, erode_coverage(wide, 3), correction),
        "feather": render(photo.pixels, feather_coverage(wide, 6), correction),
        "spill": render(spilled, mask, correction),
        "despill": render(clean, mask, correction),
    }
    for name, pixels in pictures.items():
        _save(name, pixels)
    _save("mask", np.repeat(np.rint(mask * 255).astype(np.uint8)[..., None], 3, axis=2))


def _spill(pixels: Pixels, mask: FloatArray) -> Pixels:
    """Lay a green screen's light over the rim, which the example's careful cut-out has none of."""
    inner = as_float(feather_coverage(erode_coverage(mask, 1), _SPILL_PX))
    share = (0.6 * mask * (1 - inner))[..., None]
    lit: Pixels = np.rint(pixels + share * (np.array([60, 200, 60]) - pixels)).astype(np.uint8)
    return lit


def _save(name: str, pixels: Pixels) -> None:
    piece = Image.fromarray(pixels).crop(_PIECE)
    large = piece.resize((piece.width * _ZOOM, piece.height * _ZOOM), Image.Resampling.NEAREST)
    large.save(_IMAGES / f"edge-{name}.png", optimize=True)


if __name__ == "__main__":
    main()

"""Make README's picture, docs/images/demo.jpg: the example composites, before and after.

python tools/make_demo.py [--model MODEL]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import samelight
from samelight.models.registry import DEFAULT_MODEL

_ROOT = Path(__file__).resolve().parents[1]
_NAMES = ("composite", "night", "haze")
_TILE = (480, 320)
_GAP_PX = 6


def main() -> None:
    """Write the picture: a column per composite, as it was above, harmonized below."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    examples = _ROOT / "examples"
    columns = len(_NAMES)
    size = columns * (_TILE[0] + _GAP_PX) - _GAP_PX, 2 * _TILE[1] + _GAP_PX
    sheet = Image.new("RGB", size, "white")
    for column, name in enumerate(_NAMES):
        before = examples / f"{name}.jpg"
        after = samelight.harmonize(before, examples / "mask.png", model=arguments.model)
        for row, pixels in enumerate((np.asarray(Image.open(before)), after.pixels)):
            tile = Image.fromarray(pixels).resize(_TILE, Image.Resampling.LANCZOS)
            sheet.paste(tile, (column * (_TILE[0] + _GAP_PX), row * (_TILE[1] + _GAP_PX)))
    sheet.save(_ROOT / "docs" / "images" / "demo.jpg", quality=86, optimize=True)


if __name__ == "__main__":
    main()

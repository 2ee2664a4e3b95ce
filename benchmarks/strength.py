"""Whether a model does too little or too much: docs/methods/house.md has the table.

`python benchmarks/strength.py PAIRS` harmonizes composites in iHarmony4's layout at 256 px, with
the correction at several strengths. If the error is least above 1, the model is too timid.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from samelight.harmonizer import Harmonizer
from samelight.lab.data.pairs import Pair, list_pairs
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.evaluation.report import markdown_table
from samelight.models import DEFAULT_MODEL
from samelight.render import render
from samelight.shrink import shrink
from samelight.types import FloatArray

STRENGTHS = (0.6, 0.8, 1.0, 1.15, 1.3, 1.5)
SIDE_PX = 256


def read(pair: Pair) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Composite, real image and mask, small and square."""
    small = []
    for path, mode in ((pair.composite, "RGB"), (pair.real, "RGB"), (pair.mask, "L")):
        with Image.open(path) as image:
            small.append(shrink(np.asarray(image.convert(mode)), SIDE_PX))
    composite, real, mask = small
    return composite, real, mask


def errors(harmonizer: Harmonizer, pair: Pair) -> list[float]:
    """The fMSE of the composite, and of it corrected at each strength."""
    composite, real, mask = read(pair)
    correction = harmonizer.predict(composite, mask)
    outputs = [render(composite, mask, correction.with_strength(s)) for s in STRENGTHS]
    return [foreground_mse_255(255 * o, 255 * real, mask) for o in (composite, *outputs)]


def main() -> None:
    """Print a row per strength."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    harmonizer = Harmonizer(arguments.model)
    found = np.array([errors(harmonizer, pair) for pair in list_pairs(arguments.pairs)])
    before, after = found[:, :1], found[:, 1:]
    ratios, improved = after.mean(axis=0) / before.mean(), (after < before).mean(axis=0)
    rows = [
        (f"{strength:.2f}", f"{ratio:.3f}", f"{100 * share:.1f} %")
        for strength, ratio, share in zip(STRENGTHS, ratios, improved, strict=True)
    ]
    sys.stdout.write(markdown_table(("strength", "fMSE / composite", "improved"), rows) + "\n")


if __name__ == "__main__":
    main()

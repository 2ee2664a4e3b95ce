"""How much of a photo around its object a network should see: docs/full-resolution.md's table.

`python studies/window.py PAIRS` runs a shipped network that makes one map for the whole object
over composites in iHarmony4's layout, shown windows of several sizes, and scores them at full size,
apart for objects that are small in their photo.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from samelight.correction.field import Correction
from samelight.lab.data.pairs import Pair, list_pairs
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.evaluation.report import markdown_table
from samelight.models.registry import DEFAULT_MODEL
from samelight.models.session import Session, open_session
from samelight.render.apply import render
from samelight.render.resample import WHOLE, resample, window_around

AROUND = (1.5, 2.0, 2.5, 3.0)
LEAST = 0.4
"""Of a window, as a share of the photo's sides, as in training."""
SMALL = 0.08
"""Share of a photo under which its object is called small: a quarter of the development set."""


def errors(session: Session, pair: Pair) -> tuple[float, list[float]]:
    """The object's share of the photo; fMSE of the composite, and of it corrected by each view."""
    pictures = []
    for path, mode in ((pair.composite, "RGB"), (pair.real, "RGB"), (pair.mask, "L")):
        with Image.open(path) as image:
            pictures.append(np.asarray(image.convert(mode)))
    composite, real, mask = pictures
    outputs = [composite]
    for window in (WHOLE, *(window_around(mask, around=around, least=LEAST) for around in AROUND)):
        seen = (resample(values, session.spec.size_px, window) for values in (composite, mask))
        outputs.append(render(composite, mask, Correction(session.correction(*seen)[0])))
    coverage = mask / np.float32(255)
    found = [foreground_mse_255(output.astype(np.float32), real, coverage) for output in outputs]
    return float((coverage > 0.5).mean()), found


def main() -> None:
    """Print a row per window."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    session = open_session(arguments.model)
    if session.spec.window is None:
        parser.error(f"{arguments.model} is shown whole photos: wanted one that makes one map")
    measured = [errors(session, pair) for pair in list_pairs(arguments.pairs)]
    shares, found = np.array([m[0] for m in measured]), np.array([m[1] for m in measured])
    rows = []
    titles = ("the whole photo", *(f"{around:g} times the object" for around in AROUND))
    for column, title in enumerate(titles, start=1):
        ratios = [
            f"{found[group, column].mean() / found[group, 0].mean():.3f}"
            for group in (shares >= 0, shares < SMALL, shares >= SMALL)
        ]
        better = 100 * (found[:, column] < found[:, 0]).mean()
        rows.append((title, *ratios, f"{better:.1f} %"))
    small = f"{(shares < SMALL).sum()} objects under {100 * SMALL:.0f} %"
    heads = ("shown", "fMSE / composite", small, "the others", "improved")
    sys.stdout.write(markdown_table(heads, rows) + "\n")


if __name__ == "__main__":
    main()

"""Whether a model does too little or too much: docs/methods/samelight.md has the figures.

`python studies/restraint.py PAIRS` takes composites in iHarmony4's layout. It applies the
correction at several strengths: if the error is least above 1, the model is too timid. It
harmonizes each result again, and the real images, which need nothing: if it changes them much, it
does not know when to stop. Where the model says how wrong it expects a foreground to be, that is
compared with how wrong it was, and with what it expects of the real images.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.stats import mannwhitneyu, spearmanr

from samelight.harmonizer import Harmonizer
from samelight.lab.data.pairs import Pair, list_pairs
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.evaluation.report import markdown_table
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL
from samelight.render.apply import render
from samelight.types import FloatArray

STRENGTHS = (0.6, 0.8, 1.0, 1.15, 1.3, 1.5)


class Triple(NamedTuple):
    """In [0,1]."""

    composite: FloatArray
    real: FloatArray
    mask: FloatArray


def read(pair: Pair) -> Triple:
    """Read a pair."""
    pictures = []
    for path, mode in ((pair.composite, "RGB"), (pair.real, "RGB"), (pair.mask, "L")):
        with Image.open(path) as image:
            pictures.append(np.asarray(image.convert(mode), np.float32) / np.float32(255))
    return Triple(*pictures)


def at_strengths(harmonizer: Harmonizer, triple: Triple) -> list[float]:
    """The fMSE of the composite, and of it corrected at each strength."""
    composite, real, mask = triple
    correction = harmonizer.predict(composite, Mask(mask)).correction
    outputs = [render(composite, mask, correction.with_strength(s)) for s in STRENGTHS]
    # As they would be stored: a change of less than half a level is none.
    stored = (np.rint(255 * output) for output in (composite, *outputs))
    return [foreground_mse_255(output, 255 * real, mask) for output in stored]


def moves(harmonizer: Harmonizer, triple: Triple) -> list[float]:
    """Levels by which the foreground changes: the composite, its result again, the real image."""
    composite, real, mask = triple

    def harmonize(photo: FloatArray) -> FloatArray:
        return render(photo, mask, harmonizer.predict(photo, Mask(mask)).correction)

    once = harmonize(composite)
    again, needless = harmonize(once), harmonize(real)
    inside = mask > 0
    pairs = ((composite, once), (once, again), (real, needless))
    return [255 * float(np.abs(after - before)[inside].mean()) for before, after in pairs]


def error_estimates(harmonizer: Harmonizer, triple: Triple) -> list[float] | None:
    """Levels: the error expected of composite, result and real image, and the first two's own."""
    composite, real, mask = triple
    found = harmonizer.predict(composite, Mask(mask))
    if found.error_estimate is None:
        return None
    pictures = composite, render(composite, mask, found.correction)
    errors = [foreground_mse_255(255 * picture, 255 * real, mask) ** 0.5 for picture in pictures]
    needless = harmonizer.predict(real, Mask(mask)).error_estimate
    assert needless is not None
    expected = found.error_estimate
    return [expected.composite, expected.corrected, needless.composite, *errors]


def main() -> None:
    """Print a row per strength, how far things are moved, and what error estimates are worth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    harmonizer = Harmonizer(arguments.model)
    # One after the other: in memory together they would take gigabytes.
    strengths, moved, found_estimates = zip(
        *(
            tuple(measure(harmonizer, triple) for measure in (at_strengths, moves, error_estimates))
            for triple in map(read, list_pairs(arguments.pairs))
        ),
        strict=True,
    )
    found = np.array(strengths)
    before, after = found[:, :1], found[:, 1:]
    ratios, improved = after.mean(axis=0) / before.mean(), (after < before).mean(axis=0)
    rows = [
        (f"{strength:.2f}", f"{ratio:.3f}", f"{100 * share:.1f} %")
        for strength, ratio, share in zip(STRENGTHS, ratios, improved, strict=True)
    ]
    sys.stdout.write(markdown_table(("strength", "fMSE / composite", "improved"), rows) + "\n")
    first, second, needless = np.mean(moved, axis=0)
    sys.stdout.write(
        f"foregrounds move by {first:.2f} of 255 levels, in a second run by {second:.2f} "
        f"({second / first:.2f} of it), and those of real images by {needless:.2f}\n"
    )
    if None not in found_estimates:
        columns = np.array(found_estimates).T
        for what, told, true in zip(
            ("composites", "results"), columns[:2], columns[3:], strict=True
        ):
            sys.stdout.write(
                f"error expected of {what}: {np.median(told):.1f} levels in the median, found "
                f"{np.median(true):.1f}; rank correlation {spearmanr(told, true).statistic:.2f}\n"
            )
        composites, _, reals = columns[:3]
        apart = mannwhitneyu(composites, reals).statistic / (len(composites) * len(reals))
        sys.stdout.write(
            f"of a composite and a real image, more is expected of the composite in "
            f"{100 * apart:.0f} % of all cases\n"
        )


if __name__ == "__main__":
    main()

"""Whether a model does too little or too much, and what its gate is worth.

`python studies/gate.py PAIRS [PAIRS ...]` takes composites in iHarmony4's layout, and tells of each
folder: what is left of the error at several strengths (least above 1: the model does too little);
how far foregrounds move, also in a second run and those of real photos, which need nothing; what
the expected errors are worth; and what other gates would do. docs/methods/samelight.md has the
figures.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu, spearmanr

from samelight.harmonizer import Harmonizer
from samelight.lab.calibrate import Measured, measure_folder
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.triples import Triple, read_triple
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.evaluation.report import markdown_table
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL
from samelight.models.spec import Gate
from samelight.render.apply import render
from samelight.types import Pixels

STRENGTHS = (0.6, 0.8, 1.0, 1.15, 1.3, 1.5)
OPEN = (10, 20, 30, 40, 50, 60)
"""Levels from which on the gates that are tried correct in full."""


def weight_of(harmonizer: Harmonizer, expected: float, *, gated: bool) -> float:
    """How much of a correction is carried out."""
    gate = harmonizer.spec.gate
    return gate.weight(expected) if gated and gate else 1.0


def corrected(
    harmonizer: Harmonizer, pixels: Pixels, mask: Mask, *, gated: bool, strength: float = 1.0
) -> Pixels:
    """A photo after its correction, as it would be stored: a change of half a level is none."""
    found = harmonizer.predict(pixels, mask)
    expected = found.error_estimate.composite if found.error_estimate else 0.0
    weight = weight_of(harmonizer, expected, gated=gated)
    return render(pixels, mask.coverage, found.correction.with_strength(strength * weight))


def at_strengths(harmonizer: Harmonizer, triple: Triple, *, gated: bool) -> list[float]:
    """The fMSE of the composite, and of it corrected at each strength."""
    composite, coverage, real = triple
    outputs = [
        corrected(harmonizer, composite, Mask(coverage), gated=gated, strength=strength)
        for strength in STRENGTHS
    ]
    return [foreground_mse_255(output, real, coverage) for output in (composite, *outputs)]


def moves(harmonizer: Harmonizer, triple: Triple, *, gated: bool) -> list[float]:
    """Levels by which the foreground changes: the composite, its result again, the real photo."""
    mask, inside = Mask(triple.mask), triple.mask > 0
    once = corrected(harmonizer, triple.composite, mask, gated=gated)
    again = corrected(harmonizer, once, mask, gated=gated)
    needless = corrected(harmonizer, triple.real, mask, gated=gated)
    pairs = ((triple.composite, once), (once, again), (triple.real, needless))
    changes = (np.abs(after.astype(float) - before)[inside] for before, after in pairs)
    return [float(change.mean()) for change in changes]


def tell_of_strengths(found: np.ndarray) -> None:
    """A row per strength: what is left of the error, and how many composites improve."""
    before, after = found[:, :1], found[:, 1:]
    ratios, improved = after.mean(axis=0) / before.mean(), (after < before).mean(axis=0)
    rows = [
        (f"{strength:.2f}", f"{ratio:.3f}", f"{100 * share:.1f} %")
        for strength, ratio, share in zip(STRENGTHS, ratios, improved, strict=True)
    ]
    _say(markdown_table(("strength", "fMSE / composite", "improved"), rows))


def tell_of_moves(found: np.ndarray) -> None:
    """How far foregrounds move."""
    first, second, needless = found.mean(axis=0)
    _say(
        f"foregrounds move by {first:.2f} of 255 levels, in a second run by {second:.2f} "
        f"({second / first:.2f} of it), and those of real photos by {needless:.2f}"
    )


def tell_of_estimates(found: Measured) -> None:
    """What the expected errors say of the true ones."""
    for row, what in enumerate(("composites", "results")):
        told, true = found.expected[:, row], found.true[:, row]
        _say(
            f"error expected of {what}: {told.mean():.1f} levels in the mean, found "
            f"{true.mean():.1f}, expected over true {told.mean() / true.mean():.2f}; rank "
            f"correlation {spearmanr(told, true).statistic:.2f}"
        )
    composites, reals = found.expected[:, 0], found.expected_real
    apart = mannwhitneyu(composites, reals).statistic / (len(composites) * len(reals))
    _say(
        f"of a composite and a real photo, more is expected of the composite in {100 * apart:.0f} "
        "% of all cases (the area under the curve)"
    )


def tell_of_gates(found: Measured, own: Gate | None) -> None:
    """A row per gate: what is left of the error, and how far real photos move."""
    closed = own.closed if own else 0.0
    tried = [None, *(Gate(closed=closed, open=level) for level in OPEN if level > closed)]
    gates = [*tried, own] if own and own not in tried else tried
    rows = [
        (
            f"{gate.closed:g} to {gate.open:g}" if gate else "off",
            f"{found.left_over(gate):.3f}",
            f"{found.moved(gate):.1f}",
        )
        for gate in gates
    ]
    _say(markdown_table(("gate", "fMSE / composite", "real photos moved"), rows))


def study(harmonizer: Harmonizer, folder: Path, *, gated: bool) -> None:
    """Tell of one folder."""
    strengths, moved = [], []
    # One after the other: in memory together they would take gigabytes.
    for triple in map(read_triple, list_pairs(folder)):
        strengths.append(at_strengths(harmonizer, triple, gated=gated))
        moved.append(moves(harmonizer, triple, gated=gated))
    _say(f"\n{folder.resolve().name}, {len(moved)} composites\n")
    tell_of_strengths(np.array(strengths))
    tell_of_moves(np.array(moved))
    if harmonizer.spec.error_estimate:
        found = measure_folder(harmonizer, folder)
        tell_of_estimates(found)
        tell_of_gates(found, harmonizer.spec.gate)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--gate", choices=("off", "auto"), default="off")
    arguments = parser.parse_args()
    harmonizer = Harmonizer(arguments.model)
    for folder in arguments.pairs:
        study(harmonizer, folder, gated=arguments.gate == "auto")


if __name__ == "__main__":
    main()

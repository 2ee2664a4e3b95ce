"""Classical baselines of our own, with the background restored: a network must beat them first."""

from collections.abc import Callable

import numpy as np

from samelight.lab.color.transfer import (
    Transfer,
    covariance,
    distribution,
    gray_world,
    histogram,
    mean_and_deviation,
    mean_shift,
)
from samelight.lab.evaluation.poisson import harmonic_fill
from samelight.types import FloatArray

Baseline = Callable[[FloatArray, FloatArray], FloatArray]
"""(composite (H,W,3) in [0,1], mask (H,W) in [0,1]) -> (H,W,3) in [0,1]."""


def identity(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Leave the composite alone."""
    return composite


def toward_background(transfer: Transfer) -> Baseline:
    """Make a baseline of a colour transfer: the foreground gets the background's statistics.

    Colours under a mask above 0.5 are the foreground's, the rest the background's; where there is
    only one of them nothing is done.
    """

    def baseline(composite: FloatArray, mask: FloatArray) -> FloatArray:
        inside = mask > 0.5
        if inside.all() or not inside.any():
            return composite
        colours = composite.reshape(-1, 3)
        # By places: several times quicker than by a mask of two axes.
        recolour = transfer(colours[np.flatnonzero(inside)], colours[np.flatnonzero(~inside)])
        covered = np.flatnonzero(mask)
        before = colours[covered]
        after = np.clip(recolour(before), 0, 1)
        output = colours.copy()
        output[covered] = before + mask.reshape(-1, 1)[covered] * (after - before)
        recoloured: FloatArray = output.reshape(composite.shape)
        return recoloured

    return baseline


def poisson(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Keep the foreground's gradients and meet the background at its edge (Perez et al. 2003).

    What is added to the foreground is harmonic, with the jump of colour across the mask's edge as
    its boundary value; a composite does not tell the pasted photo's gradient there, so 0 is taken.
    """
    inside = mask > 0.5
    if inside.all() or not inside.any():
        return composite
    added = harmonic_fill(composite, inside)
    recoloured = np.clip(composite + added, 0, 1)
    blended: FloatArray = composite + mask[..., None] * (recoloured - composite)
    return blended


BASELINES: dict[str, Baseline] = {
    "identity": identity,
    "mean-shift": toward_background(mean_shift),
    "reinhard": toward_background(mean_and_deviation(1.0)),
    "reinhard-half": toward_background(mean_and_deviation(0.5)),
    "histogram": toward_background(histogram),
    "mkl": toward_background(covariance),
    "idt": toward_background(distribution),
    "gray-world": toward_background(gray_world),
    "poisson": poisson,
}

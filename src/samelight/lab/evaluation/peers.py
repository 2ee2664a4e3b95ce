"""Classical baselines of our own, with the background restored: a network must beat them first."""

from collections.abc import Callable

import numpy as np

from samelight.color import lab_to_rgb, rgb_to_lab
from samelight.types import FloatArray

Peer = Callable[[FloatArray, FloatArray], FloatArray]
"""(composite (H,W,3) in [0,1], mask (H,W) in [0,1]) -> (H,W,3) in [0,1]."""


def identity(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Leave the composite alone."""
    return composite


def reinhard(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Give the foreground the background's mean and deviation in Lab (Reinhard et al. 2001)."""
    return _toward_background(composite, mask, 1.0)


def reinhard_half(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Go half of the way that `reinhard` goes."""
    return _toward_background(composite, mask, 0.5)


def _toward_background(composite: FloatArray, mask: FloatArray, strength: float) -> FloatArray:
    inside, outside = mask > 0.5, mask <= 0.5
    if not inside.any() or not outside.any():
        return composite
    lab = rgb_to_lab(composite)
    here, there = lab[inside], lab[outside]
    gain = there.std(axis=0) / np.maximum(here.std(axis=0), 1e-3)
    moved = (lab - here.mean(axis=0)) * gain + there.mean(axis=0)
    recoloured = np.clip(lab_to_rgb(lab + np.float32(strength) * (moved - lab)), 0, 1)
    blended: FloatArray = composite + mask[..., None] * (recoloured - composite)
    return blended


PEERS: dict[str, Peer] = {
    "identity": identity,
    "reinhard": reinhard,
    "reinhard-half": reinhard_half,
}

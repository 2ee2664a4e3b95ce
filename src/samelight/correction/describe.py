"""A correction in words: what it did to the foreground, as numbers a person can check."""

from typing import Any

import numpy as np

from samelight.color.profile import to_srgb
from samelight.color.spaces import rgb_to_lab
from samelight.correction.field import Correction
from samelight.render.apply import render
from samelight.types import FloatArray

# CIE Lab units; a tenth is below what anyone sees and keeps "unchanged" from reading "0.0 warmer".
_NOTHING = 0.1
_NOTHING_PERCENT = 1.0


def explain_correction(
    correction: Correction, composite: FloatArray, mask: FloatArray
) -> dict[str, Any]:
    """Summarise what a correction does to a photo.

    Args:
        correction: at the strength it is used.
        composite: (H,W,3) in [0,1], the photo made small, encoded as `correction.icc` says.
        mask: (H,W) in [0,1], 1 = foreground.

    Returns:
        As `explain_change`.
    """
    whole = (mask > 0).astype(np.float32)
    after = render(composite, whole, correction)
    if correction.icc is None:
        return explain_change(composite, after, mask)
    profile = correction.icc
    return explain_change(to_srgb(composite, profile), to_srgb(after, profile), mask)


def explain_change(before: FloatArray, after: FloatArray, mask: FloatArray) -> dict[str, Any]:
    """Summarise a change of colour inside a mask.

    Args:
        before: (H,W,3) sRGB-encoded RGB in [0,1].
        after: the same size, recoloured.
        mask: (H,W) in [0,1], 1 = foreground; how much each pixel counts.

    Returns:
        A JSON-able table: `summary` in one line; `lightness`, `warmth` and `tint` in CIE Lab
        units (L*, b*, a*), `saturation_percent` and `contrast_percent` relative to before,
        `delta_e` the mean CIE76 difference, `foreground_percent` of the picture.
    """
    weight = mask.astype(np.float64)[..., None]
    total = float(weight.sum())
    if not total > 0:
        return {"summary": "nothing: the mask is empty", "foreground_percent": 0.0}
    old, new = rgb_to_lab(before).astype(np.float64), rgb_to_lab(after).astype(np.float64)

    def mean(values: Any) -> Any:  # noqa: ANN401 - (H,W,C) in, (C,) out
        return (values * weight).sum(axis=(0, 1)) / total

    shift = mean(new - old)
    chroma = [float(mean(np.hypot(lab[..., 1:2], lab[..., 2:3]))[0]) for lab in (old, new)]
    spread = [float(np.sqrt(mean((lab[..., :1] - mean(lab)[0]) ** 2)[0])) for lab in (old, new)]
    numbers = {
        "lightness": round(float(shift[0]), 2),
        "warmth": round(float(shift[2]), 2),
        "tint": round(float(shift[1]), 2),
        "saturation_percent": _percent(*chroma),
        "contrast_percent": _percent(*spread),
        "delta_e": round(float(mean(np.linalg.norm(new - old, axis=-1, keepdims=True))[0]), 2),
        "foreground_percent": round(100 * total / mask.size, 2),
    }
    return {"summary": _in_words(numbers), **numbers}


def _percent(old: float, new: float) -> float:
    return round(100 * (new / old - 1), 1) if old > _NOTHING else 0.0


def _in_words(numbers: dict[str, float]) -> str:
    """Put the numbers into a sentence, leaving out what did not change."""
    kinds = (
        ("lightness", "brighter by {} L*", "darker by {} L*", _NOTHING),
        ("warmth", "warmer by {} b*", "cooler by {} b*", _NOTHING),
        ("tint", "more magenta by {} a*", "greener by {} a*", _NOTHING),
        ("saturation_percent", "{} % more saturated", "{} % less saturated", _NOTHING_PERCENT),
        ("contrast_percent", "{} % more contrast", "{} % less contrast", _NOTHING_PERCENT),
    )
    phrases = [
        (more if numbers[name] > 0 else less).format(f"{abs(numbers[name]):.1f}")
        for name, more, less, least in kinds
        if abs(numbers[name]) >= least
    ]
    return ", ".join(phrases) or "no visible change"

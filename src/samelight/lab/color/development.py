"""Developments: what one pass through a photo editor does to colours.

Ours; the spread of what is drawn covers what undoes published composites.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from samelight.color.spaces import LUMA, linear_to_srgb, srgb_to_linear
from samelight.types import FloatArray

SHOULDER = 0.75
"""Where a development begins to bend towards white, sRGB-encoded."""

SUBJECT_LUMA = (0.42, 0.68)
"""Between these lies the mean luma of what a photo was exposed for, sRGB-encoded."""
MOST_STOPS = 2.5
"""Furthest that an exposure for a subject goes, either way."""


@dataclass(frozen=True, kw_only=True)
class Development:
    """An editor's sliders, all at rest by default.

    Exposure and white balance act in linear light; what they push towards white is bent, not
    clipped. The rest acts on encoded values, as editors' sliders do.
    """

    exposure: float = 0.0
    """Stops."""
    warmth: float = 0.0
    """Natural logarithm of the gain of red, and of the loss of blue."""
    tint: float = 0.0
    """Natural logarithm of the gain of green."""
    gamma: float = 0.0
    """Natural logarithm of an exponent."""
    contrast: float = 0.0
    """Natural logarithm of the slope about `pivot`."""
    pivot: float = 0.45
    shadows: float = 0.0
    """How much the darks are lifted, at a quarter of the range."""
    highlights: float = 0.0
    """How much the brights are lifted, at three quarters of the range."""
    black: float = 0.0
    """What black becomes; below 0 the darks are crushed."""
    saturation: float = 0.0
    """Natural logarithm of the factor."""

    def __call__(self, colours: FloatArray, strength: float = 1.0) -> FloatArray:
        """Develop.

        Args:
            colours: (...,3) sRGB-encoded, nominally in [0,1].
            strength: the sliders are moved in proportion to it.

        Returns:
            (...,3) float32, not clipped.
        """
        image = self._exposed(np.asarray(colours, dtype=np.float32), strength)
        if self.gamma:
            image = np.clip(image, 0, None) ** np.float32(np.exp(strength * self.gamma))
        if self.shadows or self.highlights:
            inside = np.clip(image, 0, 1)
            lift = self.shadows * _bump(inside) + self.highlights * _bump(1 - inside)
            image = image + np.float32(strength) * lift
        if self.contrast:
            pivot, slope = np.float32(self.pivot), np.float32(np.exp(strength * self.contrast))
            image = pivot + (image - pivot) * slope
        if self.black:
            image = image + np.float32(strength * self.black) * (1 - image)
        if self.saturation:
            gray = (image @ LUMA)[..., None]
            image = gray + (image - gray) * np.float32(np.exp(strength * self.saturation))
        return image

    def _exposed(self, image: FloatArray, strength: float) -> FloatArray:
        """Multiply linear light."""
        exposure = self.exposure * math.log(2)
        logarithms = np.array([self.warmth, self.tint, -self.warmth]) + exposure
        if not logarithms.any():
            return image
        gains = np.exp(strength * logarithms).astype(np.float32)
        brighter = linear_to_srgb(srgb_to_linear(np.clip(image, 0, None)) * gains)
        return bend_to_white(brighter, float(linear_to_srgb(gains).max()))


def bend_to_white(image: FloatArray, white: float) -> FloatArray:
    """Bend what is brighter than `SHOULDER` so that nothing that was below white is lost.

    Args:
        image: (...,3) sRGB-encoded.
        white: the value that comes to 1; nothing is bent unless it is above 1.

    Returns:
        (...,3), rising with the image. Source: Reinhard et al. 2002, Eq. 4, above the shoulder.
    """
    if white <= 1:
        return image
    span = 1 - SHOULDER
    over = np.clip((image - SHOULDER) / span, 0, None)
    top = np.float32((white - SHOULDER) / span)
    bent = SHOULDER + span * over * (1 + over / top**2) / (1 + over)
    return np.where(image > SHOULDER, bent, image).astype(np.float32)


def _bump(values: FloatArray) -> FloatArray:
    """Rise from 0 to 1 at a quarter of [0,1] and fall to 0 again."""
    bump: FloatArray = 256 / 27 * values * (1 - values) ** 3
    return bump


def draw_development(rng: np.random.Generator, scale: float = 1.0) -> Development:
    """Move some of an editor's sliders, at least one.

    Args:
        rng: where the randomness comes from.
        scale: how far they may move; 1 is a strong hand.
    """
    moved = rng.random(8) < 0.55
    moved[rng.integers(8)] = True
    drawn = {
        "exposure": rng.uniform(-1.6, 1.6),
        "warmth": rng.normal(0, 0.26),
        "tint": rng.normal(0, 0.09),
        "gamma": rng.uniform(-0.5, 0.5),
        "contrast": rng.uniform(-0.5, 0.4),
        "shadows": rng.uniform(-0.05, 0.05),
        "highlights": rng.uniform(-0.05, 0.05),
        "black": rng.uniform(-0.09, 0.13),
    }
    sliders = {
        name: scale * value * on
        for (name, value), on in zip(drawn.items(), moved.tolist(), strict=True)
    }
    saturation = scale * rng.uniform(-0.8, 0.5) * (rng.random() < 0.5)
    return Development(**sliders, saturation=saturation, pivot=rng.uniform(0.3, 0.6))


def expose_as_subject(region: FloatArray, rng: np.random.Generator) -> Development:
    """Develop as if a region were what the photo is of: a mild hand, and a middle tone in the mean.

    Args:
        region: (N,3) colours, sRGB-encoded.
        rng: where the randomness comes from.
    """
    wanted = rng.uniform(*SUBJECT_LUMA)
    mean = float(np.clip(region @ LUMA, 0.02, 1).mean())
    stops = float(np.log2(np.divide(*srgb_to_linear([wanted, mean]))))
    exposure = float(np.clip(stops, -MOST_STOPS, MOST_STOPS))
    return replace(draw_development(rng, 0.4), exposure=exposure)

"""Polynomials of colours: their terms, and one polynomial for a whole foreground.

The latter is the published alternative to the local grid: SSH (Jiang et al., ICCV 2021) harmonizes
a large photo by one polynomial map of colours, found by least squares at 64 x 64 pixels and applied
at full size. It knows colours, not places: smaller than the grid and never wrong at an edge, but
blind to light that varies over the object.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from samelight.color.spaces import linear_to_srgb, srgb_to_linear
from samelight.errors import UsageError
from samelight.types import WHITE, Coverage, FloatArray, Pixels, require_strength

TERMS_11 = ("r", "g", "b", "rg", "rb", "gb", "rr", "gg", "bb", "rgb", "")
"""Products of channels, the last one 1, in the order of ccHarmony's published matrices."""
TERMS_17 = (*TERMS_11[:-1], "rrg", "ggb", "bbr", "rrr", "ggg", "bbb", "")
"""More of third degree, in the order in which SSH's published inference lists them."""

_COUNT = len(TERMS_17)
# Ours: keeps a foreground of few colours from being answered with huge terms that cancel.
_RIDGE = 1e-6
_BAND_ROWS = 64


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A map of colours: `after = terms(before) @ coefficients`, in linear light.

    Attributes:
        coefficients: (17,3) float64: a row for each of `TERMS_17`, a column per output channel.
    """

    coefficients: npt.NDArray[np.float64]

    @classmethod
    def identity(cls) -> "Polynomial":
        """Make the map that changes nothing."""
        return cls(np.eye(_COUNT, 3))

    def apply(self, rgb: FloatArray) -> FloatArray:
        """Map colours.

        Args:
            rgb: (...,3) sRGB-encoded RGB in [0,1].

        Returns:
            (...,3) float32, sRGB-encoded RGB clipped to [0,1].
        """
        linear = srgb_to_linear(rgb)
        mapped = polynomial_terms(linear, TERMS_17) @ self.coefficients.astype(np.float32)
        return linear_to_srgb(mapped.clip(0, 1))

    def with_strength(self, strength: float) -> "Polynomial":
        """Do less or more of the same, in linear light.

        Args:
            strength: 0 = nothing, 1 = this map, up to 1.5.

        Raises:
            UsageError: outside that range.
        """
        require_strength(strength)
        identity = np.eye(_COUNT, 3)
        return Polynomial(identity + strength * (self.coefficients - identity))


def polynomial_terms(colours: npt.NDArray[Any], terms: Sequence[str]) -> npt.NDArray[Any]:
    """Multiply the terms of a polynomial out.

    Args:
        colours: (...,3), in whatever encoding and range the polynomial is for.
        terms: T products of the channels r, g and b; "" is 1.

    Returns:
        (...,T) of the same type.
    """
    channel = {name: colours[..., number] for number, name in enumerate("rgb")}
    expanded = np.empty((*colours.shape[:-1], len(terms)), dtype=colours.dtype)
    for number, term in enumerate(terms):
        expanded[..., number] = math.prod(channel[name] for name in term)
    return expanded


def fit_polynomial(source: FloatArray, target: FloatArray, mask: FloatArray) -> Polynomial:
    """Find the polynomial that turns one small picture into another.

    Args:
        source: (H,W,3) sRGB-encoded RGB in [0,1], before; SSH takes 64 x 64 pixels.
        target: (H,W,3) in [0,1], after.
        mask: (H,W) in [0,1], how much each pixel counts; 1 = foreground.

    Returns:
        The polynomial, nearest to identity where the foreground's colours leave it open;
        identity where the mask is empty.

    Raises:
        UsageError: if the sizes differ.
    """
    if source.shape != target.shape or source.shape != (*mask.shape, 3):
        raise UsageError(
            f"source {source.shape}, target {target.shape} and mask {mask.shape} "
            "must be (H,W,3), (H,W,3) and (H,W) of one size"
        )
    inside = mask > 0
    if not inside.any():
        return Polynomial.identity()
    before, after = srgb_to_linear(source[inside]), srgb_to_linear(target[inside])
    weight = np.sqrt(mask[inside].astype(np.float64))[:, None]
    design = polynomial_terms(before, TERMS_17).astype(np.float64) * weight
    # What is left to explain once nothing is changed: so that the ridge pulls to identity.
    change = (after - before) * weight
    pull = np.sqrt(_RIDGE * float(np.square(weight).sum()))
    design = np.concatenate([design, pull * np.eye(_COUNT)])
    change = np.concatenate([change, np.zeros((_COUNT, 3))])
    solution = np.linalg.lstsq(design, change, rcond=None)[0]
    return Polynomial(np.eye(_COUNT, 3) + solution)


def render_polynomial(pixels: Pixels, mask: Coverage, polynomial: Polynomial) -> Pixels:
    """Recolour the foreground of a photo by one polynomial, band by band.

    Args:
        pixels: (H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1].
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1; 1 = foreground.
        polynomial: what to do with each colour.

    Returns:
        A new array like `pixels`; where the mask is 0, its bytes are the same.

    Raises:
        UsageError: if the shapes or types do not belong together.
    """
    if pixels.dtype not in WHITE or mask.dtype not in WHITE or pixels.shape != (*mask.shape, 3):
        raise UsageError(
            f"cannot render pixels {pixels.shape} {pixels.dtype} with mask {mask.shape}: "
            "wanted (H,W,3) uint8, uint16 or float32 and (H,W)"
        )
    rendered = np.copy(pixels)
    white = np.float32(WHITE[pixels.dtype])
    for top in range(0, len(mask), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        inside = mask[band] > 0
        if not inside.any():
            continue
        before = pixels[band][inside].astype(np.float32) / white
        share = mask[band][inside].astype(np.float32)[:, None] / np.float32(WHITE[mask.dtype])
        after = (before + share * (polynomial.apply(before) - before)) * white
        rendered[band][inside] = after if pixels.dtype == np.float32 else np.rint(after)
    return rendered

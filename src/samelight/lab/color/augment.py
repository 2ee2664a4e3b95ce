"""Colour augmentations: what was done to a foreground, or to a whole photo, that has to be undone.

An augmentation is drawn for a scene and gives an edit, a map of colours with a strength. The caller
chooses the strength so that the foreground moves by a wanted distance (`at_distance`): what an edit
is called says little about how far it goes. Colours are sRGB-encoded floats; edits may leave [0,1],
quantising and clipping come after. All of this is ours where no source is named.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from scipy.optimize import brentq

from samelight.color.lut import apply_lut
from samelight.color.spaces import LUMA, linear_to_srgb, srgb_to_linear
from samelight.lab.color.development import draw_development
from samelight.lab.color.illuminant import shipped_illuminants
from samelight.lab.color.transfer import IHARMONY4_TRANSFERS
from samelight.types import FloatArray

Edit: TypeAlias = Callable[[FloatArray, float], FloatArray]
"""Colours (...,3) and a strength to colours; strength 0 leaves them, 1 is the edit as drawn."""

MAX_STRENGTH = 2.0
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Scene:
    """What an augmentation may look at."""

    region: FloatArray
    """(N,3): colours of the photo's foreground, or of the whole photo."""
    donor: FloatArray
    """(M,3): colours of an object in another photo."""


class Augmentation(Protocol):
    """Draws an edit for a scene."""

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Edit:
        """All randomness comes from `rng`; the edit has none."""


def develop(scene: Scene, rng: np.random.Generator) -> Edit:
    """Some of an editor's sliders, moved."""
    return draw_development(rng)


def colour_transfer(scene: Scene, rng: np.random.Generator) -> Edit:
    """Statistics of another photo's object, brought over in one of iHarmony4's four ways."""
    transfers = list(IHARMONY4_TRANSFERS.values())
    move = transfers[rng.integers(len(transfers))](scene.region, scene.donor)
    return lambda colours, strength: _part_way(colours, move(colours), strength)


def tone_curves(scene: Scene, rng: np.random.Generator) -> Edit:
    """A smooth monotone curve, mostly common to the channels, with lifted blacks or dim whites."""
    knots = np.linspace(0, 1, 17)
    ripples = np.sin(np.pi * knots[:, None] * np.arange(1, 4) + rng.uniform(0, 6, 3))
    slopes = ripples @ rng.normal(0, 0.5, (3, 1)) + ripples @ rng.normal(0, 0.25, (3, 3))
    black, white = rng.uniform(0, 0.15, (2, 3)) * (rng.random() < 0.5)

    def edit(colours: FloatArray, strength: float) -> FloatArray:
        slope = np.exp(strength * slopes)
        curve = np.concatenate([np.zeros((1, 3)), np.cumsum(slope[1:] + slope[:-1], axis=0)])
        lowest, highest = strength * black, 1 - strength * white
        curve = lowest + (highest - lowest) * curve / curve[-1]
        channels = [np.interp(colours[..., c], knots, curve[:, c]) for c in range(3)]
        return np.stack(channels, axis=-1).astype(np.float32)

    return edit


def smooth_lut(scene: Scene, rng: np.random.Generator) -> Edit:
    """A random 3-D table: smooth displacements on a 4x4x4 lattice of colours."""
    table = (rng.normal(0, 0.13, (4, 4, 4, 3)) + rng.normal(0, 0.09, 3)).astype(np.float32)
    return lambda colours, strength: colours + np.float32(strength) * apply_lut(colours, table)


def illuminant(scene: Scene, rng: np.random.Generator) -> Edit:
    """From one real light to another, by colour-checker polynomials (as ccHarmony was made).

    A polynomial extrapolates badly: a change that clips more than 5 % of the region's values is
    drawn again, and after four tries a development is taken in its place.
    """
    bank = shipped_illuminants()
    fresh = ((scene.region <= 0) | (scene.region >= 1)).mean()
    for _ in range(4):
        here, there = bank.draw(rng)
        moved = bank.change(scene.region, here, there)
        if ((moved <= 0) | (moved >= 1)).mean() - fresh < 0.05:
            return lambda colours, strength: _part_way(
                colours, bank.change(colours, here, there), strength
            )
    return develop(scene, rng)


def ambient_light(scene: Scene, rng: np.random.Generator) -> Edit:
    """Dim or strongly coloured light over everything: dusk, night, lamplight, fog, deep shade.

    Up to four stops darker in linear light under a light of any hue; half the time a veil of that
    hue, as haze is, and half the time what shone, lamps and windows and sky, shines on.
    """
    stops = rng.uniform(0.3, 4.0)
    hue = rng.normal(0, 0.55, 3)
    hue = np.exp(hue - hue @ LUMA)
    hue = (hue / (hue @ LUMA)).astype(np.float32)
    veil = rng.uniform(0, 0.45) * (rng.random() < 0.5)
    brightness = 0.5 ** (0.6 * stops) * rng.uniform(0.1, 0.6)
    shines = rng.random() < 0.5

    def edit(colours: FloatArray, strength: float) -> FloatArray:
        linear = srgb_to_linear(np.clip(colours, 0, None))
        dim = linear * np.float32(0.5 ** (strength * stops)) * hue ** np.float32(strength)
        if shines:
            shining = np.clip((linear @ LUMA - 0.6) / 0.4, 0, 1)[..., None]
            dim = dim + shining * (linear - dim)
        dim = dim + np.float32(strength * veil) * (np.float32(brightness) * hue - dim)
        return linear_to_srgb(dim)

    return edit


def _part_way(before: FloatArray, after: FloatArray, strength: float) -> FloatArray:
    # Beyond its end a way from one colour to another soon leads nowhere.
    part = np.float32(min(strength, 1.0))
    mixed: FloatArray = before + part * (after - before)
    return mixed.astype(np.float32, copy=False)


AUGMENTATIONS: Mapping[str, Augmentation] = {
    "develop": develop,
    "colour_transfer": colour_transfer,
    "tone_curves": tone_curves,
    "smooth_lut": smooth_lut,
    "illuminant": illuminant,
    "ambient_light": ambient_light,
}

FOREGROUND_MIX: Mapping[str, float] = {
    "develop": 0.34,
    "colour_transfer": 0.28,
    "tone_curves": 0.10,
    "smooth_lut": 0.08,
    "illuminant": 0.16,
    "ambient_light": 0.04,
}
"""Probability of each augmentation of a foreground."""

PHOTO_MIX: Mapping[str, float] = {
    "develop": 0.32,
    "tone_curves": 0.08,
    "smooth_lut": 0.06,
    "illuminant": 0.18,
    "ambient_light": 0.36,
}
"""Probability of each augmentation of a whole photo; no other photo is looked at."""


def draw_augmentation(mix: Mapping[str, float], rng: np.random.Generator) -> Augmentation:
    """Pick an augmentation by its probability."""
    names = list(mix)
    return AUGMENTATIONS[names[rng.choice(len(names), p=list(mix.values()))]]


def rms_levels(before: FloatArray, after: FloatArray) -> float:
    """Root-mean-square change of colours (N,3), the later ones clipped, in levels of 255."""
    change = np.clip(after, 0, 1) - before
    return 255 * math.sqrt(float(np.mean(change * change)))


def at_distance(edit: Edit, region: FloatArray, levels: float) -> float:
    """Find the strength at which an edit moves a region by so many levels, root mean square.

    To 1 %. The distance grows with the strength in all but odd cases.

    Args:
        edit: what is done.
        region: (N,3) colours in [0,1].
        levels: the wanted root-mean-square change, of 255.

    Returns:
        The strength; MAX_STRENGTH where the edit does not go that far.
    """

    def excess(strength: float) -> float:
        return rms_levels(region, edit(region, strength)) - levels

    if excess(MAX_STRENGTH) <= 0:
        return MAX_STRENGTH
    return float(brentq(excess, 0, MAX_STRENGTH, rtol=_TOLERANCE))


def draw_distance(rng: np.random.Generator, least: float, most: float) -> float:
    """Draw a root-mean-square change log-uniformly, in levels of 255."""
    return float(np.exp(rng.uniform(math.log(least), math.log(most))))


def local_light(side_px: int, rng: np.random.Generator) -> FloatArray:
    """Draw a smooth shading field, (S,S,1): gains of linear light, a third of a stop at most."""
    axis = np.linspace(-1, 1, side_px, dtype=np.float32)
    slope_x, slope_y, twist, bend = rng.normal(0, 0.1, 4)
    x, y = axis[None, :], axis[:, None]
    logarithm = slope_x * x + slope_y * y + twist * x * y + bend * (x * x + y * y - 0.67)
    gains: FloatArray = np.exp(np.clip(logarithm, -0.23, 0.23)).astype(np.float32)[..., None]
    return gains

"""Recolouring: what was done to a foreground that the network must undo.

Each augmentation takes a photo and returns it recoloured as a whole; the caller pastes the
foreground.
All work in float on sRGB-encoded values and may leave [0,1]: quantising and clipping come after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samelight.color.spaces import lab_to_rgb, linear_to_srgb, rgb_to_lab, srgb_to_linear
from samelight.lab.color.illuminant import shipped_illuminants
from samelight.types import FloatArray

LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


@dataclass(frozen=True)
class Scene:
    """What an augmentation may look at."""

    photo: FloatArray
    """(H,W,3) in [0,1]."""
    region: FloatArray
    """(N,3): the colours of the photo's foreground."""
    reference: FloatArray
    """(M,3): the colours of a region of another photo."""


class Augmentation(Protocol):
    """Recolours a photo; strength 0 leaves it, 1 is the augmentation's full effect."""

    def __call__(self, scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
        """Return (H,W,3), not clipped."""


def retouch(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """Exposure and white balance in linear light, then tone and saturation, some of them drawn."""
    on = rng.random(5) < 0.6
    on[rng.integers(5)] = True
    image = scene.photo
    if on[0] or on[1]:
        exposure = on[0] * rng.uniform(-1.0, 1.0)
        warmth, tint = on[1] * rng.normal(0, [0.24, 0.1])
        gains = np.exp(strength * np.array([exposure + warmth, exposure + tint, exposure - warmth]))
        image = linear_to_srgb(srgb_to_linear(image) * gains.astype(np.float32))
    if on[2]:
        image = np.clip(image, 0, None) ** np.float32(np.exp(strength * rng.uniform(-0.5, 0.5)))
    if on[3]:
        pivot = np.float32(rng.uniform(0.3, 0.6))
        image = pivot + (image - pivot) * np.float32(np.exp(strength * rng.uniform(-0.5, 0.35)))
        image = image + np.float32(strength * rng.uniform(-0.08, 0.12)) * (1 - image)
    if on[4]:
        gray = (image @ LUMA)[..., None]
        image = gray + (image - gray) * np.float32(np.exp(strength * rng.uniform(-0.9, 0.5)))
    return image


def reinhard(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """Mean and deviation of another region, in Lab or in RGB (Reinhard et al. 2001)."""
    in_lab = rng.random() < 0.6
    encode, decode = (rgb_to_lab, lab_to_rgb) if in_lab else (np.asarray, np.asarray)
    here, there = encode(scene.region), encode(scene.reference)
    gain = (there.std(0) + 1e-3) / (here.std(0) + 1e-3)
    gain = np.clip(gain, 0.4, 2.5)
    values = encode(scene.photo)
    moved = (values - here.mean(0)) * gain + there.mean(0)
    return decode(_part_way(values, moved, strength))


def histogram(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """Each channel's cumulative histogram brought to another region's."""
    levels = np.linspace(0, 1, 33)
    here = np.quantile(scene.region, levels, axis=0)
    there = np.quantile(scene.reference, levels, axis=0)
    out = np.empty_like(scene.photo)
    for channel in range(3):
        nodes = here[:, channel] + 1e-6 * np.arange(33)  # strictly increasing, as interp wants
        out[..., channel] = np.interp(scene.photo[..., channel], nodes, there[:, channel])
    return _part_way(scene.photo, out, strength)


def tone_curves(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """A smooth monotone curve, mostly common to the channels, with lifted blacks or dim whites."""
    knots = np.linspace(0, 1, 17)
    ripples = np.sin(np.pi * knots[:, None] * np.arange(1, 4) + rng.uniform(0, 6, 3))
    common = ripples @ rng.normal(0, 0.5, (3, 1))
    slope = np.exp(strength * (common + ripples @ rng.normal(0, 0.25, (3, 3))))
    curve = np.concatenate([np.zeros((1, 3)), np.cumsum(slope[1:] + slope[:-1], axis=0)])
    curve /= curve[-1]
    black, white = strength * rng.uniform(0, 0.15, 3), 1 - strength * rng.uniform(0, 0.15, 3)
    if rng.random() < 0.5:
        black, white = np.zeros(3), np.ones(3)
    curve = black + (white - black) * curve
    channels = [np.interp(scene.photo[..., c], knots, curve[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def smooth_lut(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """A random 3-D LUT: smooth displacements on a 4x4x4 lattice of colours."""
    lattice = rng.normal(0, 0.13, (4, 4, 4, 3)) + rng.normal(0, 0.09, 3)
    shifted = scene.photo + interpolate_lattice(lattice.astype(np.float32), scene.photo)
    return _part_way(scene.photo, shifted, strength)


def interpolate_lattice(lattice: FloatArray, rgb: FloatArray) -> FloatArray:
    """Trilinear look-up.

    Args:
        lattice: (S,S,S,3) values at evenly spaced colours, indexed [r,g,b].
        rgb: (H,W,3); colours outside [0,1] take the border's value.

    Returns:
        (H,W,3) float32.
    """
    size = lattice.shape[0]
    place = np.clip(rgb.reshape(-1, 3), 0, 1) * np.float32(size - 1)
    low = np.minimum(place.astype(np.int32), size - 2)
    part = place - low
    flat = lattice.reshape(-1, 3)
    base = (low[:, 0] * size + low[:, 1]) * size + low[:, 2]
    out = np.zeros_like(place)
    for corner in range(8):
        bits = (corner >> 2 & 1, corner >> 1 & 1, corner & 1)
        weight = np.ones(len(place), dtype=np.float32)
        for axis, bit in enumerate(bits):
            weight *= part[:, axis] if bit else 1 - part[:, axis]
        offset = (bits[0] * size + bits[1]) * size + bits[2]
        out += weight[:, None] * flat[base + offset]
    values: FloatArray = out.reshape(rgb.shape)
    return values


def illuminant(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """From one real light to another, by colour-checker polynomials (as ccHarmony was made).

    An 11-term polynomial extrapolates badly: a change that clips more than 5 % of the foreground's
    values is drawn again, and after four tries the mildest way out, a retouch, is taken.
    """
    bank = shipped_illuminants()
    fresh = ((scene.region <= 0) | (scene.region >= 1)).mean()
    for _ in range(4):
        lights = bank.draw(rng)
        moved = bank.change(scene.region, *lights)
        if ((moved <= 0) | (moved >= 1)).mean() - fresh < 0.05:
            return _part_way(scene.photo, bank.change(scene.photo, *lights), strength)
    return retouch(scene, strength, rng)


def nightfall(scene: Scene, strength: float, rng: np.random.Generator) -> FloatArray:
    """Up to 4.5 stops darker in linear light, bluer or warmer; at times what shone shines on.

    Blue dusk and warm lamplight are as likely; lamps, windows and sky are what was bright (ours).
    """
    stops, warmth = strength * rng.uniform(1.5, 4.5), strength * rng.uniform(-0.5, 0.5)
    gains = 0.5**stops * np.exp([warmth, 0.0, -warmth])
    linear = srgb_to_linear(np.clip(scene.photo, 0, None))
    dark = linear * gains.astype(np.float32)
    if rng.random() < 0.5:
        shining = np.clip((linear @ LUMA - 0.6) / 0.4, 0, 1)[..., None]
        dark = dark + shining * (linear - dark)
    return linear_to_srgb(dark)


def _part_way(before: FloatArray, after: FloatArray, strength: float) -> FloatArray:
    mixed: FloatArray = before + np.float32(strength) * (after - before)
    return mixed.astype(np.float32, copy=False)


AUGMENTATIONS: dict[str, Augmentation] = {
    "retouch": retouch,
    "reinhard": reinhard,
    "histogram": histogram,
    "tone_curves": tone_curves,
    "smooth_lut": smooth_lut,
    "illuminant": illuminant,
    "nightfall": nightfall,
}

FOREGROUND_MIX: Mapping[str, float] = {
    "retouch": 0.28,
    "reinhard": 0.14,
    "histogram": 0.10,
    "tone_curves": 0.16,
    "smooth_lut": 0.14,
    "illuminant": 0.18,
}
"""Probability of each augmentation when a foreground is recoloured:
docs/methods/samelight.md says why."""

PHOTO_MIX: Mapping[str, float] = {
    "retouch": 0.34,
    "tone_curves": 0.11,
    "smooth_lut": 0.08,
    "illuminant": 0.22,
    "nightfall": 0.25,
}
"""Probability of each augmentation when a whole photo is relit; no other photo is looked at."""


def draw_augmentation(mix: Mapping[str, float], rng: np.random.Generator) -> Augmentation:
    """Pick an augmentation by its probability."""
    names = list(mix)
    return AUGMENTATIONS[names[rng.choice(len(names), p=list(mix.values()))]]

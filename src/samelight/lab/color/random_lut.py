"""Random smooth tables of colours, as an editor's presets are, or a folder of `.cube` files."""

from pathlib import Path

import numpy as np

from samelight.color.lut import identity_lut, read_cube
from samelight.color.spaces import LUMA
from samelight.errors import DatasetError
from samelight.lab.pictures import is_visible
from samelight.types import FloatArray

LATTICE = 17
"""Colours per axis of a random table; they are smooth, so more would only cost."""


def random_lut(rng: np.random.Generator, strength: float = 1.0) -> FloatArray:
    """Draw a smooth table as an editor's preset might be.

    A monotone curve per channel, mostly common to the three; warmth and tint; mixing of channels;
    saturation. Ours: SSH's hundred tables are proprietary.

    Args:
        rng: where the randomness comes from.
        strength: 0 = the identity.

    Returns:
        (17,17,17,3) in [0,1], indexed by red, green and blue.
    """
    axis = np.linspace(0, 1, LATTICE)
    ripples = np.sin(np.pi * axis[:, None] * np.arange(1, 4) + rng.uniform(0, 2 * np.pi, 3))
    slopes = ripples @ rng.normal(0, 0.45, (3, 1)) + ripples @ rng.normal(0, 0.2, (3, 3))
    slopes = np.exp(strength * slopes)
    curves = np.concatenate([np.zeros((1, 3)), np.cumsum(slopes[1:] + slopes[:-1], axis=0)])
    curves = curves / curves[-1]
    black = strength * np.abs(rng.normal(0, 0.05, 3)) * (rng.random() < 0.5)
    white = 1 - strength * np.abs(rng.normal(0, 0.05, 3)) * (rng.random() < 0.5)
    curves = black + (white - black) * curves
    plain = identity_lut(LATTICE)
    colours = np.stack([np.interp(plain[..., c], axis, curves[:, c]) for c in range(3)], axis=-1)
    exposure, warmth, tint = rng.normal(0, [0.25, 0.14, 0.06])
    gains = np.exp(strength * np.array([exposure + warmth, exposure + tint, exposure - warmth]))
    mixing = np.eye(3) + strength * rng.normal(0, 0.04, (3, 3)) * (1 - np.eye(3))
    colours = (colours * gains) @ mixing.T
    gray = (colours @ LUMA)[..., None]
    colours = gray + (colours - gray) * np.exp(strength * rng.uniform(-0.6, 0.4))
    table: FloatArray = np.clip(colours, 0, 1).astype(np.float32)
    return table


def random_luts(count: int, seed: int = 0) -> list[FloatArray]:
    """Draw a bank of tables; SSH used a hundred."""
    rng = np.random.default_rng(seed)
    return [random_lut(rng, rng.uniform(0.4, 1.2)) for _ in range(count)]


def read_luts(folder: Path) -> dict[str, FloatArray]:
    """Read every .cube file under a folder, by its path from there.

    Raises:
        DatasetError: when there is none.
        CorrectionError: when one is not a 3-D table.
    """
    paths = [path for path in sorted(folder.rglob("*.cube")) if is_visible(path, (".cube",))]
    if not paths:
        raise DatasetError(f"no .cube files under {folder}: wanted a folder of 3-D look-up tables")
    return {str(path.relative_to(folder)): read_cube(path) for path in paths}

"""3-D look-up tables: a bank of random smooth ones, or a folder of .cube files."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from samelight.errors import PhotoError
from samelight.lab.color.augment import LUMA
from samelight.lab.types import Picture
from samelight.types import FloatArray

LATTICE = 17
"""Colours per axis of a random table; they are smooth, so more would only cost."""

MAX_LATTICE = 65
"""Largest table that Pillow looks colours up in."""


@dataclass(frozen=True, eq=False)
class Lut:
    """A colour map on a lattice of sRGB-encoded colours."""

    values: FloatArray
    """(S,S,S,3), indexed [blue, green, red] (red varies fastest, as in .cube files), in [0,1]."""

    def apply(self, picture: Picture) -> Picture:
        """Look up every colour, with trilinear interpolation.

        Args:
            picture: (H,W,3) uint8.

        Returns:
            The same shape and type.
        """
        return np.asarray(Image.fromarray(picture).filter(self._table))

    @cached_property
    def _table(self) -> ImageFilter.Color3DLUT:
        return ImageFilter.Color3DLUT(self.values.shape[0], self.values.ravel().tolist())


def random_lut(rng: np.random.Generator, strength: float = 1.0) -> Lut:
    """Draw a smooth table as an editor's preset might be.

    A monotone curve per channel, mostly common to the three; warmth and tint; mixing of channels;
    saturation. Ours: SSH's hundred tables are proprietary.

    Args:
        rng: where the randomness comes from.
        strength: 0 = the identity.
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
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    colours = np.stack(
        [np.interp(c, axis, curves[:, i]) for i, c in enumerate((red, green, blue))], axis=-1
    )
    exposure, warmth, tint = rng.normal(0, [0.25, 0.14, 0.06])
    gains = np.exp(strength * np.array([exposure + warmth, exposure + tint, exposure - warmth]))
    mixing = np.eye(3) + strength * rng.normal(0, 0.04, (3, 3)) * (1 - np.eye(3))
    colours = (colours * gains) @ mixing.T
    gray = (colours @ LUMA)[..., None]
    colours = gray + (colours - gray) * np.exp(strength * rng.uniform(-0.6, 0.4))
    return Lut(np.clip(colours, 0, 1).astype(np.float32))


def random_luts(count: int, seed: int = 0) -> list[Lut]:
    """Draw a bank of tables; SSH used a hundred."""
    rng = np.random.default_rng(seed)
    return [random_lut(rng, rng.uniform(0.4, 1.2)) for _ in range(count)]


def read_luts(folder: Path) -> list[Lut]:
    """Read every .cube file under a folder.

    Raises:
        PhotoError: when there is none, or one is not a 3-D table.
    """
    paths = sorted(folder.rglob("*.cube"))
    if not paths:
        raise PhotoError(f"no .cube files under {folder}: wanted a folder of 3-D look-up tables")
    return [read_cube(path) for path in paths]


def read_cube(path: Path) -> Lut:
    """Read a 3-D table in Adobe's .cube format.

    Raises:
        PhotoError: when it is another kind of file, a 1-D table, or has another domain than [0,1].
    """
    size, rows, domain = 0, [], {"DOMAIN_MIN": [0.0] * 3, "DOMAIN_MAX": [1.0] * 3}
    wanted = f"wanted a 3-D table of at most {MAX_LATTICE} colours per axis over [0,1]"
    try:
        for line in path.read_text("utf-8-sig").splitlines():
            words = line.split("#")[0].split()
            if not words or words[0] == "TITLE":
                continue
            if words[0] == "LUT_3D_SIZE":
                size = int(words[1])
            elif words[0] in domain:
                domain[words[0]] = [float(word) for word in words[1:]]
            elif words[0] != "LUT_3D_INPUT_RANGE":
                red, green, blue = map(float, words)
                rows.append([red, green, blue])
        values = np.array(rows, dtype=np.float32).reshape(size, size, size, 3)
    except (OSError, ValueError, IndexError) as error:
        raise PhotoError(f"{path} cannot be read as a .cube file: {wanted}") from error
    whole = domain == {"DOMAIN_MIN": [0.0] * 3, "DOMAIN_MAX": [1.0] * 3}
    if not whole or not 2 <= size <= MAX_LATTICE or not np.isfinite(values).all():
        raise PhotoError(f"{path} has size {size} and domain {domain}: {wanted}")
    return Lut(np.clip(values, 0, 1))

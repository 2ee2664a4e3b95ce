"""One table of colours for editors that know no masks: a correction as a `.cube` file."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from samelight.correction import Correction, FitError
from samelight.render import render
from samelight.types import FloatArray

Places: TypeAlias = npt.NDArray[np.intp]

LATTICE = 33
"""Colours a side, as Resolve and Photoshop write them."""

# Ours: how far, in lattice steps, a colour of the photo speaks for its neighbours, and how much
# of the foreground must have a colour before it is heard over the affine map of the whole.
_SPREAD = 1.5
_LEAST_SHARE = 1e-4


def global_lut(correction: Correction, source: FloatArray, mask: FloatArray) -> FloatArray:
    """Reduce a local correction to what it does to each colour on average over the foreground.

    Args:
        correction: the local one.
        source: (H,W,3) encoded RGB in [0,1], the photo made small.
        mask: (H,W) in [0,1], 1 = foreground.

    Returns:
        (33,33,33,3) float32 in [0,1], indexed by red, green and blue.
    """
    axis = np.linspace(0, 1, LATTICE, dtype=np.float32)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    whole = (mask > 0).astype(np.float32)
    target = render(source, whole, correction)
    overall = Correction.fit(source, target, mask, shape=(1, 1)).grid[0, 0]
    table = lattice @ overall[:, :3].T + overall[:, 3]
    inside = mask > 0
    if inside.any():
        before, after = source[inside], target[inside]
        left = after - (before @ overall[:, :3].T + overall[:, 3])
        table += _spread_to_lattice(before, left, mask[inside])
    return np.asarray(table.clip(0, 1), dtype=np.float32)


def apply_lut(rgb: FloatArray, table: FloatArray) -> FloatArray:
    """Look colours up, with trilinear interpolation.

    Args:
        rgb: (...,3) encoded RGB in [0,1].
        table: (33,33,33,3), indexed by red, green and blue.

    Returns:
        (...,3) float32.
    """
    looked_up = np.zeros_like(rgb, dtype=np.float32)
    for corner, share in _corners(rgb):
        looked_up += share[..., None] * table[corner]
    return looked_up


def lut_error(
    correction: Correction, table: FloatArray, source: FloatArray, mask: FloatArray
) -> FitError:
    """Measure what is lost by one table in place of the local grid, inside the mask.

    Args:
        correction: the local one.
        table: (33,33,33,3).
        source: (H,W,3) encoded RGB in [0,1], the photo made small.
        mask: (H,W) in [0,1], 1 = foreground.
    """
    by_table = source + mask[..., None] * (apply_lut(source, table) - source)
    return correction.fit_error(source, by_table, mask)


def write_cube(path: str | Path, table: FloatArray, title: str) -> None:
    """Write a table as Resolve, Photoshop and ffmpeg read it: red runs fastest.

    Source: Adobe, Cube LUT Specification 1.0 (2013).

    Args:
        path: where to write.
        table: (N,N,N,3) in [0,1], indexed by red, green and blue.
        title: shown by editors; quotes and line ends are left out.
    """
    clean = "".join(c for c in title if c.isprintable() and c != '"')
    head = f'TITLE "{clean}"\nLUT_3D_SIZE {len(table)}\n'
    head += "DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n"
    rows = table.transpose(2, 1, 0, 3).reshape(-1, 3)
    lines = (f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in rows.tolist())
    Path(path).write_text(head + "".join(lines), encoding="ascii", errors="replace")


def _corners(
    rgb: FloatArray,
) -> list[tuple[tuple[Places, Places, Places], FloatArray]]:
    """Find the eight lattice colours around each colour, and how much each of them counts."""
    place = np.clip(rgb, 0, 1) * np.float32(LATTICE - 1)
    low = np.minimum(place.astype(np.intp), LATTICE - 2)
    share = place - low
    found = []
    for index in range(8):
        offset = np.array([index & 1, index >> 1 & 1, index >> 2 & 1])
        weight = np.where(offset == 1, share, 1 - share).prod(axis=-1)
        r, g, b = np.moveaxis(low + offset, -1, 0)
        found.append(((r, g, b), weight.astype(np.float32)))
    return found


def _spread_to_lattice(rgb: FloatArray, left: FloatArray, weight: FloatArray) -> FloatArray:
    """Average what the affine map leaves, around each lattice colour; 0 where no pixel is near."""
    sums = np.zeros((LATTICE, LATTICE, LATTICE, 4))
    values = np.concatenate([left, np.ones_like(left[:, :1])], axis=1) * weight[:, None]
    for corner, share in _corners(rgb):
        np.add.at(sums, corner, values * share[:, None])
    steps = np.arange(LATTICE)
    blur = np.exp(-0.5 * ((steps[:, None] - steps) / _SPREAD) ** 2)
    for axis in range(3):
        sums = np.moveaxis(np.tensordot(blur, sums, axes=(1, axis)), 0, axis)
    least = _LEAST_SHARE * float(weight.sum())
    spread: FloatArray = (sums[..., :3] / (sums[..., 3:] + least)).astype(np.float32)
    return spread

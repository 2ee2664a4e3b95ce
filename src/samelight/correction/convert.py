"""A correction in another form: for photos in another colour profile, or as one table."""

from dataclasses import replace

import numpy as np

from samelight.color.lut import LATTICE, apply_lut, corners, identity_lut
from samelight.color.profile import from_srgb, to_srgb
from samelight.correction.field import Correction, FitError
from samelight.render.apply import render
from samelight.types import FloatArray

# Colours a side: 125 settle the 12 numbers of a cell.
_LEVELS = 5
# Ours: how far, in lattice steps, a colour of the photo speaks for its neighbours, and how much
# of the foreground must have a colour before it is heard over the affine map of the whole.
_SPREAD = 1.5
_LEAST_SHARE = 1e-4


def convert_correction(correction: Correction, icc: bytes | None) -> Correction:
    """Find the correction that does the same in another colour space.

    Every cell is shown a set of colours spread over the space, in the old encoding and in the
    new; the new one is fitted to what the old one makes of them.

    Args:
        correction: the old one; its `icc` says for which space.
        icc: a readable RGB profile; None = sRGB.

    Returns:
        A correction of the same number of cells with that profile.
    """
    if correction.icc == icc:
        return correction
    height, width = correction.grid.shape[:2]
    axis = np.linspace(0.02, 0.98, _LEVELS, dtype=np.float32)
    colours = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(1, -1, 3)
    new_before = colours
    old_before = _between(colours, icc, correction.icc)
    affine = correction.grid.reshape(-1, 3, 4)
    after = (old_before @ affine[:, :, :3].transpose(0, 2, 1) + affine[:, None, :, 3]).clip(0, 1)
    # As a difference: colours that one space cannot show stay where they are.
    steady = _between(old_before, correction.icc, icc)
    change = _between(after.astype(np.float32), correction.icc, icc) - steady
    ones = np.ones((new_before.shape[1], 1))
    design = np.concatenate([new_before[0], ones], axis=1).astype(np.float64)
    solved = np.linalg.pinv(design) @ change.astype(np.float64)
    grid = np.eye(3, 4) + solved.transpose(0, 2, 1)
    return replace(correction, grid=grid.reshape(height, width, 3, 4).astype(np.float32), icc=icc)


def _between(rgb: FloatArray, source: bytes | None, target: bytes | None) -> FloatArray:
    srgb = rgb if source is None else to_srgb(rgb, source)
    return srgb if target is None else from_srgb(srgb, target)


def global_lut(correction: Correction, source: FloatArray, mask: FloatArray) -> FloatArray:
    """Reduce a local correction to what it does to each colour on average over the foreground.

    Args:
        correction: the local one.
        source: (H,W,3) encoded RGB in [0,1], the photo made small.
        mask: (H,W) in [0,1], 1 = foreground.

    Returns:
        (33,33,33,3) float32 in [0,1], indexed by red, green and blue.
    """
    lattice = identity_lut()
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
    looked_up: FloatArray = apply_lut(source, table)
    by_table = source + mask[..., None] * (looked_up - source)
    return correction.fit_error(source, by_table, mask)


def _spread_to_lattice(rgb: FloatArray, left: FloatArray, weight: FloatArray) -> FloatArray:
    """Average what the affine map leaves, around each lattice colour; 0 where no pixel is near."""
    counted = np.zeros((LATTICE**3, 4))
    values = np.concatenate([left, np.ones_like(left[:, :1])], axis=1) * weight[:, None]
    for places, share in corners(rgb, LATTICE):
        np.add.at(counted, places, values * share[:, None])
    sums = counted.reshape(LATTICE, LATTICE, LATTICE, 4)
    steps = np.arange(LATTICE)
    blur = np.exp(-0.5 * ((steps[:, None] - steps) / _SPREAD) ** 2)
    for axis in range(3):
        sums = np.moveaxis(np.tensordot(blur, sums, axes=(1, axis)), 0, axis)
    least = _LEAST_SHARE * float(weight.sum())
    spread: FloatArray = (sums[..., :3] / (sums[..., 3:] + least)).astype(np.float32)
    return spread

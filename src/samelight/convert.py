"""A correction made for one colour profile, for photos in another."""

from dataclasses import replace

import numpy as np

from samelight.correction import Correction
from samelight.io.profile import from_srgb, to_srgb
from samelight.types import FloatArray

# Colours a side: 125 settle the 12 numbers of a cell.
_LEVELS = 5


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

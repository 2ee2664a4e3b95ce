"""One table of colours for editors that know no masks: looked up, and written as `.cube`."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from samelight.types import FloatArray

Places: TypeAlias = npt.NDArray[np.intp]

LATTICE = 33
"""Colours a side, as Resolve and Photoshop write them."""


def apply_lut(rgb: FloatArray, table: FloatArray) -> FloatArray:
    """Look colours up, with trilinear interpolation.

    Args:
        rgb: (...,3) encoded RGB in [0,1].
        table: (33,33,33,3), indexed by red, green and blue.

    Returns:
        (...,3) float32.
    """
    looked_up = np.zeros_like(rgb, dtype=np.float32)
    for corner, share in corners(rgb):
        looked_up += share[..., None] * table[corner]
    return looked_up


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


def corners(
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

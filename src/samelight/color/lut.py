"""3-D tables of colours: looked up, read from `.cube` files and written as such.

A table is an array (S,S,S,3): what the evenly spaced colours of a lattice become, indexed by red,
green and blue.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from samelight.errors import CorrectionError
from samelight.types import FloatArray

LATTICE = 33
"""Colours per axis, as Resolve and Photoshop write them."""

MAX_LATTICE = 65
"""Largest table that Pillow looks colours up in."""

Places: TypeAlias = npt.NDArray[np.int32]


def identity_lut(size: int = LATTICE) -> FloatArray:
    """Make the table that changes nothing: (size,size,size,3) in [0,1]."""
    axis = np.linspace(0, 1, size, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def apply_lut(colours: npt.NDArray[Any], table: FloatArray) -> npt.NDArray[Any]:
    """Look colours up, with trilinear interpolation.

    Args:
        colours: (...,3) float32, those outside [0,1] take the border's value; or a picture (H,W,3)
            of uint8, which Pillow looks up six times as fast, to within a level.
        table: (S,S,S,3); for uint8 in [0,1] and of 2 to 65 colours per axis.

    Returns:
        Array of the same shape and type.
    """
    if colours.dtype == np.uint8:
        by_pillow = ImageFilter.Color3DLUT(len(table), table.transpose(2, 1, 0, 3))
        return np.asarray(Image.fromarray(colours).filter(by_pillow))
    flat = table.reshape(-1, 3)
    looked_up = np.zeros((colours.size // 3, 3), dtype=np.float32)
    for places, weight in corners(colours, len(table)):
        looked_up += weight[:, None] * flat[places]
    return looked_up.reshape(colours.shape)


def corners(colours: FloatArray, size: int) -> Iterator[tuple[Places, FloatArray]]:
    """Find the eight lattice colours around each colour, and how much each of them counts.

    Args:
        colours: (...,3), N of them; those outside [0,1] count as the border's.
        size: of the lattice, per axis.

    Yields:
        Eight times: places (N,) in the lattice written as one row, blue running fastest, and
        weights (N,), which add up to 1.
    """
    position = np.clip(colours.reshape(-1, 3), 0, 1) * np.float32(size - 1)
    low = np.minimum(position.astype(np.int32), size - 2)
    part = position - low
    lowest = (low[:, 0] * size + low[:, 1]) * size + low[:, 2]
    for red, green, blue in product((0, 1), repeat=3):
        weight = np.ones(len(position), dtype=np.float32)
        for axis, above in enumerate((red, green, blue)):
            weight *= part[:, axis] if above else 1 - part[:, axis]
        yield lowest + np.int32((red * size + green) * size + blue), weight


def write_cube(path: str | Path, table: FloatArray, title: str) -> None:
    """Write a table as Resolve, Photoshop and ffmpeg read it: red runs fastest.

    Source: Adobe, Cube LUT Specification 1.0 (2013).

    Args:
        path: where to write.
        table: (S,S,S,3) in [0,1].
        title: shown by editors; quotes and line ends are left out.
    """
    clean = "".join(c for c in title if c.isprintable() and c != '"')
    head = f'TITLE "{clean}"\nLUT_3D_SIZE {len(table)}\n'
    head += "DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n"
    rows = table.transpose(2, 1, 0, 3).reshape(-1, 3)
    lines = (f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in rows.tolist())
    Path(path).write_text(head + "".join(lines), encoding="ascii", errors="replace")


def read_cube(path: Path) -> FloatArray:
    """Read a 3-D table as `write_cube` and editors write it, clipped to [0,1].

    Args:
        path: of a `.cube` file.

    Returns:
        (S,S,S,3) float32.

    Raises:
        CorrectionError: if it is another kind of file, a 1-D table, larger than 65 colours per
            axis, or has another domain than [0,1].
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
        raise CorrectionError(f"{path} cannot be read as a .cube file: {wanted}") from error
    whole = domain == {"DOMAIN_MIN": [0.0] * 3, "DOMAIN_MAX": [1.0] * 3}
    if not whole or not 2 <= size <= MAX_LATTICE or not np.isfinite(values).all():
        raise CorrectionError(f"{path} has size {size} and domain {domain}: {wanted}")
    return np.ascontiguousarray(np.clip(values, 0, 1).transpose(2, 1, 0, 3))

"""3-D look-up tables: drawn at random, or read from .cube files; applied by Pillow."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from samelight.errors import DatasetError
from samelight.lab.data.recolor import interpolate_lattice
from samelight.lab.data.triples import Pixels8
from samelight.types import FloatArray

SIZE = 17

_LATTICE = 5
# Of a drawn table's smooth displacements and of its tone curves; ours, by eye.
_DISPLACEMENT, _SHIFT, _CURVE = 0.09, 0.05, 0.35


def draw_lut(rng: np.random.Generator) -> FloatArray:
    """Draw a smooth look: a monotone tone curve per channel, then smooth shifts of colours.

    SSH trained on 100 tables of a photo editor that are not public; these stand in for them.

    Returns:
        (S,S,S,3) in [0,1], indexed [r,g,b].
    """
    levels = np.linspace(0, 1, SIZE)
    common = rng.normal(0, _CURVE)
    gammas = np.exp(common + rng.normal(0, _CURVE / 3, 3))
    curves = levels[:, None] ** gammas
    grid = np.stack(np.meshgrid(*curves.T, indexing="ij"), axis=-1)
    lattice = rng.normal(0, _DISPLACEMENT, (_LATTICE,) * 3 + (3,)) + rng.normal(0, _SHIFT, 3)
    flat = grid.reshape(SIZE, -1, 3).astype(np.float32)
    moved = flat + interpolate_lattice(lattice.astype(np.float32), flat)
    clipped: FloatArray = np.clip(moved, 0, 1).reshape(grid.shape)
    return clipped


def read_cube(path: Path) -> FloatArray:
    """Read a .cube file (Adobe's specification 1.0, 3-D tables over [0,1]).

    Returns:
        (S,S,S,3), indexed [r,g,b].

    Raises:
        DatasetError: if it is something else.
    """
    size, values = 0, []
    try:
        for line in path.read_text("utf-8").splitlines():
            words = line.split("#")[0].split()
            if words[:1] == ["LUT_3D_SIZE"]:
                size = int(words[1])
            elif words and (words[0][0].isdigit() or words[0][0] in "-."):
                values.append([float(word) for word in words])
        table = np.array(values, dtype=np.float32).reshape(size, size, size, 3)
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"{path} is no .cube file of a 3-D table: remove it") from error
    # In the file red runs fastest.
    return np.ascontiguousarray(table.transpose(2, 1, 0, 3))


def list_cubes(folder: Path) -> list[Path]:
    """Name the .cube files of a folder.

    Raises:
        DatasetError: if there is none.
    """
    found = sorted(folder.glob("*.cube")) if folder.is_dir() else []
    if not found:
        raise DatasetError(f"no .cube files in {folder}: choose another folder for --luts")
    return found


def apply_lut(lut: FloatArray, image: Pixels8) -> Pixels8:
    """Recolour a picture, trilinear between the table's colours.

    Args:
        lut: (S,S,S,3), indexed [r,g,b].
        image: (H,W,3).

    Returns:
        (H,W,3) uint8.
    """
    size = lut.shape[0]
    table: npt.NDArray[np.float32] = lut.transpose(2, 1, 0, 3).reshape(-1, 3)  # red fastest
    color_filter = ImageFilter.Color3DLUT(size, table.ravel().tolist())
    return np.asarray(Image.fromarray(image).filter(color_filter))

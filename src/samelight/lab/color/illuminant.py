"""Changes of illumination measured with a colour checker.

Two photos of the same 24 patches under two lights define a polynomial from one light to the other.
The form, fit and patch order are ccHarmony's (its repository): 11
terms on raw sRGB values of 0-255, ordinary least squares.
"""

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from samelight.color.polynomial import TERMS_11, polynomial_terms
from samelight.types import FloatArray

Matrix = npt.NDArray[np.float64]

PATCHES = 24
TERMS = len(TERMS_11)

# sRGB values of the chart made in 2005, in ccHarmony's patch order: six neutrals from white to
# black, the six saturated colours, and the two upper rows. Found by solving for the targets that
# reproduce the published matrices: 242 of 250 images agree on these integers to 1e-9.
STANDARD_PATCHES: Matrix = np.array(
    [
        [245, 245, 243], [200, 202, 202], [161, 163, 163], [121, 121, 122], [82, 84, 86],
        [49, 49, 51], [35, 63, 147], [67, 149, 74], [180, 49, 57], [238, 198, 20],
        [193, 84, 151], [0, 136, 170], [224, 124, 47], [68, 91, 170], [198, 82, 97],
        [94, 58, 106], [159, 189, 63], [230, 162, 39], [116, 81, 67], [199, 147, 129],
        [91, 122, 156], [90, 108, 64], [130, 128, 176], [92, 190, 172],
    ],
    dtype=np.float64,
)  # fmt: skip


def fit_polynomial(source: Matrix, target: Matrix) -> Matrix:
    """Fit the 3x11 matrix that takes one set of patch colours to another.

    Args:
        source: (24,3) patch colours, 0-255.
        target: (24,3) patch colours, 0-255.

    Returns:
        (3,11) float64; colour' = matrix @ terms.

    Raises:
        ValueError: when the patches are not 24 colours each.
    """
    if source.shape != (PATCHES, 3) or target.shape != (PATCHES, 3):
        raise ValueError(f"patches are {source.shape} and {target.shape}, wanted (24, 3) each")
    solution, *_ = np.linalg.lstsq(polynomial_terms(source, TERMS_11), target, rcond=None)
    matrix: Matrix = solution.T
    return matrix


def fit_affine(source: Matrix, target: Matrix) -> Matrix:
    """Fit r, g, b and 1 only: for charts on which the polynomial would turn grays around.

    Args:
        source: (24,3) patch colours, 0-255.
        target: (24,3) patch colours, 0-255.

    Returns:
        (3,11) float64 as `fit_polynomial` returns it, zero for the other terms.
    """
    kept = [0, 1, 2, TERMS - 1]
    solution, *_ = np.linalg.lstsq(polynomial_terms(source, TERMS_11)[:, kept], target, rcond=None)
    matrix: Matrix = np.zeros((3, TERMS))
    matrix[:, kept] = solution.T
    return matrix


def fit_light(source: Matrix, target: Matrix) -> tuple[Matrix, str]:
    """Fit the polynomial, or the affine map where the polynomial would turn grays around.

    ccHarmony replaced 8 of its 350 forward matrices by affine ones by a rule that is not
    published. Ours: from black to the source's white patch every channel has to rise.

    Returns:
        The (3,11) matrix, and "polynomial" or "affine".
    """
    matrix = fit_polynomial(source, target)
    grays = np.linspace(0, 1, 33)[:, None] * source[0]
    rises = np.diff(polynomial_terms(grays, TERMS_11) @ matrix.T, axis=0) > 0
    return (matrix, "polynomial") if rises.all() else (fit_affine(source, target), "affine")


def apply_polynomial(matrix: Matrix, rgb: FloatArray) -> FloatArray:
    """Recolour by a 3x11 matrix.

    Args:
        matrix: (3,11), as `fit_polynomial` returns it.
        rgb: (...,3) in [0,1].

    Returns:
        (...,3) float32, clipped to [0,1].
    """
    levels = np.asarray(rgb, dtype=np.float32) * np.float32(255)
    terms = polynomial_terms(levels, TERMS_11)
    moved = terms.reshape(-1, TERMS) @ matrix.T.astype(np.float32)
    recoloured: FloatArray = np.clip(moved / np.float32(255), 0, 1).reshape(rgb.shape)
    return recoloured


def change_light(rgb: FloatArray, to_standard: Matrix, from_standard: Matrix) -> FloatArray:
    """Take colours through the standard light to another one: ccHarmony's transitive way.

    Args:
        rgb: (...,3) in [0,1].
        to_standard: (3,11) of the light the colours are in.
        from_standard: (3,11) of the other light.

    Returns:
        (...,3) float32 in [0,1].
    """
    return apply_polynomial(from_standard, apply_polynomial(to_standard, rgb))


class Illuminants:
    """Lights met by real cameras: matrices to and from the standard light, one pair per photo.

    Args:
        patches: (N,24,3) patch colours of N photos, 0-255.
    """

    def __init__(self, patches: Matrix) -> None:
        self.to_standard = [fit_light(colours, STANDARD_PATCHES)[0] for colours in patches]
        self.from_standard = [fit_light(STANDARD_PATCHES, colours)[0] for colours in patches]

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """Pick two different lights by number."""
        here, there = rng.choice(len(self.to_standard), 2, replace=False)
        return int(here), int(there)

    def change(self, rgb: FloatArray, here: int, there: int) -> FloatArray:
        """Take colours from one photo's light to another's: (...,3) -> (...,3) in [0,1]."""
        return change_light(rgb, self.to_standard[here], self.from_standard[there])


@cache
def shipped_illuminants() -> Illuminants:
    """The lights of ccHarmony's 250 training images, whose patch colours are in the package."""
    file = resources.files("samelight.lab.color") / "ccharmony_patches.npy"
    with resources.as_file(file) as path:
        return Illuminants(np.load(path).astype(np.float64))

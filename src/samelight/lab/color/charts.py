"""Colour checkers: 24 patch colours from a CSV or a photo, and the lights they define on disk.

A light is two matrices, `<name>.npy` to the standard light and `<name>_reverse.npy` from it, in
ccHarmony's format: float64 (3,11), on sRGB values of 0-255.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from samelight.color.polynomial import TERMS_11, polynomial_terms
from samelight.errors import DatasetError, UsageError, missing_extra
from samelight.io.files import write_whole
from samelight.lab.color.illuminant import (
    PATCHES,
    STANDARD_PATCHES,
    TERMS,
    Matrix,
    fit_light,
    shipped_illuminants,
)
from samelight.lab.pictures import PICTURE_SUFFIXES, is_visible, read_picture

LIGHTS = "lights.csv"

# The chart's rows from dark skin to black, in ccHarmony's order: neutrals first, then upwards.
_CCHARMONY_ORDER = [*range(18, 24), *range(12, 18), *range(6, 12), *range(6)]
# Colours of the two upper rows differ from patch to patch; a chart read upside down or a wrong
# object ends far from the standard colours, whatever its light.
_LARGEST_MEAN_ERROR = 25.0


@dataclass(frozen=True)
class Light:
    """A light, by the matrices to and from the standard one."""

    name: str
    to_standard: Matrix
    from_standard: Matrix


@dataclass(frozen=True)
class Fit:
    """How well a chart was fitted: mean absolute error over its patches, levels of 0-255."""

    name: str
    forward: str
    """"polynomial" or "affine"."""
    reverse: str
    forward_error: float
    reverse_error: float


def fit_charts(source: Path, out: Path) -> Iterator[Fit]:
    """Fit a light for every chart of a folder (or one file) and write it; yields each fit.

    Args:
        source: .csv files of patch colours, or photos that show a chart.
        out: folder for the matrices; made if needed.

    Raises:
        DatasetError: if there is no chart, or one cannot be read.
    """
    paths = sorted(source.iterdir()) if source.is_dir() else [source]
    charts = [path for path in paths if is_visible(path, (".csv", *PICTURE_SUFFIXES))]
    if not charts or not source.exists():
        raise DatasetError(f"no charts in {source}: wanted .csv files of 24 colours, or photos")
    for path in charts:
        is_csv = path.suffix.lower() == ".csv"
        yield _write_light(path.stem, (read_patches if is_csv else detect_patches)(path), out)


def read_patches(path: Path) -> Matrix:
    """Read 24 rows of R, G, B, 0-255, in ccHarmony's order: neutrals from white to black first.

    Returns:
        (24,3) float64.

    Raises:
        DatasetError: if it holds something else.
    """
    try:
        patches: Matrix = np.loadtxt(path, delimiter=",", dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is no table of numbers: wanted 24 rows R,G,B") from error
    return _require_patches(patches, path)


def detect_patches(path: Path) -> Matrix:
    """Find a 24-patch colour checker in a photo and read its colours.

    Needs the extra `chart` (colour-checker-detection).

    Returns:
        (24,3) float64, 0-255 sRGB-encoded, in ccHarmony's order.

    Raises:
        UsageError: if the extra is missing.
        DatasetError: if no chart is found.
    """
    if find_spec("colour_checker_detection") is None:
        raise UsageError(
            f"{path} is a photo, and reading a chart off it needs {missing_extra('chart')}; "
            "or give the 24 patch colours as a .csv"
        )
    from samelight.lab.color.chart_detection import swatches

    found = swatches(read_picture(path))
    if found is None:
        raise DatasetError(
            f"no colour checker found in {path}: crop the photo to the chart, or give its 24 "
            "patch colours as a .csv"
        )
    return _require_patches(found[_CCHARMONY_ORDER] * 255, path)


def load_lights(folder: Path) -> list[Light]:
    """Read the lights of a folder.

    Raises:
        DatasetError: if there are fewer than two, or a matrix is missing or misshapen.
    """
    names = sorted(p.stem.removesuffix("_reverse") for p in folder.glob("*_reverse.npy"))
    if len(names) < 2:
        raise DatasetError(
            f"{folder} holds {len(names)} lights, at least 2 are wanted: make them with "
            "`samelight data illuminant CHARTS --out LIGHTS`"
        )
    return [
        Light(name, *(_load_matrix(folder / f"{name}{end}.npy") for end in ("", "_reverse")))
        for name in names
    ]


def shipped_lights() -> list[Light]:
    """The lights of ccHarmony's 250 training images."""
    bank = shipped_illuminants()
    matrices = zip(bank.to_standard, bank.from_standard, strict=True)
    return [Light(f"ccHarmony {k}", *both) for k, both in enumerate(matrices)]


def _write_light(name: str, patches: Matrix, out: Path) -> Fit:
    forward, forward_kind = fit_light(patches, STANDARD_PATCHES)
    reverse, reverse_kind = fit_light(STANDARD_PATCHES, patches)
    fit = Fit(
        name,
        forward_kind,
        reverse_kind,
        _mean_error(forward, patches, STANDARD_PATCHES),
        _mean_error(reverse, STANDARD_PATCHES, patches),
    )
    if fit.forward_error > _LARGEST_MEAN_ERROR:
        raise DatasetError(
            f"the patches of {name} miss the standard chart by {fit.forward_error:.0f} levels on "
            "average: wanted them neutrals first, white to black (the documentation lists all 24)"
        )
    out.mkdir(parents=True, exist_ok=True)
    for end, matrix in (("", forward), ("_reverse", reverse)):
        _save_matrix(out / f"{name}{end}.npy", matrix)
    return fit


def write_fits(out: Path, fits: list[Fit]) -> None:
    """Write lights.csv: kind and error of every fit."""

    def write(partial: str) -> None:
        with Path(partial).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(vars(fits[0])), lineterminator="\n")
            writer.writeheader()
            writer.writerows(vars(fit) for fit in fits)

    write_whole(out / LIGHTS, write)


def _save_matrix(path: Path, matrix: Matrix) -> None:
    write_whole(path, lambda partial: np.save(partial, matrix))


def _load_matrix(path: Path) -> Matrix:
    try:
        matrix: npt.NDArray[np.float64] = np.load(path).astype(np.float64)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is missing or damaged: fit the charts again") from error
    if matrix.shape != (3, TERMS):
        raise DatasetError(f"{path} holds {matrix.shape}: wanted a matrix of (3, {TERMS})")
    return matrix


def _mean_error(matrix: Matrix, source: Matrix, target: Matrix) -> float:
    found = polynomial_terms(source, TERMS_11) @ matrix.T
    return float(np.abs(found - target).mean())


def _require_patches(patches: Matrix, path: Path) -> Matrix:
    if patches.shape != (PATCHES, 3) or not np.isfinite(patches).all():
        raise DatasetError(f"{path} holds {patches.shape} numbers: wanted {PATCHES} rows of R,G,B")
    if not (patches.min() >= 0 and 1 < patches.max() <= 255):
        raise DatasetError(f"{path} holds values outside 0-255 (or of 0-1): wanted 0-255")
    return patches

"""How many cells a correction needs: docs/full-resolution.md has the table.

`python studies/fit_grid.py DIR` takes composites and masks in iHarmony4's layout. At the
network's size each is harmonized by a network, and by a hard synthetic edit (light from one side, a
warm spot, contrast, saturation); a correction is fitted to each answer, rendered, and compared with
it inside the mask; that of the network's also with the real image, as fMSE relative to the
composite's. Writes `results/fit_grid.csv`.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np

from samelight.color.polynomial import fit_polynomial
from samelight.color.spaces import linear_to_srgb, srgb_to_linear
from samelight.correction.field import Correction
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.triples import read_triple
from samelight.models.session import open_session
from samelight.render.apply import render
from samelight.render.resample import resample
from samelight.types import FloatArray

RESULTS = Path(__file__).parents[1] / "results" / "fit_grid.csv"
CELLS = (1, 8, 16, 32, 48, 64, 96)
_NOISE = 4 / 255


def main() -> None:
    """Measure every grid on every pair and write a row per grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="holds composite_images and masks")
    parser.add_argument("--every", type=int, default=1, help="take one pair of this many")
    parser.add_argument("--model", default="giftnet.photos-384", help="one that paints pictures")
    arguments = parser.parse_args()
    session = open_session(arguments.model)
    listed = list_pairs(arguments.pairs)[:: arguments.every]
    triples = [[resample(part, session.spec.size_px) for part in read_triple(p)] for p in listed]
    pairs = [(composite, mask) for composite, mask, _ in triples if mask.any()]
    reals = [real for _, mask, real in triples if mask.any()]
    answers = [session.picture(*pair) for pair in pairs]
    rows = [_measure(pairs, reals, answers, cells) for cells in CELLS]
    rows.append(_measure_polynomial(pairs, answers))
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        sys.stdout.write(" | ".join(str(value) for value in row.values()) + "\n")


def _hard_edit(composite: FloatArray, mask: FloatArray) -> FloatArray:
    """Relight locally and not by an affine map: what a pixel network might do at its wildest."""
    height, width = mask.shape
    down, across = np.mgrid[:height, :width] / [[[height]], [[width]]]
    spot = np.exp(-((across - 0.4) ** 2 + (down - 0.35) ** 2) / (2 * 0.12**2))[..., None]
    light = srgb_to_linear(composite) * (0.75 + 0.5 * across)[..., None]
    light = light * (1 + np.array([0.5, 0.25, -0.1]) * spot)
    edited = linear_to_srgb(light.clip(0, 1))
    edited = edited + 0.7 * edited * (1 - edited) * (2 * edited - 1)
    gray = edited.mean(axis=-1, keepdims=True)
    edited = (gray + 1.2 * (edited - gray)).clip(0, 1)
    blended: FloatArray = (composite + mask[..., None] * (edited - composite)).astype(np.float32)
    return blended


def _psnr_db(found: FloatArray, wanted: FloatArray, mask: FloatArray) -> float:
    inside = mask > 0
    return float(-10 * np.log10(max(1e-10, np.mean((found[inside] - wanted[inside]) ** 2))))


def _fmse(found: FloatArray, wanted: FloatArray, mask: FloatArray) -> float:
    return float((mask[..., None] * (found - wanted) ** 2).sum() / (3 * mask.sum()))


def _measure(
    pairs: list[tuple[FloatArray, FloatArray]],
    reals: list[FloatArray],
    answers: list[FloatArray],
    cells: int,
) -> dict[str, str]:
    """Fit and render everything on one grid."""
    rng = np.random.default_rng(0)
    network, errors, seconds = [], [], []
    hard: list[float] = []
    noisy: list[float] = []
    for (composite, mask), real, answer in zip(pairs, reals, answers, strict=True):
        start = time.perf_counter()
        fitted = Correction.fit(composite, answer, mask, shape=(cells, cells))
        seconds.append(time.perf_counter() - start)
        rendered = render(composite, mask, fitted)
        network.append(_psnr_db(rendered, answer, mask))
        errors.append([_fmse(image, real, mask) for image in (rendered, composite)])
        edit = _hard_edit(composite, mask)
        noise = rng.normal(0, _NOISE, edit.shape).astype(np.float32) * mask[..., None]
        for target, found in ((edit, hard), ((edit + noise).clip(0, 1), noisy)):
            fitted = Correction.fit(composite, target, mask, shape=(cells, cells))
            found.append(_psnr_db(render(composite, mask, fitted), edit, mask))
    return {
        "cells": f"{cells} x {cells}",
        "network_db": f"{np.mean(network):.2f}",
        "network_worst_db": f"{np.min(network):.2f}",
        "fmse_ratio": f"{np.divide(*np.mean(errors, axis=0)):.4f}",
        "hard_edit_db": f"{np.mean(hard):.2f}",
        "hard_edit_noisy_db": f"{np.mean(noisy):.2f}",
        "fit_ms": f"{1000 * np.median(seconds):.0f}",
    }


def _measure_polynomial(
    pairs: list[tuple[FloatArray, FloatArray]], answers: list[FloatArray]
) -> dict[str, str]:
    """The same for SSH's one polynomial, fitted at 64 x 64 as its authors do."""
    found: list[float] = []
    hard: list[float] = []
    seconds = []
    for (composite, mask), answer in zip(pairs, answers, strict=True):
        for target, scores in ((answer, found), (_hard_edit(composite, mask), hard)):
            small = [_quarter(values) for values in (composite, target, mask)]
            start = time.perf_counter()
            polynomial = fit_polynomial(*small)
            seconds.append(time.perf_counter() - start)
            change = polynomial.apply(composite) - composite
            scores.append(_psnr_db(composite + mask[..., None] * change, target, mask))
    return {
        "cells": "polynomial",
        "network_db": f"{np.mean(found):.2f}",
        "network_worst_db": f"{np.min(found):.2f}",
        "fmse_ratio": "",
        "hard_edit_db": f"{np.mean(hard):.2f}",
        "hard_edit_noisy_db": "",
        "fit_ms": f"{1000 * np.median(seconds):.0f}",
    }


def _quarter(values: FloatArray) -> FloatArray:
    side = len(values) // 4
    mean: FloatArray = values.reshape(side, 4, side, 4, -1).mean(axis=(1, 3), dtype=np.float32)
    return mean.reshape(side, side, *values.shape[2:])


if __name__ == "__main__":
    main()

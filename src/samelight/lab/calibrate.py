"""Error estimates that are right in the mean, and a gate that follows from them (ours).

A network learns to estimate errors on composites made for training; on others it may expect too
little or too much throughout. Composites with known answers tell by how much. Networks are asked
through their exported file, as in use.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samelight.errors import UsageError
from samelight.harmonizer import Harmonizer, Prediction
from samelight.lab.contract import ErrorMap
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.triples import Triple, read_triple
from samelight.mask.mask import Mask
from samelight.models.spec import Gate
from samelight.render.resample import resample
from samelight.types import FloatArray

Numbers = npt.NDArray[np.float64]

MAX_REAL_MOVED = 1.5
"""Levels by which real photos taken as composites may be changed with the gate, in the mean: well
below what is seen."""
GATES = [
    Gate(closed=closed, open=closed + above)
    for closed in range(41)
    for above in range(max(2, closed), 81, 2)
]
"""What is tried, in levels. Open from no less than twice where it is closed: a steeper one gains
nothing, and would treat photos apart that are alike."""
LEAST_ERROR = 0.5
"""Levels: a smaller error is lost when a picture is stored."""


class Measured(NamedTuple):
    """What a model says of a folder's composites, and what is true: a row for each of N."""

    name: str
    """Of the folder."""
    expected: Numbers
    """(N,2), levels of 255: errors expected of the composites, and of the corrected ones."""
    true: Numbers
    """(N,2), levels: what these errors are."""
    squared: Numbers
    """(N,3): the squared error is the sum of these times 1, w and w^2 for a share w of the
    correction, in levels squared."""
    expected_real: Numbers
    """(N,), levels: errors expected of the real photos, taken as composites."""
    real_moved: Numbers
    """(N,), levels: mean change of the real photos' foregrounds by all of the correction."""

    @property
    def ratio(self) -> float:
        """Mean expected over mean true error of the composites."""
        return float(self.expected[:, 0].mean() / self.true[:, 0].mean())

    def mapped(self, maps: Sequence[ErrorMap]) -> "Measured":
        """The same with other expectations."""
        expected = [apply_map(m, self.expected[:, row]) for row, m in enumerate(maps)]
        return self._replace(
            expected=np.stack(expected, axis=1),
            expected_real=apply_map(maps[0], self.expected_real),
        )

    def left_over(self, gate: Gate | None) -> float:
        """Share of the composites' squared error that is left."""
        weight = _weights(gate, self.expected[:, 0])
        powers = np.stack([np.ones_like(weight), weight, weight**2], axis=1)
        return float((self.squared * powers).sum() / self.squared[:, 0].sum())

    def moved(self, gate: Gate | None) -> float:
        """Mean change of the real photos, in levels."""
        return float((_weights(gate, self.expected_real) * self.real_moved).mean())


def measure_folder(harmonizer: Harmonizer, folder: Path) -> Measured:
    """Ask a model about composites and the real photos that they were made of.

    Args:
        harmonizer: an opened model that estimates errors.
        folder: composites with their real photos, in iHarmony4's layout.

    Raises:
        UsageError: for a model that estimates none.
        DatasetError: if there are no composites, or a file of one is missing.
    """
    if not harmonizer.spec.error_estimate:
        raise UsageError("only a network that estimates errors can be calibrated: leave it out")
    triples = (read_triple(pair) for pair in list_pairs(folder))
    rows = [_measure(harmonizer, triple) for triple in triples if triple.mask.any()]
    columns = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return Measured(folder.resolve().name, *columns)


def fit_error_maps(folders: Sequence[Measured]) -> tuple[ErrorMap, ErrorMap]:
    """Find the maps after which what is expected is right in the mean.

    The slope makes the expected errors spread as far as the true ones, but never farther than they
    did. (Least squares would take noise for a reason to expect much the same of every photo.) The
    offset makes the mean expected error the mean true one, in the mean over the folders. Each
    folder counts as much as any other.

    Raises:
        UsageError: when all composites are equally wrong.
    """
    first, second = (_fit(folders, row) for row in range(2))
    return first, second


def find_gate(folders: Sequence[Measured]) -> Gate:
    """Find the gate that leaves the least error and moves no folder's real photos too far.

    Args:
        folders: with calibrated expectations.
    """
    moved = [max(folder.moved(gate) for folder in folders) for gate in GATES]
    allowed = [gate for gate, by in zip(GATES, moved, strict=True) if by <= MAX_REAL_MOVED]
    return min(
        allowed or [GATES[-1]],
        key=lambda gate: float(np.mean([folder.left_over(gate) for folder in folders])),
    )


def apply_map(error_map: ErrorMap, errors: Numbers) -> Numbers:
    """What becomes of expected errors, in levels."""
    mapped: Numbers = np.exp(error_map.offset) * errors**error_map.slope
    return mapped


def _fit(folders: Sequence[Measured], row: int) -> ErrorMap:
    expected = [folder.expected[:, row] for folder in folders]
    true = [folder.true[:, row] for folder in folders]
    spreads = [_spread_of_logs(errors) for errors in (expected, true)]
    if not spreads[1]:
        raise UsageError("all these composites are equally wrong: calibrate on more of them")
    slope = min(1.0, spreads[1] / spreads[0]) if spreads[0] else 1.0
    ratios = [(e**slope).mean() / t.mean() for e, t in zip(expected, true, strict=True)]
    return ErrorMap(slope=slope, offset=float(-np.log(np.mean(ratios))))


def _spread_of_logs(folders: Sequence[Numbers]) -> float:
    """Standard deviation of logarithms, each folder weighing the same."""
    logs = [np.log(errors.clip(min=LEAST_ERROR)) for errors in folders]
    centre = np.mean([values.mean() for values in logs])
    return float(np.mean([np.square(values - centre).mean() for values in logs]) ** 0.5)


def _measure(harmonizer: Harmonizer, triple: Triple) -> tuple[object, ...]:
    """A row of `Measured`."""
    mask = Mask(triple.mask)
    found, needless = (harmonizer.predict(photo, mask) for photo in (triple.composite, triple.real))
    assert found.error_estimate is not None
    assert needless.error_estimate is not None
    real = resample(triple.real, harmonizer.spec.size_px)
    wrong, change = found.composite - real, found.harmonized - found.composite
    squared = [
        _mean(wrong * wrong, found), 2 * _mean(wrong * change, found), _mean(change * change, found)
    ]  # fmt: skip
    corrected = _mean(np.square(found.harmonized - real), found)
    moved = _mean(np.abs(needless.harmonized - needless.composite), needless)
    return (
        list(found.error_estimate),
        [255 * squared[0] ** 0.5, 255 * corrected**0.5],
        [255**2 * term for term in squared],
        needless.error_estimate.composite,
        255 * moved,
    )


def _mean(values: FloatArray, prediction: Prediction) -> float:
    """Mean of (S,S,3) over the foreground."""
    return float(np.average(values.mean(axis=2), weights=prediction.mask))


def _weights(gate: Gate | None, expected: Numbers) -> Numbers:
    """What a gate lets through, for each expectation; everything where there is none."""
    return np.array([gate.weight(error) if gate else 1.0 for error in expected])

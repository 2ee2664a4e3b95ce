"""Totals of an evaluation, with confidence intervals, and the file that keeps them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from samelight.errors import ResultsError
from samelight.lab.evaluation.predict import write_json
from samelight.lab.evaluation.protocols import Protocol
from samelight.lab.evaluation.score import IDENTITY, Score

RESULTS = "results.json"
FIGURES = ("psnr_db", "mse_255", "fmse_255", "ssim", "fssim", "fmse_ratio", "improved")

_RESAMPLES, _RESAMPLES_AT_ONCE = 1000, 100
_CONFIDENCE = (2.5, 97.5)


@dataclass(frozen=True)
class Summary:
    """Means over images, each image counting once; the ratio is of mean fMSE to the composites'."""

    images: int
    psnr_db: float
    mse_255: float
    fmse_255: float
    ssim: float
    fssim: float
    fmse_ratio: float
    improved: float
    ci95: dict[str, tuple[float, float]] = field(default_factory=dict)
    """95 % interval of each figure: bootstrap over images, 1,000 resamples, always the same."""


@dataclass(frozen=True)
class MethodResult:
    """One entry's totals."""

    name: str
    sha256: str | None
    total: Summary
    groups: dict[str, Summary]
    bins: dict[str, Summary]
    """By share of foreground, such as "5-15 %"."""


@dataclass(frozen=True)
class Results:
    """All that a table needs; `results.json`."""

    protocol: dict[str, Any]
    pairs: dict[str, Any]
    environment: dict[str, Any]
    seconds: dict[str, Any]
    entries: list[MethodResult]

    def write(self, path: Path) -> None:
        """Write the file, complete or not at all."""
        write_json(path, _finite(asdict(self)))


def read_results(path: Path) -> Results:
    """Read results.json, or the folder of a run.

    Raises:
        ResultsError: if there is none.
    """
    path = path / RESULTS if path.is_dir() else path
    if not path.is_file():
        raise ResultsError(f"{path} is missing: run `samelight evaluate` or `samelight score`")
    try:
        content = json.loads(path.read_text("utf-8"))
        method_results = [
            MethodResult(
                name=one["name"],
                sha256=one["sha256"],
                total=_summary(one["total"]),
                groups={key: _summary(value) for key, value in one["groups"].items()},
                bins={key: _summary(value) for key, value in one["bins"].items()},
            )
            for one in content["entries"]
        ]
        return Results(**(content | {"entries": method_results}))
    except (ValueError, TypeError, KeyError) as error:
        raise ResultsError(f"{path} is no results.json of this version: score again") from error


def conclude(
    scores: Sequence[Score],
    protocol: Protocol,
    *,
    pairs: Mapping[str, Any],
    environment: Mapping[str, Any],
    seconds: Mapping[str, Any],
    models: Mapping[str, str | None],
) -> Results:
    """Add scores up: in total, by group, and by share of foreground.

    Args:
        scores: of all entries, the identity among them, on the same images.
        protocol: how they were scored.
        pairs: which triples.
        environment: with what.
        seconds: by pass and stage.
        models: sha256 by entry.
    """
    by_entry: dict[str, list[Score]] = {}
    for score in scores:
        by_entry.setdefault(score.entry, []).append(score)
    identity = by_entry[IDENTITY]
    groups = list(dict.fromkeys(score.group for score in identity))
    method_results = []
    for name, own in by_entry.items():
        in_groups = {g: _part(own, identity, [s.group == g for s in own]) for g in groups}
        in_bins = {
            label: _part(own, identity, [low <= s.foreground < high for s in own])
            for label, low, high in _bins(protocol)
        }
        method_results.append(
            MethodResult(
                name,
                models.get(name),
                summarise(own, identity),
                in_groups,
                {label: summary for label, summary in in_bins.items() if summary.images},
            )
        )
    return Results(asdict(protocol), dict(pairs), dict(environment), dict(seconds), method_results)


def summarise(scores: Sequence[Score], identity: Sequence[Score]) -> Summary:
    """Average one entry's scores.

    Args:
        scores: of one entry.
        identity: the identity's, on the same triples.
    """
    if not scores:
        nothing: dict[str, Any] = dict.fromkeys(FIGURES, math.nan)
        return Summary(images=0, **nothing)
    columns = np.array(
        [
            (s.psnr_db, s.mse_255, s.fmse_255, s.ssim, s.fssim, i.fmse_255, s.improved)
            for s, i in zip(scores, identity, strict=True)
        ],
        dtype=np.float64,
    )
    means = _figures(columns.mean(axis=0, keepdims=True))[0]
    figures: dict[str, Any] = dict(zip(FIGURES, means.tolist(), strict=True))
    return Summary(images=len(scores), **figures, ci95=_intervals(columns))


def _part(scores: Sequence[Score], identity: Sequence[Score], chosen: Sequence[bool]) -> Summary:
    return summarise(
        [s for s, keep in zip(scores, chosen, strict=True) if keep],
        [s for s, keep in zip(identity, chosen, strict=True) if keep],
    )


def _bins(protocol: Protocol) -> list[tuple[str, float, float]]:
    edges = [0.0, *protocol.bins, 1.0]
    return [
        (f"{100 * low:g}-{100 * high:g} %", low, high if high < 1 else math.inf)
        for low, high in pairwise(edges)
    ]


def _figures(means: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Column means (R,7), the composites' fMSE in the sixth, to the figures in their order."""
    figures: npt.NDArray[np.float64] = means.copy()
    composite = means[:, 5]
    figures[:, 5] = np.divide(
        means[:, 2], composite, out=np.full_like(composite, np.nan), where=composite > 0
    )
    return figures


def _intervals(columns: npt.NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap over images."""
    count = len(columns)
    rng = np.random.default_rng(0)
    resampled = []
    for _ in range(0, _RESAMPLES, _RESAMPLES_AT_ONCE):
        drawn = rng.integers(count, size=(_RESAMPLES_AT_ONCE, count))
        drawn += count * np.arange(_RESAMPLES_AT_ONCE)[:, None]
        often = np.bincount(drawn.ravel(), minlength=_RESAMPLES_AT_ONCE * count)
        with np.errstate(invalid="ignore"):  # an infinite PSNR times 0
            resampled.append(_figures(often.reshape(-1, count) @ columns / count))
    with np.errstate(invalid="ignore"):
        low, high = np.percentile(np.concatenate(resampled), _CONFIDENCE, axis=0)
    return {
        name: (float(low[k]), float(high[k]))
        for k, name in enumerate(FIGURES)
        if np.isfinite((low[k], high[k])).all()
    }


def _summary(content: dict[str, Any]) -> Summary:
    numbers = {n: math.nan if content[n] is None else float(content[n]) for n in FIGURES}
    intervals = {name: (low, high) for name, (low, high) in content["ci95"].items()}
    return Summary(images=content["images"], **numbers, ci95=intervals)


def _finite(content: Any) -> Any:  # noqa: ANN401
    """JSON knows neither infinity nor nan: both become null."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float):
        return round(content, 6) if math.isfinite(content) else None
    return content

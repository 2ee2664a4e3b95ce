"""Results that were published, each with where it stands, to put one's own beside.

`published.csv` and `published_sources.csv` hold them. Size is the side in pixels at which images
were scored, "own" for each image's own; a source's protocol is the dialect of its repository's
evaluation code, empty where that is not known.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from samelight.errors import UsageError
from samelight.lab.evaluation.report import Row
from samelight.lab.evaluation.results import Results, Summary

COLUMNS = ("method", "size", "PSNR dB", "MSE", "fMSE", "SSIM", "fSSIM", "source", "note")


@dataclass(frozen=True)
class Published:
    """One row of a published table; figures as printed there, "" where there is none."""

    dataset: str
    size: str
    method: str
    part: str
    """A sub-dataset, "All", or a bin of foreground shares."""
    psnr_db: str
    mse: str
    fmse: str
    ssim: str
    fssim: str
    source: str
    note: str


@dataclass(frozen=True)
class Source:
    """Where figures were read."""

    source: str
    title: str
    address: str
    protocol: str


def list_published(dataset: str, part: str = "All", size: str | None = None) -> list[Published]:
    """Find the rows of one data set and part, as they stand in the file.

    Raises:
        UsageError: naming what there is.
    """
    rows = [Published(**row) for row in _read("published.csv")]
    for what, wanted in (("dataset", dataset), ("part", part), ("size", size)):
        there = list(dict.fromkeys(getattr(row, what) for row in rows))
        if wanted is not None and wanted not in there:
            raise UsageError(
                f"nothing published for {what} {wanted!r} here: choose one of {', '.join(there)}"
            )
        rows = [row for row in rows if wanted is None or getattr(row, what) == wanted]
    return rows


def list_sources() -> dict[str, Source]:
    """Read where figures come from, by their short names."""
    return {row["source"]: Source(**row) for row in _read("published_sources.csv")}


def published_rows(published: Sequence[Published], own: Results | None, part: str) -> list[Row]:
    """Table rows; one's own results last, if they were scored on that part."""
    rows: list[Row] = [
        (p.method, p.size, p.psnr_db, p.mse, p.fmse, p.ssim, p.fssim, p.source, p.note)
        for p in published
    ]
    for result in own.entries if own else []:
        parts = {"All": result.total, **result.groups, **result.bins}
        if part in parts and own is not None:
            size = str(own.protocol["size_px"] or "own")
            note = f"{own.pairs['images']} images of {own.pairs['folder']}"
            source = f"this run, {own.protocol['name']}"
            rows.append((result.name, size, *_figures(parts[part]), source, note))
    return rows


def _figures(summary: Summary) -> tuple[str, ...]:
    return (
        f"{summary.psnr_db:.2f}",
        f"{summary.mse_255:.2f}",
        f"{summary.fmse_255:.2f}",
        f"{summary.ssim:.4f}",
        f"{summary.fssim:.4f}",
    )


def _read(name: str) -> list[dict[str, str]]:
    file = resources.files("samelight.lab.evaluation") / name
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))

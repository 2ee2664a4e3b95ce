"""Tables of results: their rows, and the Markdown of them."""

from collections.abc import Iterable, Sequence

from samelight.errors import UsageError
from samelight.lab.evaluation.results import MethodResult, Results, Summary

COLUMNS = ("PSNR dB", "MSE", "fMSE", "SSIM", "fSSIM", "fMSE / composite", "improved")

Row = tuple[str, ...]


def entries_rows(results: Results) -> list[Row]:
    """One row per entry, over all triples."""
    return [(result.name, *_cells(result.total)) for result in results.entries]


def parts_rows(parts: dict[str, Summary]) -> list[Row]:
    """One row per group or bin of a entry."""
    return [(name, str(part.images), *_cells(part)) for name, part in parts.items()]


def markdown_table(header: Sequence[str], rows: Iterable[Row]) -> str:
    """A table for a Markdown file; ends without a line break."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line).rstrip() + " |" for line in lines)


def with_intervals(result: MethodResult) -> Row:
    """One row of 95 % intervals, under the figures they belong to."""
    spans = (result.total.ci95.get(name) for name in _DIGITS)
    cells = [
        "" if span is None else f"{span[0]:.{digits}f} - {span[1]:.{digits}f}"
        for span, digits in zip(spans, _DIGITS.values(), strict=True)
    ]
    return (f"{result.name}, 95 %", *cells)


def results_table(
    results: Results, by: str, entry: str | None = None, *, intervals: bool = False
) -> str:
    """A Markdown table of a run.

    Args:
        results: the run's.
        by: "total" for a row per entry; "group" or "bin" for a row per part of one entry.
        entry: whose parts; None = the last one's.
        intervals: add a row of 95 % intervals to every entry's total.

    Raises:
        UsageError: for another word, or a entry that is not there.
    """
    if by == "total":
        rows = []
        for result, row in zip(results.entries, entries_rows(results), strict=True):
            rows += [row, with_intervals(result)] if intervals else [row]
        return markdown_table((f"{results.pairs['images']} composites", *COLUMNS), rows)
    own = next((c for c in results.entries if c.name == entry), None)
    if entry is None:
        own = results.entries[-1]
    if own is None or by not in ("group", "bin"):
        names = ", ".join(c.name for c in results.entries)
        raise UsageError(
            f"no table by {by!r} of {entry!r}: choose total, group or bin, and one of {names}"
        )
    parts = own.groups if by == "group" else own.bins
    return markdown_table((by, "images", *COLUMNS), parts_rows(parts))


_DIGITS = {
    "psnr_db": 2,
    "mse_255": 1,
    "fmse_255": 1,
    "ssim": 4,
    "fssim": 4,
    "fmse_ratio": 3,
    "improved": 3,
}


def _cells(summary: Summary) -> list[str]:
    cells = [f"{getattr(summary, name):.{digits}f}" for name, digits in _DIGITS.items()]
    return [*cells[:-1], f"{100 * summary.improved:.1f} %"]

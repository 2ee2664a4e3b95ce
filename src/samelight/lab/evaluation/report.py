"""Tables of results, for a terminal and for Markdown."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from samelight.errors import UsageError
from samelight.lab.evaluation.results import Contest, Results, Summary

COLUMNS = ("PSNR dB", "MSE", "fMSE", "SSIM", "fSSIM", "fMSE / composite", "improved")

Row = tuple[str, ...]


def contenders_rows(results: Results) -> list[Row]:
    """One row per contender, over all triples."""
    return [(contest.name, *_cells(contest.total)) for contest in results.contenders]


def parts_rows(parts: dict[str, Summary]) -> list[Row]:
    """One row per group or bin of a contender."""
    return [(name, str(part.images), *_cells(part)) for name, part in parts.items()]


def terminal_table(header: Sequence[str], rows: Iterable[Row]) -> Table:
    """A table for a terminal."""
    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*row)
    return table


def markdown_table(header: Sequence[str], rows: Iterable[Row]) -> str:
    """A table for a Markdown file; ends without a line break."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line).rstrip() + " |" for line in lines)


def with_intervals(contest: Contest) -> Row:
    """One row of 95 % intervals, under the figures they belong to."""
    spans = (contest.total.ci95.get(name) for name in _DIGITS)
    cells = [
        "" if span is None else f"{span[0]:.{digits}f} - {span[1]:.{digits}f}"
        for span, digits in zip(spans, _DIGITS.values(), strict=True)
    ]
    return (f"{contest.name}, 95 %", *cells)


def results_table(
    results: Results, by: str, contender: str | None = None, *, intervals: bool = False
) -> str:
    """A Markdown table of a run.

    Args:
        results: the run's.
        by: "total" for a row per contender; "group" or "bin" for a row per part of one contender.
        contender: whose parts; None = the last one's.
        intervals: add a row of 95 % intervals to every contender's total.

    Raises:
        UsageError: for another word, or a contender that is not there.
    """
    if by == "total":
        rows = []
        for contest, row in zip(results.contenders, contenders_rows(results), strict=True):
            rows += [row, with_intervals(contest)] if intervals else [row]
        return markdown_table((f"{results.pairs['images']} composites", *COLUMNS), rows)
    own = next((c for c in results.contenders if c.name == contender), None)
    if contender is None:
        own = results.contenders[-1]
    if own is None or by not in ("group", "bin"):
        names = ", ".join(c.name for c in results.contenders)
        raise UsageError(
            f"no table by {by!r} of {contender!r}: choose total, group or bin, and one of {names}"
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
    return [*cells[:-1], f"{summary.improved:.1%}"]

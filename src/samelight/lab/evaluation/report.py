"""Tables of results, for a terminal and for Markdown."""

from collections.abc import Iterable, Sequence

from rich.table import Table

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

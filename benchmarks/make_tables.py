"""Write the tables of results in README, docs and model cards from the files of results.

    python benchmarks/make_tables.py

A table stands between `<!-- table: NAME BY -->` and `<!-- end -->`: NAME is a folder here with a
results.json, BY is total, group or bin. tests/test_tables.py holds the pages to it.
"""

import re
import sys
from pathlib import Path

from samelight.lab.evaluation.report import markdown_table
from samelight.lab.evaluation.results import Contest, Results, Summary, read_results

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/benchmark.md", "src/samelight/weights/giftnet.photos-256.md")

_MARKED = re.compile(r"<!-- table: (\S+) (total|group|bin) -->\n.*?<!-- end -->", re.DOTALL)
_TITLES = {
    "identity": "composite, left alone",
    "reinhard": "Reinhard (Lab)",
    "reinhard-half": "Reinhard at half strength",
    "histogram": "histogram",
    "illumination": "real illumination changes",
}
_COLUMNS = ("PSNR dB", "MSE", "fMSE", "fSSIM", "fMSE / composite", "improved")


def fill(page: str) -> str:
    """Replace every marked table of a page by today's."""

    def table(found: re.Match[str]) -> str:
        results = read_results(ROOT / "benchmarks" / found[1])
        rows = (
            _total(results, found[1]) if found[2] == "total" else _parts(results, *found.groups())
        )
        return f"<!-- table: {found[1]} {found[2]} -->\n{rows}\n<!-- end -->"

    return _MARKED.sub(table, page)


def _total(results: Results, model: str) -> str:
    header = (f"{results.pairs['images']} composites of the development set", *_COLUMNS)
    return markdown_table(header, [_row(contest, model) for contest in results.contenders])


def _row(contest: Contest, model: str) -> tuple[str, ...]:
    cells = _cells(contest.total)
    if contest.name == "identity":
        cells[-1] = ""
    if contest.name == model:
        return (f"**{model}**", *(f"**{cell}**" for cell in cells))
    title = _TITLES.get(contest.name, contest.name)
    return (title.replace(f"{model} on gray", "the same, background turned gray"), *cells)


def _parts(results: Results, model: str, by: str) -> str:
    (own,) = (contest for contest in results.contenders if contest.name == model)
    parts = own.groups if by == "group" else own.bins
    header = ("family" if by == "group" else "foreground", "images", *_COLUMNS)
    rows = [(_TITLES.get(n, n), str(part.images), *_cells(part)) for n, part in parts.items()]
    return markdown_table(header, rows)


def _cells(summary: Summary) -> list[str]:
    return [
        f"{summary.psnr_db:.2f}",
        f"{summary.mse_255:.1f}",
        f"{summary.fmse_255:.1f}",
        f"{summary.fssim:.3f}",
        f"{summary.fmse_ratio:.3f}",
        f"{100 * summary.improved:.1f} %",
    ]


def main() -> int:
    """Rewrite the pages."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(fill(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

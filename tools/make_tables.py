"""Write the tables of results in README, docs and model cards from the files of results.

    python tools/make_tables.py

A table stands between `<!-- table: NAME KIND -->` and `<!-- end -->`. NAME is a shipped model,
whose folder in results/ has a results.json and a training.json; for the kind `ablation` it is a
method, for `augmentations` "synthetic" or "pairs", and for
`comparison`, `equal-budget`, `full-resolution`, `paper-sizes` and `two-backgrounds` "all".
tests/tools/test_tables.py holds the pages to it.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samelight.lab.evaluation.report import markdown_table
from samelight.lab.evaluation.results import MethodResult, Results, Summary, read_results
from samelight.lab.methods import METHODS
from samelight.models.registry import list_models

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "studies"))

import ablation  # noqa: E402
import augmentations  # noqa: E402
import full_resolution  # noqa: E402
import paper_sizes  # noqa: E402
import two_backgrounds  # noqa: E402

PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in ("benchmark", "comparison", "full-resolution")),
    *(f"docs/methods/{method}.md" for method in METHODS),
    *(str((row.folder / row.card).relative_to(ROOT)) for row in list_models().values()),
)

_MARKED = re.compile(r"<!-- table: (\S+) (\S+) -->\n.*?<!-- end -->", re.DOTALL)
_TITLES = {
    "identity": "composite, left alone",
    "reinhard": "Reinhard (Lab)",
    "reinhard-half": "Reinhard at half strength",
    "histogram": "histogram",
    "illumination": "real illumination changes",
}
_SHARES = ("fg 0-5 %", "fg 5-15 %", "fg 15-100 %")
_COLUMNS = ("PSNR dB", "MSE", "fMSE", "fSSIM", "fMSE / composite", "improved")


def fill(page: str) -> str:
    """Replace every marked table of a page by today's."""

    def table(found: re.Match[str]) -> str:
        name, kind = found.groups()
        return f"<!-- table: {name} {kind} -->\n{TABLES[kind](name)}\n<!-- end -->"

    return _MARKED.sub(table, page)


def _total(model: str) -> str:
    results = _results(model)
    header = (f"{results.pairs['images']} composites of the development set", *_COLUMNS)
    return markdown_table(header, [_row(result, model) for result in results.entries])


def _headline(model: str) -> str:
    """The development set and the real triplets side by side, with 95 % intervals."""
    sets = _results(model), read_results(ROOT / "results" / model / "real_pairs")
    titles = ("development set", "real triplets")
    heads = [
        "",
        *(f"{t}: {c}" for t in titles for c in ("fMSE / composite", "PSNR dB", "improved")),
    ]
    rows = []
    for result in sets[0].entries:
        other = _own(sets[1], result.name)
        cells = [cell for one in (result, other) for cell in _with_spans(one.total)]
        rows.append((_row(result, model)[0], *cells))
    return markdown_table(heads, rows)


def _with_spans(summary: Summary) -> tuple[str, ...]:
    """Ratio with its interval, PSNR with its interval, share that improved."""
    ratio, psnr = (
        "" if span is None else " ({:.{d}f} to {:.{d}f})".format(*span, d=digits)
        for span, digits in (
            (summary.ci95.get("fmse_ratio"), 2),
            (summary.ci95.get("psnr_db"), 1),
        )
    )
    improved = f"{100 * summary.improved:.0f} %" if summary.improved else ""
    return f"{summary.fmse_ratio:.3f}{ratio}", f"{summary.psnr_db:.2f}{psnr}", improved


def _row(result: MethodResult, model: str) -> tuple[str, ...]:
    cells = _cells(result.total)
    if result.name == "identity":
        cells[-1] = ""
    if result.name == model:
        return (f"**{model}**", *(f"**{cell}**" for cell in cells))
    title = _TITLES.get(result.name, result.name)
    return (title.replace(f"{model} on gray", "the same, background turned gray"), *cells)


def _groups(model: str) -> str:
    return _parts("family", _own(_results(model), model).groups)


def _bins(model: str) -> str:
    return _parts("foreground", _own(_results(model), model).bins)


def _parts(title: str, parts: dict[str, Summary]) -> str:
    rows = [(_TITLES.get(n, n), str(part.images), *_cells(part)) for n, part in parts.items()]
    return markdown_table((title, "images", *_COLUMNS), rows)


def _comparison(_: str) -> str:
    """Every shipped model: quality, also by the foreground's share, and what training it cost."""
    rows = []
    for model, row in list_models().items():
        results = _results(model)
        own, gray = _own(results, model), _own(results, f"{model} on gray").total
        psnr, mse, fmse, _, ratio, improved = _cells(own.total)
        by_share = (f"{part.fmse_ratio:.3f}" for part in own.bins.values())
        runs = _training(model)
        images = f"{sum(run['images'] for run in runs):,}"
        hours = f"{sum(run['minutes'] for run in runs) / 60:.1f}"
        cells = (psnr, mse, fmse, ratio, improved, *by_share, f"{gray.fmse_ratio:.3f}")
        card = (row.folder / row.card).relative_to(ROOT)
        rows.append((f"[{model}](../{card})", *cells, images, hours))
    header = ("model", "PSNR dB", "MSE", "fMSE", "fMSE / composite", "improved", *_SHARES)
    return markdown_table((*header, "on gray", "images seen", "hours"), rows)


def _curve(model: str) -> str:
    """How the runs went: at most eight checkpoints of each."""
    rows = []
    for number, run in enumerate(_training(model), 1):
        curve = run["curve"]
        step = -(-len(curve) // 8)
        for point in curve[::-step][::-1]:
            ratio, improved = f"{point['fmse_ratio']:.3f}", f"{100 * point['improved']:.1f} %"
            side = f"{point.get('seen_px') or run['config']['size_px']} px"
            rows.append((str(number), f"{point['images']:,}", side, ratio, improved))
    return markdown_table(("run", "images", "seen at", "fMSE / composite", "improved"), rows)


def _photos(model: str) -> str:
    """The photos of the last run, and what is said of their licence."""
    cells = ("source", "photos", "licence")
    rows = [tuple(str(source[c]) for c in cells) for source in _training(model)[-1]["photos"]]
    return markdown_table(("source", "photos", "licence as stated there"), rows)


def _results(model: str) -> Results:
    return read_results(ROOT / "results" / model)


def _training(model: str) -> list[dict[str, Any]]:
    path = ROOT / "results" / model / "training.json"
    runs: list[dict[str, Any]] = json.loads(path.read_text())
    return runs


def _own(results: Results, name: str) -> MethodResult:
    (own,) = (result for result in results.entries if result.name == name)
    return own


def _cells(summary: Summary) -> list[str]:
    return [
        f"{summary.psnr_db:.2f}",
        f"{summary.mse_255:.1f}",
        f"{summary.fmse_255:.1f}",
        f"{summary.fssim:.3f}",
        f"{summary.fmse_ratio:.3f}",
        f"{100 * summary.improved:.1f} %",
    ]


TABLES: dict[str, Callable[[str], str]] = {
    "total": _total,
    "headline": _headline,
    "group": _groups,
    "bin": _bins,
    "comparison": _comparison,
    "curve": _curve,
    "photos": _photos,
    "ablation": ablation.table,
    "equal-budget": ablation.equal_budget,
    "full-resolution": full_resolution.table,
    "paper-sizes": paper_sizes.table,
    "two-backgrounds": two_backgrounds.table,
    "augmentations": augmentations.table,
}


def main() -> int:
    """Rewrite the pages."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(fill(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

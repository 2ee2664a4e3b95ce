"""Tables of scores for a terminal."""

from collections.abc import Sequence

from rich.table import Table

from samelight.lab.evaluation.run import Score, Summary, summarise

COLUMNS = ("PSNR dB", "MSE", "fMSE", "fMSE / composite", "improved")


def contenders_table(scores: Sequence[Score]) -> Table:
    """One row per contender, over all triples."""
    table = Table("contender", *COLUMNS, box=None)
    identity = [s for s in scores if s.contender == "identity"]
    for contender in dict.fromkeys(s.contender for s in scores):
        own = [s for s in scores if s.contender == contender]
        table.add_row(contender, *_cells(summarise(own, identity)))
    return table


def families_table(scores: Sequence[Score], contender: str) -> Table:
    """One row per family of composites, for one contender."""
    table = Table("family", "images", *COLUMNS, box=None)
    for family in sorted({s.family for s in scores}):
        own = [s for s in scores if s.family == family and s.contender == contender]
        identity = [s for s in scores if s.family == family and s.contender == "identity"]
        table.add_row(family, str(len(own)), *_cells(summarise(own, identity)))
    return table


def _cells(summary: Summary) -> list[str]:
    return [
        f"{summary.psnr_db:.2f}",
        f"{summary.mse_255:.1f}",
        f"{summary.fmse_255:.1f}",
        f"{summary.fmse_ratio:.3f}",
        f"{summary.improved:.1%}",
    ]

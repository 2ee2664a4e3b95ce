"""What there is: `samelight models`, and the methods to train, `samelight methods`."""

import typer

from samelight.interfaces.cli.console import remark, tell_table

app = typer.Typer()


@app.command()
def models() -> None:
    """List the shipped models, and how they score.

    The figures are of the development set, as in the README.
    """
    from samelight.models.registry import list_models

    rows = list_models()
    if not rows:
        remark("this build ships no models")
        return
    figures = dict.fromkeys(figure for row in rows.values() for figure in row.results)
    header = ("model", "method", "paper", "licence", "size", "parameters", *figures)
    cells = [
        (
            *(name, row.method, row.paper, row.licence),
            *(f"{row.size_px} px", f"{row.parameters:,}"),
            *(_figure(figure, row.results.get(figure)) for figure in figures),
        )
        for name, row in rows.items()
    ]
    tell_table(header, cells, words=4)


# As the README writes them.
_DIGITS = {"PSNR dB": 2, "fMSE / composite": 3}


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f} %" if name == "improved" else f"{value:.{_DIGITS.get(name, 3)}f}"


@app.command()
def methods() -> None:
    """List the methods that `samelight train` trains."""
    from samelight.lab.methods import METHODS

    header = ("method", "title", "published", "configurations", "training images")
    cells = [
        (
            *(name, method.paper.title if method.paper else ""),
            *(method.paper.venue if method.paper else "ours", ", ".join(method.configs)),
            f"{method.recipe.images:,}",
        )
        for name, method in METHODS.items()
    ]
    tell_table(header, cells, words=4)

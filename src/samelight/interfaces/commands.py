"""The commands of the `samelight` command line.

Results go to stdout, talk to stderr. A command that needs the lab imports it in its body.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from samelight import __version__
from samelight.correction import MAX_STRENGTH
from samelight.harmonizer import Harmonizer
from samelight.io.mask import fit_mask, read_mask, require_same_size
from samelight.io.photo import read_photo, require_writable, write_photo
from samelight.models import DEFAULT_MODEL, list_models
from samelight.sheet import side_by_side

# Wide enough that a table piped to a file is not folded at the 80 columns of a terminal.
_PIPED_WIDTH = 200

app = typer.Typer(
    name="samelight",
    help="A pasted object, seen in the light of its new photograph.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    # `samelight --version` alone is answered by cli.main; this lists the option in --help.
    if version:
        typer.echo(f"samelight {__version__}")
        raise typer.Exit


@app.command()
def harmonize(
    composite: Annotated[Path, typer.Argument(help="Photo with the pasted object.")],
    mask: Annotated[
        Path, typer.Option(help="Where the object is: white on black, or a transparent cut-out.")
    ],
    output: Annotated[Path, typer.Option(help="Where to write; the ending decides the format.")],
    model: Annotated[
        str, typer.Option(help="A name from `samelight methods`, or an .onnx file.")
    ] = DEFAULT_MODEL,
    strength: Annotated[
        float, typer.Option(help=f"0 = nothing, 1 = as the network says, up to {MAX_STRENGTH}.")
    ] = 1.0,
    fit_mask_to_photo: Annotated[
        bool, typer.Option("--fit-mask", help="Resize a mask of another size to the photo.")
    ] = False,
    side_by_side_file: Annotated[
        Path | None, typer.Option("--side-by-side", help="Also write before, after and mask here.")
    ] = None,
) -> None:
    """Recolour the pasted object so that it looks photographed with its background.

    Pixels outside the mask keep their values; size, bit depth, EXIF and colour profile stay.
    """
    for place in (output, side_by_side_file):
        if place is not None:
            require_writable(place)
    before = read_photo(composite)
    coverage = read_mask(mask)
    shape = before.pixels.shape[:2]
    if fit_mask_to_photo:
        coverage = fit_mask(coverage, shape)
    require_same_size(coverage, shape)
    after = Harmonizer(model).harmonize_photo(before, coverage, strength=strength)
    if not coverage.any():
        typer.echo(f"{mask} is empty (black): nothing was changed", err=True)
    write_photo(output, after)
    typer.echo(output)
    if side_by_side_file is not None:
        write_photo(side_by_side_file, side_by_side(before, after, coverage))
        typer.echo(side_by_side_file)


@app.command()
def methods() -> None:
    """List the shipped models and what was measured of them."""
    models = list_models()
    if not models:
        typer.echo("this build ships no models", err=True)
        return
    table = Table("model", "method", "paper", "size", "licence", "results", box=None)
    for name, row in models.items():
        figures = ", ".join(f"{figure} {value:g}" for figure, value in row.results.items())
        table.add_row(name, row.method, row.paper, f"{row.size_px} px", row.licence, figures)
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, markup=False).print(table)

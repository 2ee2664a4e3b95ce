"""The commands of the `samelight` command line.

Results go to stdout, talk to stderr. A command that needs the lab imports it in its body.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from samelight import __version__
from samelight.errors import UsageError
from samelight.interfaces import benchmark
from samelight.interfaces.console import results_console
from samelight.interfaces.editing import apply, harmonize
from samelight.io.files import require_writable_file
from samelight.models import list_models

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


app.command()(harmonize)
app.command()(apply)


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
    results_console().print(table)


@app.command()
def train(
    method: Annotated[str, typer.Argument(help="One of rcl_esf, scs_co, ssh, giftnet and house.")],
    photos: Annotated[Path, typer.Option(help="Folder of photos, with masks of objects in them.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run in it is resumed.")],
    config: Annotated[
        str, typer.Option(help="Size of the network: small or paper; of house: small or tiny.")
    ] = "small",
    pairs: Annotated[
        Path | None, typer.Option(help="Composites to watch the training on, iHarmony4's layout.")
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="Train for this many images instead of the recipe's.")
    ] = None,
    size_px: Annotated[
        int | None, typer.Option(help="Train every stage at this size instead of the recipe's.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Examples per step instead of the recipe's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Other examples, in another order, than the recipe's.")
    ] = None,
    start_from: Annotated[
        str | None, typer.Option(help="Begin with the weights of a shipped or exported model.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that make training examples.")] = 2,
    precision: Annotated[str, typer.Option(help="bf16-mixed or 32-true.")] = "bf16-mixed",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int, typer.Option(help="How many devices of this machine.")] = 1,
    save_every: Annotated[int, typer.Option(help="Images between checkpoints.")] = 20_000,
    in_memory: Annotated[
        bool, typer.Option(help="Keep all photos decoded in memory: much quicker.")
    ] = True,
) -> None:
    """Train a method on your own photos; interrupt at will, the same command goes on."""
    _require_lab("train")
    from samelight.lab.training.loop import RunOptions
    from samelight.lab.training.run import train_run

    options = RunOptions(
        workers=workers,
        precision=precision,
        accelerator=device,
        devices=devices,
        save_every=save_every,
    )
    train_run(
        method,
        config,
        photos,
        out,
        options,
        pairs=pairs,
        images=images,
        size_px=size_px,
        batch=batch,
        seed=seed,
        start_from=start_from,
        in_memory=in_memory,
    )
    typer.echo(out)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a `samelight train` run.")],
    output: Annotated[
        Path | None, typer.Option(help="Where to write; default RUN/model.onnx.")
    ] = None,
) -> None:
    """Write a trained network as an ONNX file that `harmonize --model` runs."""
    _require_lab("export")
    from samelight.lab.export import export_network
    from samelight.lab.training.run import load_run

    target = output or run / "model.onnx"
    require_writable_file(target)
    method, network = load_run(run)
    exported = export_network(network, method.name, target)
    typer.echo(
        f"largest difference from torch {exported.parity_error:.1e}, "
        f"from storing the weights in half precision {exported.storage_error:.1e}",
        err=True,
    )
    typer.echo(f"{exported.parameters} parameters, sha256 {exported.sha256}", err=True)
    typer.echo(target)


def _require_lab(command: str) -> None:
    if find_spec("torch") is None:
        raise UsageError(f'{command} needs extras: pip install "samelight[lab]"')


benchmark.register(app)

"""`samelight train` and `samelight export`: from photos to a network that `harmonize` runs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from samelight.errors import UsageError
from samelight.interfaces.cli.console import remark, tell
from samelight.interfaces.cli.outputs import require_ending

if TYPE_CHECKING:
    from samelight.lab.contract import Network

app = typer.Typer()

Precision = Literal["bf16-mixed", "32-true"]
Device = Literal["auto", "cpu", "cuda"]


@app.command()
def train(
    method: Annotated[
        str, typer.Argument(help="One of the methods that `samelight methods` lists.")
    ],
    photos: Annotated[Path, typer.Option(help="Folder of photos, and of masks of objects.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; a run in it is resumed.")],
    config: Annotated[
        str,
        typer.Option(
            help="Size of the network: small or paper, where there is no paper small or tiny."
        ),
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
        int | None, typer.Option(help="Examples per step instead of the recipe's.", min=1)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Other examples, in another order, than the recipe's.")
    ] = None,
    start_from: Annotated[
        str | None, typer.Option(help="Begin with the weights of a shipped or exported model.")
    ] = None,
    start_part: Annotated[
        str | None, typer.Option(help="Take only this part of them, such as backbone.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that make training examples.", min=0)] = 2,
    precision: Annotated[Precision, typer.Option(help="Of the network's sums.")] = "bf16-mixed",
    device: Annotated[Device, typer.Option(help="Where to train.")] = "auto",
    devices: Annotated[int, typer.Option(help="How many of this machine.", min=1)] = 1,
    save_every: Annotated[int, typer.Option(help="Images between checkpoints.", min=1)] = 20_000,
    in_memory: Annotated[
        bool, typer.Option(help="Keep all photos decoded in memory: much quicker.")
    ] = True,
) -> None:
    """Train a method on your own photos.

    Interrupt at will: the same command goes on where it stopped.
    """
    if start_part is not None and start_from is None:
        raise UsageError(f"--start-part {start_part} of which model? Name it with --start-from")
    from samelight.lab.former import METHODS as FORMER_METHODS

    if method in FORMER_METHODS:
        raise UsageError(f"the method {method} is now called {FORMER_METHODS[method]}")
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
        start_part=start_part,
        in_memory=in_memory,
    )
    tell(out)


@app.command()
def export(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folder of a `samelight train` run; of several, the mean of the weights is taken.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where to write. By default model.onnx in the first run."
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="PHOTOS",
            help="Make corrections stronger, half as far as composites of these photos ask for.",
        ),
    ] = None,
    size_px: Annotated[
        int | None,
        typer.Option(
            help="Side of the picture it is shown. By default its configuration's.", min=1
        ),
    ] = None,
    gate: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="CLOSED OPEN",
            help="What --gate auto does: leave alone what is expected to be off by no more than "
            "CLOSED levels, correct in full from OPEN on. By default its configuration's.",
        ),
    ] = None,
) -> None:
    """Write a trained network as a file for `harmonize --model`."""
    from samelight.lab.calibrate import calibrate_network
    from samelight.lab.export import export_network
    from samelight.lab.training.run import average_runs, origin_of

    target = output or runs[0] / "model.onnx"
    require_ending(target, ".onnx")
    _, network = average_runs(runs, size_px)
    if gate is not None:
        _set_gate(network, *gate)
    if calibrate is not None:
        remark(f"corrections are made {calibrate_network(network, calibrate):.2f} times as strong")
    exported = export_network(network, origin_of(runs[0]), target)
    remark(
        f"largest difference from torch {exported.parity_error:.1e}, "
        f"from storing the weights in half precision {exported.storage_error:.1e}"
    )
    remark(f"{exported.parameters} parameters, sha256 {exported.sha256}")
    tell(target)


def _set_gate(network: "Network", closed: float, opened: float) -> None:
    from samelight.models.spec import Gate

    if network.traits.gate is None:
        raise UsageError("--gate is for networks that estimate errors: leave it out for this one")
    network.traits = replace(network.traits, gate=Gate(closed=closed, open=opened))

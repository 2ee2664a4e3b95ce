"""`samelight train` and `samelight export`: from photos to a network that `harmonize` runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from samelight.errors import UsageError
from samelight.interfaces.cli.console import remark, tell
from samelight.interfaces.cli.outputs import require_ending

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
    from samelight.lab.training.request import TrainRequest
    from samelight.lab.training.run import train_run

    request = TrainRequest(
        method=method,
        config=config,
        photos=photos,
        run=out,
        pairs=pairs,
        images=images,
        size_px=size_px,
        batch=batch,
        seed=seed,
        start_from=start_from,
        start_part=start_part,
        in_memory=in_memory,
    )
    options = RunOptions(
        workers=workers,
        precision=precision,
        accelerator=device,
        devices=devices,
        save_every=save_every,
    )
    train_run(request, options)
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
    views: Annotated[
        str | None,
        typer.Option(
            help="What it looks at in use, averaged: sides of the picture, mirrored with -flip, "
            "such as 512,256,256-flip. By default its configuration's."
        ),
    ] = None,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PAIRS",
            help="Folder of composites with known answers: what errors it expects is made right in "
            "the mean on them, and a gate found. May be given several times.",
        ),
    ] = None,
    gate: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="CLOSED OPEN",
            help="What --gate auto does: leave alone what is expected to be off by no more than "
            "CLOSED levels, correct in full from OPEN on.",
        ),
    ] = None,
) -> None:
    """Write a trained network as a file for `harmonize --model`."""
    from samelight.lab.release import ReleaseOptions, parse_views, release
    from samelight.models.spec import Gate

    target = output or runs[0] / "model.onnx"
    require_ending(target, ".onnx")
    options = ReleaseOptions(
        views=parse_views(views) if views else None,
        gate=Gate(closed=gate[0], open=gate[1]) if gate else None,
        calibrate=tuple(calibrate or ()),
    )
    released = release(runs, target, options)
    for before, after in zip(released.before, released.after, strict=True):
        remark(
            f"{after.name}, {len(after.true)} composites: expected over true error "
            f"{after.ratio:.2f} (was {before.ratio:.2f}); left of the error "
            f"{after.left_over(None):.3f}, with the gate {after.left_over(released.gate):.3f}; "
            f"real photos are moved by {after.moved(None):.1f} levels, with the gate "
            f"{after.moved(released.gate):.1f}"
        )
    if released.before and released.gate:
        remark(f"the gate is closed to {released.gate.closed:g} levels, open from "
               f"{released.gate.open:g} on")  # fmt: skip
    exported = released.exported
    remark(
        f"largest difference from torch {exported.parity_error:.1e}, "
        f"from storing the weights in half precision {exported.storage_error:.1e}"
    )
    remark(f"{exported.parameters} parameters, sha256 {exported.sha256}")
    tell(target)

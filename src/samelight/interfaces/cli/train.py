"""The commands of the `samelight` command line.

Results go to stdout, talk to stderr. A command that needs the lab imports it in its body.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

from rich.table import Table

from samelight.errors import UsageError, missing_extra
from samelight.interfaces.cli.console import results_console
from samelight.interfaces.cli.terminal import Commands, add_command, remark, tell
from samelight.io.files import require_writable_file
from samelight.models.registry import list_models


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    add_command(commands, methods)
    add = add_command(commands, train).add_argument
    add("method", help="One of the methods that `samelight methods` lists.")
    add("--photos", type=Path, required=True, help="Folder of photos, and of masks of objects.")
    add("--out", type=Path, required=True, help="Folder of the run; a run in it is resumed.")
    add(
        "--config",
        default="small",
        help="Size of the network: small or paper, where there is no paper small or tiny; default "
        "%(default)s.",
    )
    add("--pairs", type=Path, help="Composites to watch the training on, iHarmony4's layout.")
    add("--images", type=int, help="Train for this many images instead of the recipe's.")
    add("--size-px", type=int, help="Train every stage at this size instead of the recipe's.")
    add("--batch", type=int, help="Examples per step instead of the recipe's.")
    add("--seed", type=int, help="Other examples, in another order, than the recipe's.")
    add("--start-from", help="Begin with the weights of a shipped or exported model.")
    add("--start-part", help="Take only this part of them, such as backbone.")
    add(
        "--workers",
        type=int,
        default=2,
        help="Processes that make training examples; default %(default)s.",
    )
    add("--precision", default="bf16-mixed", help="%(default)s, which is the default, or 32-true.")
    add("--device", default="auto", help="auto, cpu or cuda; default %(default)s.")
    add("--devices", type=int, default=1, help="How many of this machine; default %(default)s.")
    add(
        "--save-every",
        type=int,
        default=20_000,
        help="Images between checkpoints; default %(default)s.",
    )
    add(
        "--in-memory",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="Keep all photos decoded in memory, which is the default: much quicker.",
    )
    add = add_command(commands, export).add_argument
    add(
        "runs",
        metavar="run",
        nargs="+",
        type=Path,
        help="Folder of a `samelight train` run; of several, the mean of the weights is taken.",
    )
    add("--output", type=Path, help="Where to write; default model.onnx in the first run.")
    add(
        "--views",
        help="What it looks at in use, averaged: sides of the picture, mirrored with -flip, such "
        "as 512,256,256-flip; default its configuration's.",
    )
    add(
        "--calibrate",
        metavar="PAIRS",
        nargs="+",
        type=Path,
        default=[],
        help="Folders of composites with known answers: what errors it expects is made right in "
        "the mean on them, and a gate found.",
    )
    add(
        "--gate",
        metavar=("CLOSED", "OPEN"),
        nargs=2,
        type=float,
        help="What --gate auto does: leave alone what is expected to be off by no more than CLOSED "
        "levels, correct in full from OPEN on.",
    )


def methods() -> None:
    """List the shipped models and what was measured of them."""
    models = list_models()
    if not models:
        remark("this build ships no models")
        return
    table = Table("model", "method", "paper", "size", "licence", "results", box=None)
    for name, row in models.items():
        figures = ", ".join(f"{figure} {value:g}" for figure, value in row.results.items())
        table.add_row(name, row.method, row.paper, f"{row.size_px} px", row.licence, figures)
    results_console().print(table)


def train(
    method: str,
    config: str,
    photos: Path,
    out: Path,
    pairs: Path | None,
    images: int | None,
    size_px: int | None,
    batch: int | None,
    seed: int | None,
    start_from: str | None,
    start_part: str | None,
    workers: int,
    precision: str,
    device: str,
    devices: int,
    save_every: int,
    in_memory: bool,
) -> None:
    """Train a method on your own photos; interrupt at will, the same command goes on."""
    _require_lab("train")
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


def export(
    runs: list[Path],
    output: Path | None,
    views: str | None,
    calibrate: list[Path],
    gate: list[float] | None,
) -> None:
    """Write a trained network as an ONNX file that `harmonize --model` runs."""
    _require_lab("export")
    from samelight.lab.release import ReleaseOptions, parse_views, release
    from samelight.models.spec import Gate

    target = output or runs[0] / "model.onnx"
    require_writable_file(target)
    options = ReleaseOptions(
        views=parse_views(views) if views else None,
        gate=Gate(closed=gate[0], open=gate[1]) if gate else None,
        calibrate=tuple(calibrate),
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


def _require_lab(command: str) -> None:
    if find_spec("torch") is None:
        raise UsageError(f"{command} needs {missing_extra('lab')}")

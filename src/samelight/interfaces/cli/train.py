"""The commands of the `samelight` command line.

Results go to stdout, talk to stderr. A command that needs the lab imports it in its body.
"""

import argparse
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from samelight.errors import UsageError, missing_extra
from samelight.interfaces.cli.console import results_console
from samelight.interfaces.cli.terminal import Commands, add_command, remark, tell
from samelight.io.files import require_writable_file
from samelight.models.registry import list_models

if TYPE_CHECKING:
    from samelight.lab.contract import Network


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
        "--calibrate",
        metavar="PHOTOS",
        type=Path,
        help="Make corrections stronger, half as far as composites of these photos ask for.",
    )
    add("--size-px", type=int, help="Side of the picture it is shown; default its configuration's.")
    add(
        "--gate",
        metavar=("CLOSED", "OPEN"),
        nargs=2,
        type=float,
        help="What --gate auto does: leave alone what is expected to be off by no more than CLOSED "
        "levels, correct in full from OPEN on; default its configuration's.",
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
    if batch is not None and batch < 1:
        raise UsageError(f"--batch is {batch}: wanted at least 1")
    if start_part is not None and start_from is None:
        raise UsageError(f"--start-part {start_part} of which model? Name it with --start-from")
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


def export(
    runs: list[Path],
    output: Path | None,
    calibrate: Path | None,
    size_px: int | None,
    gate: list[float] | None,
) -> None:
    """Write a trained network as an ONNX file that `harmonize --model` runs."""
    _require_lab("export")
    from samelight.lab.calibrate import calibrate_network
    from samelight.lab.export import export_network
    from samelight.lab.training.run import average_runs, origin_of

    target = output or runs[0] / "model.onnx"
    require_writable_file(target)
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


def _require_lab(command: str) -> None:
    if find_spec("torch") is None:
        raise UsageError(f"{command} needs {missing_extra('lab')}")

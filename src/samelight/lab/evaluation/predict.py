"""First pass of an evaluation: every entry's output for every triple, as files.

RUN/predictions/<entry>/<pair>.png holds the outputs at the protocol's size: 8 bits where the
protocol rounds, else 16. A file that is there is done, so an interrupted run goes on by itself.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyvips

from samelight.edit import edit
from samelight.errors import OutputError, ResultsError, UsageError
from samelight.io.files import write_whole
from samelight.io.photo import Photo
from samelight.lab.data.pairs import Listing, Pair
from samelight.lab.data.triples import read_triple
from samelight.lab.evaluation.baselines import BASELINES, Baseline
from samelight.lab.evaluation.environment import Stopwatch
from samelight.lab.evaluation.protocols import Protocol, entry_input, prepare
from samelight.lab.stream import in_order
from samelight.mask.mask import Mask
from samelight.models.registry import find_model
from samelight.options import EditOptions
from samelight.render.apply import render
from samelight.types import FloatArray, Pixels

MANIFEST = "predictions.json"
PREDICTIONS = "predictions"

_MID_GRAY = 128 / 255


@dataclass(frozen=True)
class Entry:
    """Something that harmonizes."""

    name: str
    run: Callable[[Pixels, FloatArray], Pixels]
    """(composite (H,W,3) uint8 or float32 [0,1], mask (H,W) in [0,1]) -> an array like it."""
    sha256: str | None = None
    """Of a model's file."""

    @property
    def folder(self) -> str:
        """Its name as a folder's."""
        return re.sub(r"[^\w.-]+", "_", self.name).strip("._") or "model"


def model_entries(
    model: str, *, gate: Literal["off", "auto"] = "off", ablate_background: bool = False
) -> list[Entry]:
    """A model, and on request the same made blind to the background.

    Args:
        model: a shipped name or an .onnx file.
        gate: as of `EditOptions`; with "auto" its name is "<model> gated".
        ablate_background: add "<name> on gray": the correction is predicted with every background
            pixel gray and then applied to the composite as usual. What that costs is what the
            model gets from looking.
    """
    options = EditOptions(model=model, gate=gate)
    name = model if gate == "off" else f"{model} gated"
    sha256 = hashlib.sha256(find_model(model)[0].read_bytes()).hexdigest()

    def harmonize(pixels: Pixels, mask: FloatArray) -> Pixels:
        return edit(Photo(pixels), Mask(mask), options).pixels

    listed = [Entry(name, harmonize, sha256)]
    if ablate_background:

        def blind(pixels: Pixels, mask: FloatArray) -> Pixels:
            on_gray = edit(Photo(_on_gray(pixels, mask)), Mask(mask), options)
            return render(pixels, mask, on_gray.correction)

        listed.append(Entry(f"{name} on gray", blind, sha256))
    return listed


def baseline_entries(names: Sequence[str]) -> list[Entry]:
    """Classical baselines by name; the identity needs no predictions and is left out.

    Raises:
        UsageError: naming those there are.
    """
    unknown = [name for name in names if name not in BASELINES]
    if unknown:
        raise UsageError(f"there is no baseline {unknown[0]!r}: choose from {', '.join(BASELINES)}")
    return [Entry(name, _on_pixels(BASELINES[name])) for name in names if name != "identity"]


@dataclass
class Manifest:
    """What the predictions of a run are."""

    protocol: str
    pairs: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    """Folder and sha256 of the model, by name."""
    sessions: list[dict[str, Any]] = field(default_factory=list)
    """Images predicted, seconds by stage, and the environment, of each time it was run."""

    def write(self, run: Path) -> None:
        """Write RUN/predictions.json."""
        write_json(run / MANIFEST, vars(self))


def describe_pairs(root: Path, listing: Listing) -> dict[str, Any]:
    """Say which triples were used: folder's name, split, count, and a sum over names and sizes."""
    sizes = [(p.name, *(file.stat().st_size for file in p.files)) for p in listing.pairs]
    digest = hashlib.sha256(json.dumps(sizes).encode()).hexdigest()
    return {
        "folder": root.resolve().name,
        "kind": listing.kind,
        "split": listing.split,
        "images": len(listing.pairs),
        "sha256": digest,
    }


def open_run(
    run: Path, protocol: Protocol, pairs: Mapping[str, Any], entries: Sequence[Entry]
) -> Manifest:
    """Begin a run, or take up one that asked the same question.

    Raises:
        ResultsError: if the folder holds predictions for other triples, protocol or models.
    """
    manifest = read_manifest(run) or Manifest(protocol.name, dict(pairs), {})
    for what, had, wanted in (
        ("the protocol", manifest.protocol, protocol.name),
        ("the pairs", manifest.pairs["sha256"][:12], pairs["sha256"][:12]),
        *(
            (f"the file of {c.name}", manifest.entries[c.name]["sha256"], c.sha256)
            for c in entries
            if c.name in manifest.entries
        ),
    ):
        if had != wanted:
            raise ResultsError(
                f"{run} holds predictions where {what} was {had}, now it is {wanted}: "
                "choose another folder with --out, or delete this one"
            )
    for entry in entries:
        about = {"folder": entry.folder, "sha256": entry.sha256}
        others = {n: c["folder"] for n, c in manifest.entries.items() if n != entry.name}
        if entry.folder in others.values():
            raise ResultsError(f"two entries would be written to {entry.folder}: rename one")
        manifest.entries[entry.name] = about
    try:
        (run / PREDICTIONS).mkdir(parents=True, exist_ok=True)
        for left_over in (run / PREDICTIONS).rglob(".*.png"):
            left_over.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to {run} ({error.strerror}): choose another --out"
        ) from error
    manifest.write(run)
    return manifest


def read_manifest(run: Path) -> Manifest | None:
    """Read RUN/predictions.json, None if there is none.

    Raises:
        ResultsError: if it is damaged.
    """
    path = run / MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise ResultsError(f"{path} is damaged: delete {run} and predict again") from error


def predict_pairs(
    pairs: Sequence[Pair],
    entries: Sequence[Entry],
    protocol: Protocol,
    run: Path,
    watch: Stopwatch,
    *,
    threads: int = 2,
) -> Iterator[int]:
    """Write the outputs that are not there yet; yields for each pair how many it wrote."""

    def predict(pair: Pair) -> int:
        missing = [c for c in entries if not prediction_path(run, c.folder, pair).exists()]
        if not missing:
            return 0
        with watch.stage("decode"):
            triple = read_triple(pair)
        with watch.stage("prepare"):
            case = prepare(triple, protocol)
            composite = entry_input(case, protocol)
        for entry in missing:
            with watch.stage(entry.name):
                output = entry.run(composite, case.mask)
            with watch.stage("write"):
                _write_output(prediction_path(run, entry.folder, pair), output)
        return len(missing)

    yield from in_order(predict, pairs, threads=threads)


def prediction_path(run: Path, folder: str, pair: Pair) -> Path:
    """Where a entry's output for a pair lies."""
    return run / PREDICTIONS / folder / f"{pair.name}.png"


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401
    """Write a file of JSON, complete or not at all."""
    text = json.dumps(content, indent=1, default=list, allow_nan=False) + "\n"

    def write(partial: str) -> None:
        Path(partial).write_text(text, "utf-8")

    write_whole(path, write)


def _write_output(path: Path, output: Pixels) -> None:
    if output.dtype != np.uint8:
        output = np.rint(np.clip(output, 0, 1) * 65535).astype(np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    deep = output.dtype == np.uint16
    image = pyvips.Image.new_from_array(output, interpretation="rgb16" if deep else "srgb")
    # Level 1: a third larger than the usual 6, and several times quicker.
    write_whole(path, lambda partial: image.pngsave(partial, compression=1))


def _on_pixels(baseline: Baseline) -> Callable[[Pixels, FloatArray], Pixels]:
    def run(composite: Pixels, mask: FloatArray) -> Pixels:
        if composite.dtype != np.uint8:
            return baseline(composite, mask)
        output = baseline(composite.astype(np.float32) / np.float32(255), mask)
        return np.rint(output * 255).astype(np.uint8)

    return run


def _on_gray(composite: Pixels, mask: FloatArray) -> Pixels:
    if composite.dtype != np.uint8:
        gray = np.float32(_MID_GRAY)
        floats: FloatArray = gray + mask[..., None] * (composite - gray)
        return floats
    blended: FloatArray = 128 + mask[..., None] * (composite.astype(np.float32) - 128)
    return np.rint(blended).astype(np.uint8)

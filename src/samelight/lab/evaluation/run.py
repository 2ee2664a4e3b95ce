"""An evaluation from end to end: predict, score, conclude."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from samelight.errors import DatasetError, ResultsError
from samelight.lab.data.pairs import Listing, open_dataset
from samelight.lab.evaluation.environment import Stopwatch, describe_environment
from samelight.lab.evaluation.predict import (
    Entry,
    describe_pairs,
    open_run,
    predict_pairs,
    read_manifest,
)
from samelight.lab.evaluation.protocols import Protocol
from samelight.lab.evaluation.results import RESULTS, Results, conclude
from samelight.lab.evaluation.score import SCORES, find_entries, read_scores, score_pairs

Item = TypeVar("Item")
Follow = Callable[[Iterable[Item], str, int], Iterable[Item]]
"""(steps, what is done, how many) -> the same steps, shown as they go by."""


def open_pairs(root: Path, split: str | None) -> Listing:
    """Open a data set of which no file is missing.

    Raises:
        DatasetError: naming the first missing file.
    """
    listing = open_dataset(root, split)
    if listing.problems:
        raise DatasetError(
            f"{listing.problems[0]}: `samelight data check {root}` names all that is missing"
        )
    return listing


def predict_run(
    run: Path,
    root: Path,
    listing: Listing,
    entries: Sequence[Entry],
    protocol: Protocol,
    follow: Follow[int],
) -> None:
    """First pass: write every entry's outputs to RUN, or those that are missing.

    Args:
        run: folder; made if needed.
        root: folder of the data set.
        listing: its triples.
        entries: who predicts.
        protocol: at which size, rounded or not.
        follow: shows progress.
    """
    manifest = open_run(run, protocol, describe_pairs(root, listing), entries)
    watch, began = Stopwatch(), time.perf_counter()
    steps = predict_pairs(listing.pairs, entries, protocol, run, watch)
    written = sum(follow(steps, "predicting", len(listing.pairs)))
    if written:
        session = {"outputs": written, "seconds": _seconds(watch, began)}
        manifest.sessions.append(session | {"environment": describe_environment()})
        manifest.write(run)


def score_run(
    run: Path, root: Path, listing: Listing, protocol: Protocol, follow: Follow[None]
) -> Results:
    """Second pass: score the outputs in RUN; writes scores.csv and results.json there.

    Args:
        run: folder with predictions.
        root: folder of the data set.
        listing: its triples.
        protocol: how to score.
        follow: shows progress.

    Raises:
        ResultsError: if a prediction is missing, or was made for other triples.
    """
    manifest, pairs = read_manifest(run), describe_pairs(root, listing)
    if manifest and manifest.pairs["sha256"] != pairs["sha256"]:
        raise ResultsError(
            f"{run} holds predictions for {manifest.pairs['images']} triples of "
            f"{manifest.pairs['folder']} ({manifest.pairs['split']}), these are others: "
            "give the same --pairs and --split"
        )
    entries = find_entries(run)
    watch, began = Stopwatch(), time.perf_counter()
    steps = score_pairs(listing.pairs, entries, protocol, run, watch)
    for _ in follow(steps, "scoring", len(listing.pairs)):
        pass
    seconds: dict[str, Any] = {"score": _seconds(watch, began)}
    if manifest:
        seconds["predict"] = [session["seconds"] for session in manifest.sessions]
    results = conclude(
        read_scores(run / SCORES),
        protocol,
        pairs=pairs,
        environment=describe_environment(),
        seconds=seconds,
        models={n: c["sha256"] for n, c in manifest.entries.items()} if manifest else {},
    )
    results.write(run / RESULTS)
    return results


def default_run(model: str, root: Path, listing: Listing, protocol: Protocol, sha256: str) -> Path:
    """Name a folder for an evaluation; the same question always gets the same one."""
    digest = describe_pairs(root, listing)["sha256"][:4] + sha256[:4]
    words = re.sub(r"[^\w.-]+", "_", Path(model).name)
    return Path("runs") / f"{words}.{root.resolve().name}.{protocol.name}.{digest}"


def _seconds(watch: Stopwatch, began: float) -> dict[str, float]:
    """Wall-clock time, and each stage's summed over the threads."""
    return {"wall": round(time.perf_counter() - began, 3), **watch.rounded()}

"""Second pass of an evaluation: score the predictions on disk. No model is needed.

RUN/scores.csv gets a row per entry and image, RUN/results.json the totals.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from samelight.errors import ResultsError
from samelight.io.photo import read_photo
from samelight.lab.data.pairs import Pair
from samelight.lab.data.triples import read_triple
from samelight.lab.evaluation.environment import Stopwatch
from samelight.lab.evaluation.predict import PREDICTIONS, prediction_path, read_manifest
from samelight.lab.evaluation.protocols import Case, Protocol, Scorer, find_protocol, prepare
from samelight.lab.pictures import PICTURE_SUFFIXES
from samelight.lab.rows import RowLog
from samelight.lab.stream import in_order
from samelight.types import FloatArray, Pixels

SCORES = "scores.csv"
IDENTITY = "identity"


@dataclass(frozen=True)
class Score:
    """One entry on one triple."""

    entry: str
    name: str
    group: str
    foreground: float
    """Share of the image under the mask."""
    psnr_db: float
    mse_255: float
    fmse_255: float
    ssim: float
    fssim: float
    improved: bool
    """Whether fMSE is below the composite's."""


FIELDS = [field.name for field in fields(Score)]


def find_entries(run: Path) -> dict[str, str]:
    """Name the entries of a run and their folders: those predicted here, and any put there.

    Raises:
        ResultsError: if there are no predictions.
    """
    folders = sorted(p.name for p in (run / PREDICTIONS).glob("*") if p.is_dir())
    if not folders:
        raise ResultsError(
            f"no predictions in {run / PREDICTIONS}: run `samelight predict`, or put your own "
            f"there as {PREDICTIONS}/<method>/<composite's name>.png"
        )
    manifest = read_manifest(run)
    known = {} if manifest is None else {n: c["folder"] for n, c in manifest.entries.items()}
    known = {name: folder for name, folder in known.items() if folder in folders}
    return known | {folder: folder for folder in folders if folder not in known.values()}


def choose_protocol(run: Path, name: str | None) -> Protocol:
    """Take the protocol of the predictions, or another of the same size.

    Raises:
        ResultsError: if predictions of another size would be wanted.
    """
    manifest = read_manifest(run)
    used = manifest.protocol if manifest else "samelight"
    protocol, predicted = find_protocol(name or used), find_protocol(used)
    if manifest and protocol.size_px != predicted.size_px:
        raise ResultsError(
            f"{run} was predicted under protocol {used}, whose size is not that of "
            f"{protocol.name}: predict again with --protocol {protocol.name} and another --out"
        )
    return protocol


def score_pairs(
    pairs: Sequence[Pair],
    entries: dict[str, str],
    protocol: Protocol,
    run: Path,
    watch: Stopwatch,
    *,
    threads: int = 2,
) -> Iterator[None]:
    """Score identity and entries on each triple, in order; yields after each.

    The rows gather in a file beside RUN/scores.csv, which is replaced at the end; if it was
    interrupted, the same call goes on there.

    Raises:
        ResultsError: if a prediction is missing or of another size.
    """
    log = RowLog(_part_path(run, pairs, entries, protocol), FIELDS)
    rows = log.read()
    per_pair = len(entries) + 1
    done = len(rows) // per_pair
    if len(rows) % per_pair:  # killed between two lines
        log.path.unlink()
        log.append(rows[: done * per_pair])
    yield from (None for _ in range(done))

    def score(pair: Pair) -> list[Score]:
        return _score_pair(pair, entries, protocol, run, watch)

    for scores in in_order(score, pairs[done:], threads=threads):
        log.append(asdict(one) for one in scores)
        yield
    log.path.replace(run / SCORES)
    for stale in run.glob("scores.*.part.csv"):
        stale.unlink()


def read_scores(path: Path) -> list[Score]:
    """Read a file of scores back.

    Raises:
        ResultsError: if it is missing or something else.
    """
    if not path.is_file():
        raise ResultsError(f"{path} is missing: run `samelight score` first")
    try:
        return [_parse(row) for row in RowLog(path, FIELDS).read()]
    except (KeyError, ValueError) as error:
        raise ResultsError(f"{path} is no file of scores: run `samelight score` again") from error


def _part_path(
    run: Path, pairs: Sequence[Pair], entries: dict[str, str], protocol: Protocol
) -> Path:
    question = repr((protocol, sorted(entries.items()), [pair.name for pair in pairs]))
    return run / f"scores.{hashlib.sha256(question.encode()).hexdigest()[:8]}.part.csv"


def _parse(row: dict[str, Any]) -> Score:
    numbers: dict[str, Any] = {name: float(row[name]) for name in FIELDS[3:-1]}
    words = {name: row[name] for name in FIELDS[:3]}
    return Score(**(words | numbers), improved=row["improved"] == "True")


def _score_pair(
    pair: Pair, entries: dict[str, str], protocol: Protocol, run: Path, watch: Stopwatch
) -> list[Score]:
    with watch.stage("decode"):
        triple = read_triple(pair)
    with watch.stage("prepare"):
        case = prepare(triple, protocol)
    with watch.stage("metrics"):
        scorer = Scorer(case, protocol)
        figures = {IDENTITY: scorer(case.composite)}
    for name, folder in entries.items():
        with watch.stage("decode predictions"):
            output = _read_prediction(run, folder, pair, case)
        with watch.stage("metrics"):
            figures[name] = scorer(output)
    before = figures[IDENTITY].fmse_255
    return [
        Score(name, pair.name, pair.group, case.foreground, *own, improved=own.fmse_255 < before)
        for name, own in figures.items()
    ]


def _read_prediction(run: Path, folder: str, pair: Pair, case: Case) -> Pixels:
    """Read an output as values of 0-255: uint8, or float32 from 16 bits."""
    wanted = prediction_path(run, folder, pair)
    # By hand: with_suffix would cut a name such as "a.b".
    places = [wanted, *(wanted.parent / (wanted.name[:-4] + s) for s in PICTURE_SUFFIXES)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ResultsError(
            f"{wanted} is missing: run `samelight predict` again, it goes on where it stopped"
        )
    pixels = read_photo(path).pixels
    if pixels.shape != case.composite.shape:
        raise ResultsError(
            f"{path} is {pixels.shape[:2]}, under this protocol {pair.name} is "
            f"{case.composite.shape[:2]} (height, width): predict at that size"
        )
    if pixels.dtype == np.uint8:
        return pixels
    floats: FloatArray = pixels.astype(np.float32) / np.float32(257)
    return floats

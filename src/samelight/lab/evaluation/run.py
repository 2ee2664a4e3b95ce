"""Score a model and the classical baselines on composite / mask / real triples.

Protocol: full size, only the foreground replaced, values rounded to 0-255, PSNR peak 255, the mean
over images of each figure.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from samelight.errors import MaskError
from samelight.harmonizer import Harmonizer
from samelight.io.mask import read_mask
from samelight.io.photo import read_photo, to_uint8
from samelight.lab.data.pairs import Pair
from samelight.lab.evaluation.metrics import foreground_mse_255, mse_255, psnr_db
from samelight.lab.evaluation.peers import PEERS, Peer
from samelight.render import render
from samelight.types import FloatArray

Pixels8 = npt.NDArray[np.uint8]
Contender = Callable[[Pixels8, FloatArray], Pixels8]
"""(composite (H,W,3) uint8, mask (H,W) in [0,1]) -> (H,W,3) uint8."""

GRAY = 128


@dataclass(frozen=True)
class Score:
    """One contender on one triple."""

    contender: str
    name: str
    family: str
    psnr_db: float
    mse_255: float
    fmse_255: float
    improved: bool
    """Whether fMSE is below the composite's."""


@dataclass(frozen=True)
class Summary:
    """Means over triples; the ratio is of mean fMSE to the composites' mean fMSE."""

    images: int
    psnr_db: float
    mse_255: float
    fmse_255: float
    fmse_ratio: float
    improved: float


def contenders(model: str, *, ablate_background: bool = False) -> dict[str, Contender]:
    """The baselines, the model, and on request the model made blind to the background.

    Args:
        model: a shipped name or an .onnx file.
        ablate_background: add "<model> on gray": the correction is predicted with every background
            pixel gray and then applied to the composite as usual. What that costs is what the
            model gets from looking.
    """
    harmonizer = Harmonizer(model)
    listed: dict[str, Contender] = {name: _from_peer(peer) for name, peer in PEERS.items()}
    listed[model] = lambda composite, mask: harmonizer.harmonize(composite, mask)
    if ablate_background:
        listed[f"{model} on gray"] = lambda composite, mask: render(
            composite, mask, harmonizer.predict(_on_gray(composite, mask), mask)
        )
    return listed


def score_pairs(
    pairs: Sequence[Pair], listed: dict[str, Contender], *, threads: int = 2
) -> Iterator[list[Score]]:
    """Score every contender on each triple, in order."""
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda pair: _score_pair(pair, listed), pairs)


def summarise(scores: Sequence[Score], identity: Sequence[Score]) -> Summary:
    """Average one contender's scores.

    Args:
        scores: of one contender.
        identity: the identity's, on the same triples.
    """
    fmse = float(np.mean([s.fmse_255 for s in scores]))
    composite = float(np.mean([s.fmse_255 for s in identity]))
    return Summary(
        images=len(scores),
        psnr_db=float(np.mean([s.psnr_db for s in scores])),
        mse_255=float(np.mean([s.mse_255 for s in scores])),
        fmse_255=fmse,
        fmse_ratio=fmse / composite if composite else float("nan"),
        improved=float(np.mean([s.improved for s in scores])),
    )


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write one row per contender and triple."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Score)])
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)


def _score_pair(pair: Pair, listed: dict[str, Contender]) -> list[Score]:
    composite = to_uint8(read_photo(pair.composite).pixels)
    real = to_uint8(read_photo(pair.real).pixels)
    mask = read_mask(pair.mask)
    if not composite.shape[:2] == real.shape[:2] == mask.shape:
        raise MaskError(
            f"{pair.name}: composite {composite.shape[:2]}, real {real.shape[:2]} and mask "
            f"{mask.shape} differ in size: wanted one size"
        )
    before = foreground_mse_255(composite, real, mask)
    scores = []
    for name, contender in listed.items():
        output = contender(composite, mask)
        fmse = foreground_mse_255(output, real, mask)
        quality = (psnr_db(output, real), mse_255(output, real), fmse, fmse < before)
        scores.append(Score(name, pair.name, pair.family, *quality))
    return scores


def _from_peer(peer: Peer) -> Contender:
    def contender(composite: Pixels8, mask: FloatArray) -> Pixels8:
        output = peer(composite.astype(np.float32) / np.float32(255), mask)
        pixels: Pixels8 = np.rint(output * 255).astype(np.uint8)
        return pixels

    return contender


def _on_gray(composite: Pixels8, mask: FloatArray) -> Pixels8:
    blended: FloatArray = GRAY + mask[..., None] * (composite.astype(np.float32) - GRAY)
    return np.rint(blended).astype(np.uint8)

"""One-factor ablations: each method's parts on and off, at one small budget, with several seeds.

    python studies/ablation.py --photos PHOTOS --pairs PAIRS --runs RUNS

Interrupt at will: finished trainings are in the results file, an unfinished one resumes from its
checkpoint. Trainings of one seed and one view share their examples, which are kept under RUNS
(4 to 10 GB) until the next view. `tools/make_tables.py` writes the results into the pages of
the methods.
"""

import argparse
import csv
import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch

from samelight.lab.contract import Config, Method, Network, Recipe, Stage, Use, View
from samelight.lab.data.donors import cached_neighbours
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.evaluation.report import markdown_table
from samelight.lab.methods import METHODS
from samelight.lab.training.loop import RunOptions, Trainer
from samelight.lab.training.monitor import Monitor, read_composites
from samelight.models import spec
from samelight.types import FloatArray

RESULTS = Path(__file__).parents[1] / "results" / "ablation.csv"
COLUMNS = ("fMSE / composite", "each seed", "improved")
FIELDS = ("method", "variant", "seed", "images", "size_px", "fmse_ratio", "improved", "seconds")

LOOK = {"rcl_esf": 3, "giftnet": 3, "scs_co": 3, "ssh": 1, "samelight": 2}
"""Pairs are scored at so many times the training's size, as the shipped networks look."""

Changes = dict[str, dict[str, Any]]
"""Fields that differ from the method's small configuration, by record."""

NARROW_UNET: Changes = {"shape": {"channels": (16, 32, 48, 64)}}
NARROW_SSH: Changes = {"shape": {"channels": (8, 16, 32, 64, 128)}}
"""A fraction of the shipped networks' weights, so that many trainings fit into a day."""

BASES: dict[str, Changes] = {
    "rcl_esf": NARROW_UNET,
    "scs_co": NARROW_UNET,
    "ssh": NARROW_SSH,
    "giftnet": NARROW_UNET | {"loss": {"relation_after_steps": 0}},
    "samelight": {},
}
# Methods with the same examples stand side by side.
VARIANTS: dict[str, dict[str, Changes]] = {
    "rcl_esf": {
        "as shipped": {},
        "RAIN for ESF": {"shape": {"fuse": "rain"}},
        "instance norm for ESF": {"shape": {"fuse": "instance"}},
        "no contrast": {"loss": {"contrast_weight": 0.0}},
        "contrast, reading B": {"loss": {"reading": "B"}},
    },
    "giftnet": {
        "as shipped": {},
        "no transformation": {"shape": {"transform": "none"}},
        "modulated transformation": {"shape": {"transform": "modulated"}},
        "no relation distillation": {"loss": {"relation_weight": 0.0}},
    },
    "samelight": {
        "as shipped": {},
        "backbone not pretrained": {"shape": {"pretrained": False}},
        "no attention": {"shape": {"blocks": 0}},
        "no histograms": {"shape": {"bins": 0}},
        "code not told to the places": {"shape": {"guided": False}},
        "photos not relit": {"examples": {"relit": 0.0}},
    },
    "scs_co": {
        "as shipped": {},
        "RAIN for BAIN": {"shape": {"fuse": "rain"}},
        "no self-style": {"loss": {"self_style_weight": 0.0}},
        "no consistency": {"loss": {"consistency_weight": 0.0}},
        "consistency over places": {"loss": {"consistency": "places"}},
        # The composite is one of K.
        "K = 1": {"examples": {"negatives": 0}},
        "K = 5": {"examples": {"negatives": 4}},
    },
    "ssh": {
        "as shipped": {},
        "no reconstruction": {"loss": {"reconstruct_weight": 0.0}},
        "no content term": {"loss": {"content_weight": 0.0}},
        "no style term": {"loss": {"style_weight": 0.0}},
    },
}


class Trial(NamedTuple):
    """One training."""

    method: str
    variant: str
    seed: int

    @property
    def folder(self) -> str:
        """A name for its files."""
        return f"{self.method}-{self.variant}-{self.seed}".replace(" ", "_").replace(",", "")


def trials(methods: list[str], seeds: int) -> Iterator[Trial]:
    """All first seeds before all second ones, so that an early stop leaves a whole table."""
    for seed in range(seeds):
        for method in methods:
            for variant in VARIANTS[method]:
                yield Trial(method, variant, seed)


class KeptView:
    """A view whose examples are made once: one depends on the seed and its number alone."""

    # All photos of the studies have masks.
    needs_masks: ClassVar[bool] = True

    def __init__(self, view: View, root: Path) -> None:
        self.view = view
        self.folder = root / hashlib.sha256(repr(view).encode()).hexdigest()[:12]
        for other in root.glob("*"):
            if other != self.folder:
                shutil.rmtree(other)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(
        self, photos: PhotoFolder, size_px: int, rng: np.random.Generator
    ) -> tuple[FloatArray, ...]:
        """Read the example, or make it and keep it at half precision."""
        seed, number = rng.bit_generator.seed_seq.entropy  # type: ignore[attr-defined]
        path = self.folder / f"{size_px}-{seed}-{number}.npz"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            example = self.view(photos, size_px, rng)
            with unfinished.open("wb") as file:
                np.savez(file, *(part.astype(np.float16) for part in example))
            unfinished.rename(path)
        with np.load(path) as kept:
            return tuple(part.astype(np.float32) for part in kept.values())


def train(
    trial: Trial, photos: PhotoFolder, monitor: Monitor, run: Path, images: int, size_px: int
) -> dict[str, float]:
    """Train one variant, or go on with it, and score it."""
    method = METHODS[trial.method]
    config = method.configs["small"]
    for changes in (BASES[trial.method], VARIANTS[trial.method][trial.variant]):
        config = changed(config, changes)
    kept = replace(config, examples=KeptView(config.examples, run.parent / "examples"))
    network = train_briefly(method, kept, photos, run, images, size_px, trial.seed)
    return monitor(network, images)


def changed(config: Config, changes: Changes) -> Config:
    """A configuration with some fields of its records changed."""
    records = {name: replace(getattr(config, name), **own) for name, own in changes.items()}
    return replace(config, **records)


def train_briefly(
    method: Method,
    config: Config,
    photos: PhotoFolder,
    run: Path,
    images: int,
    size_px: int,
    seed: int,
) -> Network:
    """Train a network at the small budget of these studies, or go on with it."""
    stage = Stage(sizes_px=(size_px,), images=images, learning_rate=7e-4, final_learning_rate=0.0)
    # At this budget the usual average would still remember the start.
    recipe = Recipe(stages=(stage,), seed=seed, ema_decay=0.99)
    torch.manual_seed(seed)
    objective = method.objective(method.network(config.shape), config.loss)
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(objective, recipe, run, RunOptions(save_every=images // 3))
    trainer.fit(photos, config.examples)
    return trainer.average.network


def measure(args: argparse.Namespace) -> None:
    """Train what the results file does not hold yet."""
    photos = PhotoFolder(args.photos, part="training", in_memory=True)
    args.runs.mkdir(parents=True, exist_ok=True)
    photos.neighbours = cached_neighbours(photos, args.runs / "donors.npz")
    pairs, strips = list_pairs(args.pairs), args.runs / "samples"
    looks = {LOOK[method] for method in args.methods}
    monitors = {
        look: Monitor(
            read_composites(pairs, look * args.size),
            Use(views=(spec.View(size_px=look * args.size),)),
            strips,
        )
        for look in looks
    }
    for trial in trials(args.methods, args.seeds):
        if any(trial == (r["method"], r["variant"], int(r["seed"])) for r in results()):
            continue
        start = time.perf_counter()
        monitor = monitors[LOOK[trial.method]]
        figures = train(trial, photos, monitor, args.runs / trial.folder, args.images, args.size)
        seconds = time.perf_counter() - start
        row = {**trial._asdict(), "images": args.images, "size_px": args.size, **figures}
        add_result(row | {"seconds": round(seconds)})
        shutil.rmtree(args.runs / trial.folder)


def results() -> list[dict[str, str]]:
    """The rows of the results file."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def add_result(row: dict[str, Any]) -> None:
    """Append a row."""
    fresh = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if fresh:
            writer.writeheader()
        writer.writerow({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()})


def table(method: str) -> str:
    """A method's results as Markdown: the mean, and each seed's figure, so that noise is seen."""
    # What is no longer there to be tried stands below.
    tried = (row["variant"] for row in results() if row["method"] == method)
    variants = dict.fromkeys((*VARIANTS[method], *tried))
    lines = [(variant, *_cells(method, variant)) for variant in variants]
    return markdown_table(("variant", *COLUMNS), [line for line in lines if line[1:]])


def equal_budget(name: str) -> str:
    """The published methods side by side, each as shipped but for the size of its network."""
    published = [method for method in VARIANTS if METHODS[method].paper]
    lines = [(method, *_cells(method, "as shipped")) for method in published]
    return markdown_table(("method", *COLUMNS), [line for line in lines if line[1:]])


def _cells(method: str, variant: str) -> tuple[str, ...]:
    """What COLUMNS name; nothing where there are no results yet."""
    own = [row for row in results() if (row["method"], row["variant"]) == (method, variant)]
    if not own:
        return ()
    ratios = [float(row["fmse_ratio"]) for row in own]
    improved = mean(float(row["improved"]) for row in own)
    each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    return f"{mean(ratios):.3f}", each, f"{100 * improved:.0f} %"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--methods", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--images", type=int, default=15_360)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    measure(args)


if __name__ == "__main__":
    main()

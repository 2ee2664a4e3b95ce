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

from samelight.lab.contract import Method, Network, Recipe, Stage, View
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.evaluation.report import markdown_table
from samelight.lab.methods import METHODS
from samelight.lab.training.loop import RunOptions, Trainer
from samelight.lab.training.monitor import Monitor
from samelight.types import FloatArray

RESULTS = Path(__file__).parents[1] / "results" / "ablation.csv"
COLUMNS = ("fMSE / composite", "each seed", "improved")
FIELDS = ("method", "variant", "seed", "images", "size_px", "fmse_ratio", "improved", "seconds")

LOOK = {"rcl_esf": 3, "giftnet": 3, "scs_co": 3, "ssh": 1, "samelight": 2}
"""Pairs are scored at so many times the training's size, as the shipped networks look."""

NARROW_UNET = {"channels": (16, 32, 48, 64)}
NARROW_SSH = {"channels": (8, 16, 32, 64, 128)}
"""A fraction of the shipped networks' weights, so that many trainings fit into a day."""

BASES: dict[str, dict[str, Any]] = {
    "rcl_esf": NARROW_UNET,
    "scs_co": NARROW_UNET,
    "ssh": NARROW_SSH,
    "giftnet": {**NARROW_UNET, "relation_after_steps": 0},
    "samelight": {},
}
# Methods with the same view stand side by side.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "rcl_esf": {
        "as shipped": {},
        "RAIN for ESF": {"fuse": "rain"},
        "instance norm for ESF": {"fuse": "instance"},
        "no contrast": {"contrast_weight": 0.0},
        "contrast, reading B": {"reading": "B"},
    },
    "giftnet": {
        "as shipped": {},
        "no transformation": {"transform": "none"},
        "modulated transformation": {"transform": "modulated"},
        "no relation distillation": {"relation_weight": 0.0},
    },
    "samelight": {
        "as shipped": {},
        "backbone not pretrained": {"pretrained": False},
        "no attention": {"blocks": 0},
        "no histograms": {"bins": 0},
        "code not told to the places": {"guided": False},
        "with external style fusion": {"fuse": "esf"},
        "with background attention": {"fuse": "bain"},
        "with relation distillation": {"relation_weight": 0.1},
        "with region contrast": {"region_contrast_weight": 0.02},
        "with style contrast": {"style_contrast_weight": 0.05},
        "photos not relit": {"relit": 0.0},
    },
    "scs_co": {
        "as shipped": {},
        "RAIN for BAIN": {"fuse": "rain"},
        "no self-style": {"self_style_weight": 0.0},
        "no consistency": {"consistency_weight": 0.0},
        "consistency over places": {"consistency": "places"},
        "K = 1": {"negatives": 1},
        "K = 5": {"negatives": 5},
    },
    "ssh": {
        "as shipped": {},
        "no reconstruction": {"reconstruct_weight": 0.0},
        "no content term": {"content_weight": 0.0},
        "no style term": {"style_weight": 0.0},
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
    changes = BASES[trial.method] | VARIANTS[trial.method][trial.variant]
    config = replace(method.configs["small"], **changes)
    view = KeptView(method.view(config), run.parent / "examples")
    network = train_briefly(method, config, photos, view, run, images, size_px, trial.seed)
    return monitor(network, images)


def train_briefly(
    method: Method,
    config: Any,  # noqa: ANN401 - each method has its own
    photos: PhotoFolder,
    view: View,
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
    objective = method.objective(method.network(config), config)
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(objective, recipe, run, RunOptions(save_every=images // 3))
    trainer.fit(photos, view)
    return trainer.average.network


def measure(args: argparse.Namespace) -> None:
    """Train what the results file does not hold yet."""
    photos = PhotoFolder(args.photos, in_memory=True)
    pairs, strips = list_pairs(args.pairs), args.runs / "samples"
    looks = {LOOK[method] for method in args.methods}
    monitors = {look: Monitor(pairs, look * args.size, strips) for look in looks}
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
    lines = [(variant, *_cells(method, variant)) for variant in VARIANTS[method]]
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

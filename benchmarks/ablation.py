"""One-factor ablations: each method's parts on and off, at one small budget, with several seeds.

    python benchmarks/ablation.py --photos PHOTOS --pairs PAIRS --runs RUNS

Interrupt at will: finished trainings are in the results file, an unfinished one resumes from its
checkpoint. `--table` prints the results as Markdown and trains nothing.
"""

import argparse
import csv
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import torch

from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.evaluation.monitor import Monitor
from samelight.lab.methods import METHODS
from samelight.lab.training.config import Recipe, Stage
from samelight.lab.training.loop import RunOptions, Trainer

RESULTS = Path(__file__).parent / "ablation.csv"
FIELDS = ("method", "variant", "seed", "images", "size_px", "fmse_ratio", "improved", "seconds")

NARROW_UNET = {"channels": (24, 40, 64, 96), "size_px": 128}
NARROW_SSH = {"channels": (8, 16, 32, 64, 128), "size_px": 128}
"""A quarter of the shipped networks' weights, so that many trainings fit into a day."""

BASES: dict[str, dict[str, Any]] = {
    "rcl_esf": NARROW_UNET,
    "scs_co": NARROW_UNET,
    "ssh": NARROW_SSH,
    "giftnet": {**NARROW_UNET, "relation_after_steps": 0},
}
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "rcl_esf": {
        "as shipped": {},
        "RAIN for ESF": {"fuse": "rain"},
        "instance norm for ESF": {"fuse": "instance"},
        "style from both": {"style_source": "both"},
        "no contrast": {"contrast_weight": 0.0},
        "contrast of patches": {"code": "patch"},
        "contrast, reading B": {"reading": "B"},
    },
    "scs_co": {
        "as shipped": {},
        "RAIN for BAIN": {"fuse": "rain"},
        "instance norm for BAIN": {"fuse": "instance"},
        "no self-style": {"self_style_weight": 0.0},
        "no consistency": {"consistency_weight": 0.0},
        "no contrast": {"self_style_weight": 0.0, "consistency_weight": 0.0},
        "K = 1": {"negatives": 1},
        "K = 5": {"negatives": 5},
        "consistency of places": {"consistency": "places"},
    },
    "ssh": {
        "as shipped": {},
        "no reconstruction": {"reconstruct_weight": 0.0},
        "no content term": {"content_weight": 0.0},
        "no style term": {"style_weight": 0.0},
        "10 tables": {"luts": 10},
    },
    "giftnet": {
        "as shipped": {},
        "no transformation": {"transform": "none"},
        "modulated transformation": {"transform": "modulated"},
        "code from the whole image": {"code_pool": "global"},
        "no global map": {"global_map": False},
        "no relation distillation": {"relation_weight": 0.0},
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


def train(
    trial: Trial, photos: PhotoFolder, monitor: Monitor, run: Path, images: int, size_px: int
) -> dict[str, float]:
    """Train one variant, or go on with it, and score it."""
    method = METHODS[trial.method]
    changes = BASES[trial.method] | VARIANTS[trial.method][trial.variant]
    config = replace(method.configs["small"], **changes)
    stage = Stage(size_px=size_px, images=images, learning_rate=7e-4, final_learning_rate=0.0)
    # At this budget the usual average would still remember the start.
    recipe = Recipe(stages=(stage,), seed=trial.seed, ema_decay=0.99)
    torch.manual_seed(trial.seed)
    objective = method.objective(method.network(config), config)
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(objective, recipe, run, RunOptions(save_every=images // 3))
    trainer.fit(photos, method.view(config))
    return monitor(trainer.average.network, images)


def measure(args: argparse.Namespace) -> None:
    """Train what the results file does not hold yet."""
    photos = PhotoFolder(args.photos, in_memory=True)
    monitor = Monitor(list_pairs(args.pairs), args.size, args.runs / "samples")
    for trial in trials(args.methods, args.seeds):
        if any(trial == (r["method"], r["variant"], int(r["seed"])) for r in results()):
            continue
        start = time.perf_counter()
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


def table() -> str:
    """The results as Markdown: mean over seeds, and each seed's figure, so that noise is seen."""
    lines = ["| method | variant | fMSE / composite | seeds | improved |", "|---|---|---|---|---|"]
    rows = results()
    for method, variant in dict.fromkeys((r["method"], r["variant"]) for r in rows):
        own = [r for r in rows if (r["method"], r["variant"]) == (method, variant)]
        ratios = [float(r["fmse_ratio"]) for r in own]
        improved = mean(float(r["improved"]) for r in own)
        each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        lines.append(f"| {method} | {variant} | {mean(ratios):.3f} | {each} | {improved:.0%} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--methods", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--images", type=int, default=15_360)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print the results, train nothing")
    args = parser.parse_args()
    if args.table:
        print(table())  # noqa: T201
    elif args.photos is None or args.pairs is None:
        parser.error("--photos and --pairs are needed to train")
    else:
        measure(args)


if __name__ == "__main__":
    main()

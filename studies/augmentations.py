"""Which colour augmentations carry over to those that a network was not trained on.

    python studies/augmentations.py --photos PHOTOS --pairs PAIRS --runs RUNS

Small samelight networks are trained on the mixture of augmentations and on mixtures that lack one
of them. Each is scored on composites of each augmentation alone, made of photos held out of
training, and on the groups of PAIRS. Interrupt at will: finished trainings are in the results file.
"""

import argparse
import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean

import ablation

from samelight.lab.color.augment import FOREGROUND_MIX
from samelight.lab.contract import Use
from samelight.lab.data.donors import cached_neighbours
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from samelight.lab.evaluation.report import markdown_table
from samelight.lab.methods import METHODS
from samelight.lab.training.monitor import Monitor, make_composites, read_composites
from samelight.models import spec

RESULTS = Path(__file__).parents[1] / "results" / "augmentations.csv"
FIELDS = ("training", "seed", "images", "test", "fmse_ratio")
EXAMPLES = 200
TEST_SEED = 1_000_000
"""Apart from the seeds that trainings take."""

OTHER_LIGHT = "other light"
"""No augmentation: the foreground stays as photographed and the background is relit."""
ALL = "all of them"


def training_views() -> dict[str, CompositeView]:
    """The whole mixture, and the mixtures that lack one part."""
    views = {ALL: CompositeView()}
    for augmentation in FOREGROUND_MIX:
        rest = {name: share for name, share in FOREGROUND_MIX.items() if name != augmentation}
        total = sum(rest.values())
        mixture = {name: share / total for name, share in rest.items()}
        views[f"without {augmentation}"] = CompositeView(foreground_mix=mixture)
    return views | {f"without {OTHER_LIGHT}": CompositeView(before_relighting=0)}


def test_views() -> dict[str, CompositeView]:
    """One for each augmentation alone."""
    views = {
        augmentation: CompositeView(
            foreground_mix={augmentation: 1.0}, untouched=0, before_relighting=0
        )
        for augmentation in FOREGROUND_MIX
    }
    return views | {OTHER_LIGHT: CompositeView(untouched=0, relit=1, before_relighting=1)}


def measure(args: argparse.Namespace) -> None:
    """Train what the results file does not hold yet."""
    photos = PhotoFolder(args.photos, part="training", in_memory=True)
    args.runs.mkdir(parents=True, exist_ok=True)
    photos.neighbours = cached_neighbours(photos, args.runs / "donors.npz")
    held_out = PhotoFolder(args.photos, part="held_out")
    use = Use(views=(spec.View(size_px=args.size),))
    composites = {
        title: make_composites(held_out, view, args.size, count=EXAMPLES, seed=TEST_SEED)
        for title, view in test_views().items()
    }
    pairs = list_pairs(args.pairs)
    for group in dict.fromkeys(pair.group for pair in pairs):
        own = [pair for pair in pairs if pair.group == group]
        composites[f"{group} (pairs)"] = read_composites(own, args.size)
    monitors = {
        title: Monitor(batch, use, args.runs / title) for title, batch in composites.items()
    }
    method = METHODS["samelight"]
    # Without attention it is quicker and, at this budget, as good (docs/methods/samelight.md).
    config = ablation.changed(method.configs["small"], {"shape": {"blocks": 0}})
    for training, seed in trials(args.seeds):
        run = args.runs / f"{training}-{seed}".replace(" ", "_")
        studied = replace(config, examples=training_views()[training])
        network = ablation.train_briefly(method, studied, photos, run, args.images, args.size, seed)
        ratios = {
            title: monitor(network, args.images)["fmse_ratio"]
            for title, monitor in monitors.items()
        }
        add_results(training, seed, args.images, ratios)
        shutil.rmtree(run)


def trials(seeds: int) -> Iterator[tuple[str, int]]:
    """What the results file does not hold yet, when its turn comes."""
    for seed in range(seeds):
        for training in training_views():
            if not any(
                (training, seed) == (row["training"], int(row["seed"])) for row in results()
            ):
                yield training, seed


def results(path: Path = RESULTS) -> list[dict[str, str]]:
    """The rows of a results file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def add_results(training: str, seed: int, images: int, ratios: dict[str, float]) -> None:
    """Append one training's rows."""
    fresh = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(FIELDS)
        writer.writerows((training, seed, images, t, f"{r:.4f}") for t, r in ratios.items())


def table(name: str, path: Path = RESULTS) -> str:
    """The matrix as Markdown: a row for each training, a column for each test, means of seeds.

    Args:
        name: "synthetic" for the augmentations, "pairs" for the pairs' groups.
        path: of the results file.
    """
    rows = [row for row in results(path) if row["test"].endswith("(pairs)") == (name == "pairs")]
    tests = list(dict.fromkeys(row["test"] for row in rows))
    lines = []
    for training in dict.fromkeys(row["training"] for row in rows):
        own = [row for row in rows if row["training"] == training]
        means = [mean(float(r["fmse_ratio"]) for r in own if r["test"] == test) for test in tests]
        lines.append((training, *(f"{ratio:.3f}" for ratio in means), f"{max(means):.3f}"))
    columns = (test.removesuffix(" (pairs)") for test in tests)
    return markdown_table(("trained on", *columns, "worst"), lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/augmentations"))
    parser.add_argument("--images", type=int, default=7_680)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=2)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()

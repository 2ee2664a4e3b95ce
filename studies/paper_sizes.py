"""That the paper-size configurations train: 100 steps of each, in `paper_sizes.csv`.

    python studies/paper_sizes.py --photos PHOTOS [--runs RUNS]

A hundred steps of four pictures say that a network fits into memory, that its loss falls and what
a picture costs here; not how good it gets.
"""

import argparse
import csv
import shutil
from pathlib import Path

from samelight.lab.evaluation.report import markdown_table
from samelight.lab.methods import METHODS
from samelight.lab.training.loop import RunOptions
from samelight.lab.training.request import TrainRequest
from samelight.lab.training.run import train_run

RESULTS = Path(__file__).parents[1] / "results" / "paper_sizes.csv"
STEPS, BATCH, SIZE_PX = 100, 4, 128


def measure(name: str, photos: Path, run: Path) -> dict[str, str]:
    """Train one method's paper-size configuration for a hundred steps."""
    request = TrainRequest(
        method=name,
        config="paper",
        photos=photos,
        run=run,
        images=STEPS * BATCH,
        batch=BATCH,
        size_px=SIZE_PX,
        in_memory=False,
    )
    train_run(request, RunOptions(workers=1, save_every=STEPS * BATCH))
    with (run / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    network = METHODS[name].network(METHODS[name].configs["paper"].shape)
    return {
        "method": name,
        "parameters": f"{sum(p.numel() for p in network.parameters()):,}",
        "steps": str(STEPS),
        "loss, first 50": f"{float(rows[0]['total']):.3f}",
        "loss, last 50": f"{float(rows[-1]['total']):.3f}",
        "images/s": f"{float(rows[-1]['images_per_s']):.1f}",
    }


def table(_: str) -> str:
    """The results as Markdown."""
    with RESULTS.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    return markdown_table(header, [tuple(row) for row in rows])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/paper_sizes"))
    arguments = parser.parse_args()
    shutil.rmtree(arguments.runs, ignore_errors=True)
    published = [name for name, method in METHODS.items() if method.paper is not None]
    rows = [measure(name, arguments.photos, arguments.runs / name) for name in published]
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

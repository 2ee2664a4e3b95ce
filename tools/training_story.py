"""Keep what a model's training runs cost and how they went: `results/MODEL/training.json`.

    python tools/training_story.py MODEL RUN [RUN ...] [--append]

The runs, in their order, are folders of `samelight train`, each begun from the one before; the
file goes beside the model's results, and the tables of docs/comparison.md and of the cards are
made of it. Time is that of the training steps, as the log has it, on whatever else the machine
did meanwhile.
"""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"


def story(run: Path) -> dict[str, Any]:
    """What one run was, what it cost, and its curve on the development set."""
    about = json.loads((run / "run.json").read_text())
    images, minutes = _cost(run / "log.csv")
    curve = _curve(run / "figures.jsonl")
    # Weights are those of the last checkpoint: the log may end before it, as rows are written
    # every 50 steps, and in a run that was broken off goes on behind it.
    total = curve[-1]["images"]
    return {
        "images": total,
        "minutes": round(minutes * total / images),
        "config": about["config"],
        "recipe": about["recipe"],
        "start_from": about.get("start_from"),
        "start_part": about.get("start_part"),
        "photos": about["photos"],
        "curve": curve,
    }


def _cost(log: Path) -> tuple[int, float]:
    """Images trained on and minutes; what an interruption lost is not in the log."""
    seen, minutes = 0, 0.0
    with log.open(newline="") as file:
        for row in csv.DictReader(file):
            images = int(row["images"])
            minutes += (images - seen) / float(row["images_per_s"]) / 60
            seen = images
    return seen, minutes


def _curve(figures: Path) -> list[dict[str, float]]:
    """The scores at checkpoints, the last one where a run scored twice."""
    lines = [json.loads(line) for line in figures.read_text().splitlines()]
    scores = {line["images"]: line for line in lines}
    return [{k: round(v, 4) for k, v in scores[images].items()} for images in sorted(scores)]


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--append", action="store_true", help="Go on with the runs told already.")
    arguments = parser.parse_args()
    path = RESULTS / arguments.model / "training.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = json.loads(path.read_text()) if arguments.append else []
    stories = told + [story(run) for run in arguments.runs]
    path.write_text(json.dumps(stories, indent=1) + "\n")
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whether a model looks, one foreground before two backgrounds: docs/methods/samelight.md.

`python studies/two_backgrounds.py PAIRS` takes real images and masks in iHarmony4's layout. Each
image's foreground, its colours untouched, is pasted before the photos of two others. A model that
looks moves it towards the light of each: where one background is warmer or brighter than the other,
so is what becomes of the foreground. Replaces the rows of the models measured in
`results/two_backgrounds.csv`.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.color.spaces import rgb_to_lab
from samelight.correction.describe import explain_correction
from samelight.edit import EditOptions, edit
from samelight.io.photo import Photo
from samelight.lab.data.pairs import list_pairs
from samelight.lab.evaluation.report import markdown_table
from samelight.mask.mask import Mask
from samelight.models.registry import list_models
from samelight.render.resample import resample
from samelight.types import FloatArray

RESULTS = Path(__file__).parents[1] / "results" / "two_backgrounds.csv"
FIELDS = ("model", "axis", "correlation", "slope", "same_direction", "pairs")
SIDE_PX = 512
LEAST_APART = 5.0
"""CIE Lab units; backgrounds nearer to one another than this ask for no direction."""
AXES = {"lightness": 0, "warmth": 2}
"""What `explain_correction` calls an axis, and which of L*, a*, b* it is."""


class Scene(NamedTuple):
    """A photo, small and square, and what in it is foreground."""

    photo: FloatArray
    """(S,S,3) in [0,1]."""
    mask: FloatArray
    """(S,S) in [0,1]."""


def read_scenes(folder: Path) -> list[Scene]:
    """The real images, each once, with a mask of it."""
    scenes = {}
    for pair in list_pairs(folder):
        with Image.open(pair.real) as photo, Image.open(pair.mask) as mask:
            pictures = np.asarray(photo.convert("RGB")), np.asarray(mask.convert("L"))
        scenes[pair.real] = Scene(*(resample(values, SIDE_PX) for values in pictures))
    return list(scenes.values())


def measure(
    model: str, scenes: list[Scene], gate: Literal["off", "auto"]
) -> list[dict[str, object]]:
    """Lay each foreground before two other photos; a row per axis."""
    options, count = EditOptions(model=model, gate=gate), len(scenes)
    lights, moves = [], []
    for number, (own, mask) in enumerate(scenes):
        light, move = [], []
        for step in (count // 3, 2 * count // 3):
            other = scenes[(number + step) % count].photo
            composite = other + mask[..., None] * (own - other)
            result = edit(Photo(composite), Mask(mask), options)
            told = explain_correction(result.correction, composite, mask)
            light.append(_mean_lab(composite, 1 - mask))
            move.append([told[axis] for axis in AXES])
        lights.append(np.subtract(*light)[list(AXES.values())])
        moves.append(np.array(move[0]) - np.array(move[1]))
    apart, moved = np.array(lights), np.array(moves)
    name = model if gate == "off" else f"{model}, gate auto"
    return [
        {"model": name, "axis": axis, **_agreement(apart[:, column], moved[:, column])}
        for column, axis in enumerate(AXES)
    ]


def _mean_lab(photo: FloatArray, weight: FloatArray) -> npt.NDArray[np.float64]:
    lab = rgb_to_lab(photo).astype(np.float64)
    mean: npt.NDArray[np.float64] = np.average(lab.reshape(-1, 3), axis=0, weights=weight.ravel())
    return mean


def _agreement(
    apart: npt.NDArray[np.float64], moved: npt.NDArray[np.float64]
) -> dict[str, float | int]:
    """How the difference of the answers follows that of the backgrounds."""
    asked = np.abs(apart) >= LEAST_APART
    apart, moved = apart[asked], moved[asked]
    return {
        "correlation": round(float(np.corrcoef(apart, moved)[0, 1]), 3),
        "slope": round(float(np.polyfit(apart, moved, 1)[0]), 3),
        "same_direction": round(float((np.sign(apart) == np.sign(moved)).mean()), 3),
        "pairs": int(asked.sum()),
    }


def read_rows() -> list[dict[str, str]]:
    """What was measured so far."""
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def table(_: str) -> str:
    """The results as Markdown: a row per model."""
    rows = read_rows()
    lines = []
    for model in dict.fromkeys(row["model"] for row in rows):
        cells = [model]
        for axis in AXES:
            row = next(r for r in rows if (r["model"], r["axis"]) == (model, axis))
            share = 100 * float(row["same_direction"])
            cells += [f"{share:.0f} %", row["correlation"], row["slope"]]
        lines.append(tuple(cells))
    heads = ("model", *(f"{axis}: {what}" for axis in AXES for what in ("same way", "r", "slope")))
    return markdown_table(heads, lines)


def main() -> None:
    """Measure every shipped model, or those that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--models", nargs="+", default=list(list_models()))
    parser.add_argument("--gate", choices=("off", "auto"), default="off")
    arguments = parser.parse_args()
    scenes = read_scenes(arguments.pairs)
    rows: dict[object, dict[str, Any]] = {(row["model"], row["axis"]): row for row in read_rows()}
    for model in arguments.models:
        found = measure(model, scenes, arguments.gate)
        rows |= {(row["model"], row["axis"]): row for row in found}
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    sys.stdout.write(table("all") + "\n")


if __name__ == "__main__":
    main()

"""How much of what a model knows is the photos it was trained on: docs/methods/samelight.md.

`python studies/known_photos.py PHOTOS` makes composites as training does, of the photos that are
trained on and of those that are held out, and scores the model on both.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from samelight.harmonizer import Harmonizer
from samelight.lab.data.photos import Part, PhotoFolder
from samelight.lab.data.views import CompositeView
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL

SEED = 2_000_000
"""Apart from the seeds that trainings take."""
LEAST_FOREGROUND_PX = 50
PARTS: tuple[Part, ...] = ("training", "held_out")


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--examples", type=int, default=300)
    args = parser.parse_args()
    harmonizer = Harmonizer(args.model)
    ratios = []
    for part in PARTS:
        photos = PhotoFolder(args.photos, part=part)
        ratio, improved = score(harmonizer, photos, args.examples)
        ratios.append(ratio)
        sys.stdout.write(
            f"{len(photos)} photos, {part.replace('_', ' ')}: {ratio:.3f} of the error, "
            f"{100 * improved:.0f} % improved\n"
        )
    sys.stdout.write(f"gap: {ratios[1] - ratios[0]:+.3f}\n")


def score(harmonizer: Harmonizer, photos: PhotoFolder, examples: int) -> tuple[float, float]:
    """Mean fMSE relative to the composites', and the share that improved."""
    view = CompositeView(untouched=0.0, around_object=1.0)
    errors = []
    for number in range(examples):
        rng = np.random.default_rng((SEED, number))
        example = view(photos, harmonizer.spec.size_px, rng)
        composite, real, mask = (part.transpose(1, 2, 0) for part in example)
        inside = mask[..., 0] > 0.5
        if inside.sum() < LEAST_FOREGROUND_PX:
            continue
        output = harmonizer.predict(composite, Mask(mask[..., 0])).harmonized
        errors.append([np.square(image - real)[inside].mean() for image in (composite, output)])
    before, after = np.array(errors).T
    return float(after.mean() / before.mean()), float((after < before).mean())


if __name__ == "__main__":
    main()

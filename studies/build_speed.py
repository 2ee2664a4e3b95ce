"""How fast the builders are, and whether their memory stays flat.

    python studies/build_speed.py [composites]

Photos are made up: 24 of 768 x 768 px as JPEG, each with an object of about a quarter; composites
are 512 x 512, ten a mask. Prints composites a second, what each costs of one core (the fairer
figure where other work runs beside), and peak memory after a quarter and at the end.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from samelight.lab.color.charts import shipped_lights
from samelight.lab.data.build.build import build, masked_photos
from samelight.lab.data.build.synthesize import KINDS, Builder

PHOTOS, SIDE = 24, 768


def write_photos(root: Path) -> None:
    """Soft random pictures with grain, and a disc in each."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    for folder in ("photos", "masks"):
        (root / folder).mkdir()
    for number in range(PHOTOS):
        coarse = rng.integers(20, 236, (12, 12, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 6, (SIDE, SIDE, 3))
        pixels = (np.asarray(smooth) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "photos" / f"p{number}.jpg", quality=92)
        disc = (down**2 + across**2 < 0.28**2).astype(np.uint8) * 255
        Image.fromarray(disc).save(root / "masks" / f"p{number}_1.png")


def peak_mb() -> float:
    """Peak resident memory so far; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Build one set of each kind."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_photos(root)
        entries = masked_photos(root)
        for kind in KINDS:
            lights = shipped_lights() if kind == "ccharmony" else []
            builder = Builder(kind=kind, entries=entries, out=root / kind, lights=lights)
            steps = build(builder, root, per_mask=-(-count // PHOTOS), limit=count)
            began, worked, quarter = time.perf_counter(), time.process_time(), 0.0
            for made, _ in enumerate(steps, 1):
                quarter = peak_mb() if made == count // 4 else quarter
            seconds = time.perf_counter() - began
            busy = 1000 * (time.process_time() - worked) / count
            sys.stdout.write(
                f"{kind}: {count / seconds:.1f} composites/s, {busy:.0f} ms of a core each, peak "
                f"memory {quarter:.0f} MB after {count // 4}, {peak_mb():.0f} MB after {count}\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

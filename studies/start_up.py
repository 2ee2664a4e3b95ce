"""What one small photo costs, the whole process from a cold start: docs/full-resolution.md.

`python studies/start_up.py` makes a 1-megapixel JPEG of the example photo and runs, in turn, a
Python process that imports numpy, decodes and encodes it, and `samelight harmonize`. The package's
bytecode is written first, as installing a wheel does; numpy's and Pillow's is there too.
"""

import argparse
import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

import samelight

EXAMPLES = Path(__file__).parents[1] / "examples"
SIZE = (1200, 834)

BARE = """
import sys
import numpy
from PIL import Image
image = Image.open(sys.argv[1])
image.load()
image.save(sys.argv[2], quality=92)
"""


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    compileall.compile_dir(Path(samelight.__file__).parent, quiet=1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        Image.open(EXAMPLES / "composite.jpg").resize(SIZE).save(folder / "photo.jpg", quality=92)
        Image.open(EXAMPLES / "mask.png").resize(SIZE).save(folder / "mask.png")
        harmonize = [str(Path(sys.executable).with_name("samelight")), "harmonize", "photo.jpg"]
        commands = {
            "numpy, decode, encode": [sys.executable, "-c", BARE, "photo.jpg", "bare.jpg"],
            "samelight harmonize": [*harmonize, "--mask", "mask.png", "--output", "out.jpg"],
        }
        seconds: dict[str, list[float]] = {title: [] for title in commands}
        # The first round is not counted: it brings files into the system's memory.
        for number in range(rounds + 1):
            for title, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
                if number:
                    seconds[title].append(time.perf_counter() - start)
    bare, ours = (statistics.median(times) for times in seconds.values())
    for title, times in seconds.items():
        sys.stdout.write(f"{title}: {statistics.median(times):.2f} s\n")
    sys.stdout.write(f"ratio of the medians: {ours / bare:.2f}\n")


if __name__ == "__main__":
    main()

"""What the program costs before and beside its work: docs/full-resolution.md.

`python studies/start_up.py` runs commands in turn, each a process of its own: Python alone, answers
of the command line, a 1-megapixel JPEG decoded and encoded by numpy and Pillow, and the same photo
harmonized. The package's bytecode is written first, as installing a wheel does; numpy's and
Pillow's is there too. Seconds of the clock depend on what else the machine does; seconds of the
processor less so.
"""

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image

import samelight

EXAMPLES = Path(__file__).parents[1] / "examples"
SIZE = (1200, 834)
PROGRAM = str(Path(sys.executable).with_name("samelight"))
HARMONIZE = [PROGRAM, "harmonize", "photo.jpg", "--mask", "mask.png", "--output", "out.jpg"]
CODEC = """
import numpy
from PIL import Image
image = Image.open("photo.jpg")
image.load()
image.save("bare.jpg", quality=92)
"""
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "--version": [PROGRAM, "--version"],
    "--help": [PROGRAM, "--help"],
    "harmonize --help": [PROGRAM, "harmonize", "--help"],
    "train --help": [PROGRAM, "train", "--help"],
    "evaluate --help": [PROGRAM, "evaluate", "--help"],
    "data --help": [PROGRAM, "data", "--help"],
    "models": [PROGRAM, "models"],
    "numpy, decode, encode": [sys.executable, "-c", CODEC],
    "harmonize": HARMONIZE,
    "harmonize, samelight-s": [*HARMONIZE, "--model", "samelight-s"],
}


class Cost(NamedTuple):
    """Seconds of one process."""

    clock: float
    processor: float


def main() -> None:
    """Print the medians, and the least that was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    compileall.compile_dir(Path(samelight.__file__).parent, quiet=1)
    costs: dict[str, list[Cost]] = {title: [] for title in COMMANDS}
    with TemporaryDirectory() as name:
        folder = Path(name)
        Image.open(EXAMPLES / "composite.jpg").resize(SIZE).save(folder / "photo.jpg", quality=92)
        Image.open(EXAMPLES / "mask.png").resize(SIZE).save(folder / "mask.png")
        # The first round is not counted: it brings files into the system's memory.
        for number in range(rounds + 1):
            for title, command in COMMANDS.items():
                cost = measure(command, folder)
                if number:
                    costs[title].append(cost)
    sys.stdout.write(f"{'':24} median    least    processor, median\n")
    for title, seen in costs.items():
        clock, processor = zip(*seen, strict=True)
        median, middle = statistics.median(clock), statistics.median(processor)
        sys.stdout.write(f"{title:24} {median:.3f} s  {min(clock):.3f} s  {middle:.3f} s\n")


def measure(command: list[str], folder: Path) -> Cost:
    """Run a command in a folder."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    clock, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system
    return Cost(clock, processor - before.children_user - before.children_system)


if __name__ == "__main__":
    main()

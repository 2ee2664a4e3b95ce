"""A small photo with its mask, and commands run on it."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from samelight.io.photo import Photo, write_photo

SHAPE = (60, 80)
MAIN = "import sys; from samelight.interfaces.cli.main import main; sys.exit(main())"


@pytest.fixture
def folder(tmp_path, rng):
    mask = np.zeros(SHAPE, np.uint8)
    mask[15:45, 20:60] = 255
    mask[15, 20:60] = 128
    write_photo(tmp_path / "photo.png", Photo(rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def coverage(folder):
    return np.asarray(Image.open(folder / "mask.png"))


@pytest.fixture
def harmonize(run_cli, folder, tiny_model):
    """Run `samelight harmonize` in the folder, with any argument replaced."""

    def run(*more, photo="photo.png", mask="mask.png", output="out/result.png", model=tiny_model):
        return run_cli(
            *("harmonize", folder / photo, "--mask", folder / mask),
            *("--output", folder / output, "--model", model, *more),
        )

    return run


@pytest.fixture
def apply(run_cli, folder):
    """Run `samelight apply` on the folder's light.npz."""

    def run(*more, output="out/result.png"):
        return run_cli(
            *("apply", folder / "light.npz", folder / "photo.png"),
            *("--mask", folder / "mask.png", "--output", folder / output, *more),
        )

    return run


@pytest.fixture
def refused():
    """Check that a command was refused in one line, and return it."""

    def check(finished):
        assert finished.code == 2
        assert finished.out == ""
        assert re.fullmatch(r"samelight: [^\n]+\n", finished.err)
        return finished.err

    return check


@pytest.fixture
def run_program():
    """Run the program in a process of its own, after some lines of Python."""

    def run(*arguments, before="", **options):
        return subprocess.run(
            [sys.executable, "-c", f"{before}\n{MAIN}", *map(str, arguments)],
            capture_output=True,
            text=True,
            **options,
        )

    return run

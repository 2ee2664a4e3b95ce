"""A face of its own over `edit`, in the lines of an example."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samelight.io.photo import Photo, write_photo

SCRIPT = Path(__file__).parents[2] / "examples" / "json_lines.py"


@pytest.fixture
def files(tmp_path, rng, tiny_model):
    write_photo(tmp_path / "photo.png", Photo(rng.integers(0, 256, (40, 60, 3), np.uint8)))
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[10:30, 10:40] = 255
    write_photo(tmp_path / "mask.png", Photo(mask))
    names = {name: str(tmp_path / f"{name}.png") for name in ("photo", "mask", "output")}
    return names | {"model": str(tiny_model)}


def answers(*questions):
    finished = subprocess.run(
        [sys.executable, SCRIPT],
        input="".join(f"{json.dumps(question)}\n" for question in questions),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_it_writes_the_bytes_that_the_command_line_writes(files, tmp_path, run_cli):
    (answer,) = answers(files | {"strength": 0.5})
    assert answer["output"] == files["output"]
    assert answer["notes"] == []
    other = tmp_path / "other.png"
    asked = [files["photo"], "--mask", files["mask"], "--output", other, "--strength", "0.5"]
    assert run_cli("harmonize", *asked, "--model", files["model"]).code == 0
    assert Path(files["output"]).read_bytes() == other.read_bytes()


def test_what_is_wrong_with_a_line_is_its_answer_and_not_the_end(files):
    wrong = [files | {"mask": "none.png"}, files | {"strength": 7}, files | {"bold": True}, [], 3]
    *errors, last = answers(*wrong, files)
    assert [list(error) for error in errors] == [["error"]] * len(wrong)
    assert "none.png" in errors[0]["error"]
    assert "strength" in errors[1]["error"]
    assert "bold" in errors[2]["error"]
    assert Path(last["output"]).is_file()

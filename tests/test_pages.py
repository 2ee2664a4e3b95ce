"""What the pages show is what happens."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
CORRECTIONS = (ROOT / "docs" / "corrections.md").read_text("utf-8")


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The bundled example, small, under the names that the pages use."""
    for name in ("composite.jpg", "mask.png"):
        with Image.open(ROOT / "examples" / name) as picture:
            picture.resize((240, 160)).save(tmp_path / name)
    shutil.copy(tmp_path / "composite.jpg", tmp_path / "full-size.jpg")
    with Image.open(tmp_path / "composite.jpg") as picture:
        picture.save(tmp_path / "composite.tif")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(page: str, language: str = "") -> list[str]:
    """The fenced blocks of a language, as they stand."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def commands(page: str) -> list[list[str]]:
    """The commands of a page, each as its words."""
    lines = "".join(blocks(page)).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command[:1] == ["samelight"]]


def test_the_commands_of_the_readme_work_in_a_row(example, run_cli):
    told = commands((ROOT / "README.md").read_text("utf-8"))
    assert len(told) >= 4
    for command in told:
        finished = run_cli(*command[1:])
        assert finished.code == 0, finished.err
    for name in ("composite.harmonized.png", "after.tif", "softer.tif", "light.npz", "light.cube"):
        assert (example / name).is_file()


def test_the_python_of_the_readme_works(example):
    with Image.open("composite.jpg") as photo, Image.open("mask.png") as mask:
        names = {"pixels": np.asarray(photo), "mask": np.asarray(mask.convert("L"))}
    (code,) = blocks((ROOT / "README.md").read_text("utf-8"), "python")
    exec(code, names)
    assert (example / "after.jpg").is_file()
    assert names["pixels"].shape == (160, 240, 3)


def explained(run_cli, target, *more):
    example = ROOT / "examples"
    asked = ["harmonize", example / "composite.jpg", "--mask", example / "mask.png", "--explain"]
    finished = run_cli(*asked, "--output", target / "after.png", *more)
    assert finished.code == 0, finished.err
    return json.loads(finished.out)


def test_an_explanation_is_what_the_page_shows(run_cli, tmp_path):
    (shown,) = (json.loads(block) for block in blocks(CORRECTIONS, "json"))
    found = explained(run_cli, tmp_path)
    assert found.keys() == shown.keys()
    assert [Path(name).name for name in found["files"]] == shown["files"]
    for name in found.keys() - {"files", "summary"}:
        # Other versions of what runs the network differ in the last digit.
        assert found[name] == pytest.approx(shown[name], abs=0.15), name
    assert re.sub(r"[\d.]+", "N", found["summary"]) == re.sub(r"[\d.]+", "N", shown["summary"])


def test_what_a_table_loses_is_what_the_page_shows(run_cli, tmp_path):
    pytest.importorskip("samelight_weights")
    psnr_db, most = re.search(r"is ([\d.]+) dB .* at most (\d+)/255", CORRECTIONS).groups()
    more = ["--cube", tmp_path / "light.cube", "--model", "giftnet.photos-384"]
    found = explained(run_cli, tmp_path, *more)["cube"]
    assert found["psnr_db"] == pytest.approx(float(psnr_db), abs=0.15)
    assert found["largest_255"] == pytest.approx(float(most), abs=1)

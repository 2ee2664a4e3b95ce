"""Nothing is written over what is read, over another result, or where it could not be used."""

import os

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.interfaces.cli.outputs import default_output
from samelight.io.photo import read_photo


@pytest.fixture
def run(run_cli, folder, tiny_model, monkeypatch):
    monkeypatch.chdir(folder)
    Correction.identity().save(folder / "light.npz")

    def run(*words):
        return run_cli("harmonize", "photo.png", "-m", "mask.png", "--model", tiny_model, *words)

    return run


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_result_lies_beside_the_photo(run, run_cli, folder):
    assert run() == (0, "photo.harmonized.png\n", "")
    assert (folder / "photo.harmonized.png").is_file()
    (folder / "out" / "photo.tif").write_bytes((folder / "photo.png").read_bytes())
    run_cli("apply", "light.npz", "out/photo.tif", "-m", "mask.png")
    assert (folder / "out" / "photo.harmonized.png").is_file()


def test_it_is_without_loss(run, folder, coverage):
    assert run().code == 0
    before, after = (read_photo(folder / f"photo{end}.png").pixels for end in ("", ".harmonized"))
    assert np.array_equal(before[coverage == 0], after[coverage == 0])
    assert not np.array_equal(before, after)


def test_a_result_that_is_there_is_kept_unless_forced(run, refused, folder):
    there = folder / "photo.harmonized.png"
    there.write_text("dear diary")
    line = refused(run())
    assert "photo.harmonized.png" in line
    assert "--force" in line
    assert "--output" in line
    assert there.read_text() == "dear diary"
    assert run("--force").code == 0
    assert read_photo(there).pixels.shape == (60, 80, 3)


def test_the_default_name_replaces_the_last_ending_only(tmp_path):
    assert default_output(tmp_path / "a.b.jpg", force=False) == tmp_path / "a.b.harmonized.png"


def test_a_name_that_was_given_is_written_over(run, folder):
    (folder / "after.png").write_text("dear diary")
    assert run("-o", "after.png").code == 0
    assert read_photo(folder / "after.png").pixels.shape == (60, 80, 3)


REFUSED = {
    "composite": ("-o photo.png", "photo.png: it is the composite itself"),
    "composite, otherwise": ("-o out/../photo.png", "it is the composite itself"),
    "composite, by a link": ("-o link.png", "it is the composite itself"),
    "mask": ("-o mask.png", "mask.png: it is the mask itself"),
    "sheet over the mask": ("-o a.png --side-by-side mask.png", "it is the mask itself"),
    "two of one name": ("-o a.png --side-by-side a.png", "the photo shall be written there"),
    "two of one place": ("-o a.png --side-by-side out/../a.png", "shall be written there"),
    "sheet over the default": ("--side-by-side photo.harmonized.png", "shall be written there"),
    "no .cube": ("-o a.png --cube light.txt", "light.txt: end its name in .cube"),
    "no .npz": ("-o a.png --save-correction light", "light: end its name in .npz"),
    "no photo": ("-o a.bmp", "a.bmp: end its name in .jpg"),
    "no photo as a sheet": ("-o a.png --side-by-side a.pdf", "a.pdf: end its name in .jpg"),
    "no folder": ("-o a.png --cube no/where.cube", "no is not a folder"),
    "a folder": ("-o a.png --cube folder.cube", "choose a folder and a name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_lose_something_is_refused(case, run, refused, folder):
    words, reason = REFUSED[case]
    os.link(folder / "photo.png", folder / "link.png")
    (folder / "folder.cube").mkdir()
    before = contents(folder)
    assert reason in refused(run(*words.split()))
    assert contents(folder) == before


def test_a_correction_is_not_written_over_by_its_own_result(run, run_cli, refused, folder):
    # It is a photo by its name, and read by what it holds.
    (folder / "light.npz").rename(folder / "light.png")
    before = contents(folder)
    words = ["apply", "light.png", "photo.png", "-m", "mask.png", "-o", "light.png"]
    assert "it is the correction itself" in refused(run_cli(*words))
    assert contents(folder) == before

import re
import shutil
from typing import get_args

import numpy as np
import pytest

from samelight.interfaces.cli.data import Kind
from samelight.lab.color.illuminant import STANDARD_PATCHES
from samelight.lab.data.build.synthesize import KINDS
from tests.lab.datasets import write_iharmony4, write_realhm
from tests.lab.pictures import write_pairs, write_photos


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "pairs", 2)
    return tmp_path


def last_line(finished):
    """What a command that may have shown progress was refused with."""
    assert finished.code == 2
    line = finished.err.splitlines(keepends=True)[-1]
    assert re.fullmatch(r"samelight: [^\n]+\n", line)
    assert "Traceback" not in finished.err
    return line


def test_check_finds_a_folder_whole(run_cli, folder):
    finished = run_cli("data", "check", "pairs")
    assert finished.code == 0
    assert "2 triples are complete" in finished.err
    assert run_cli("data", "check", write_realhm(folder / "hm")).code == 2  # 2 of 216


def test_check_names_what_is_wrong(run_cli, folder):
    root = write_iharmony4(folder / "data")
    counts = run_cli("data", "check", root)
    assert "its lists are not the published ones" in last_line(counts)
    assert "HCOCO test: 1 composites, published are 4,283" in counts.out
    (root / "HCOCO" / "masks" / "c1_10.png").unlink()
    broken = root / "HFlickr" / "composite_images" / "f1_1_2.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    shutil.rmtree(root / "Hday2night")
    finished = run_cli("data", "check", root)
    assert "fetch them again, then check again" in last_line(finished)
    for words in ("c1_10.png is missing", "f1_1_2.jpg is ", "Hday2night is missing"):
        assert words in finished.out
    assert "nowhere is not a folder" in last_line(run_cli("data", "check", "nowhere"))


@pytest.mark.parametrize("kind", ["iharmony4", "luts", "ccharmony"])
def test_synthesize_then_check_and_evaluate(run_cli, folder, tiny_model, kind):
    write_photos(folder / "photos")
    made = run_cli("data", "synthesize", "--photos", "photos", "--out", "made", "--kind", kind)
    assert made.code == 0, made.err
    assert made.out == "made\n"
    assert "3 of 3 composites made now" in made.err
    assert run_cli("data", "check", "made").code == 0
    again = run_cli("data", "synthesize", "--photos", "photos", "--out", "made", "--kind", kind)
    assert "0 of 3 composites made now" in again.err
    assert run_cli("evaluate", tiny_model, "--pairs", "made", "--baselines", "none").code == 0


def test_illuminant_fits_lights_and_builds_with_them(run_cli, folder):
    write_photos(folder / "photos")
    (folder / "charts").mkdir()
    for name, cast in (("dog", [1.0, 0.85, 0.6]), ("noon", [1, 1, 1])):
        np.savetxt(folder / "charts" / f"{name}.csv", STANDARD_PATCHES * cast, delimiter=",")
    finished = run_cli(
        *("data", "illuminant", "charts", "--out", "lights", "--photos", "photos"),
        *("--per-mask", "2"),
    )
    assert finished.code == 0, finished.err
    assert finished.out.splitlines() == ["lights", "lights/pairs"]
    assert "2 lights; mean error 0.0 levels" in finished.err
    assert run_cli("data", "check", "lights/pairs").code == 0
    more = run_cli(
        *("data", "synthesize", "--photos", "photos", "--out", "made"),
        *("--kind", "ccharmony", "--lights", "lights"),
    )
    assert more.code == 0, more.err


def test_every_kind_can_be_chosen():
    assert set(get_args(Kind)) == set(KINDS)


WRONG = {
    "charts": ("data illuminant nowhere --out lights", "no charts in nowhere"),
    "photos": ("data synthesize --photos nowhere --out o", "no photos under"),
    "luts": (
        "data synthesize --photos photos --out o --luts pairs",
        "no .cube files under pairs",
    ),
    "lights": (
        "data synthesize --photos photos --out o --kind ccharmony --lights pairs",
        "0 lights, at least 2",
    ),
    "kind": ("data synthesize --photos photos --out o --kind sun", "'sun' is not one of"),
    "suffix": ("data synthesize --photos photos --out o --suffix .gif", "'.gif' is not one of"),
    "no masks at all": ("data masks photos --per-photo 0", "0 is not in the range x>=1"),
    "no composites": ("data synthesize --photos photos --out o --per-mask 0", "range x>=1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case, run_cli, refused, folder, tiny_model):
    write_photos(folder / "photos")
    words, reason = WRONG[case]
    before = sorted(path.name for path in folder.iterdir())
    finished = run_cli(*[tiny_model if word == "MODEL" else word for word in words.split()])
    assert reason in refused(finished)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.lab
def test_masks_are_drawn_for_the_photos_that_have_none(run_cli, tmp_path):
    root = write_photos(tmp_path)
    before = {path.name: path.read_bytes() for path in (root / "masks").iterdir()}
    finished = run_cli("data", "masks", root, "--per-photo", "2")
    assert finished.code == 0, finished.err
    after = {path.name: path.read_bytes() for path in (root / "masks").iterdir()}
    assert before.items() < after.items()
    assert {name.rsplit("_", 1)[0] for name in after.keys() - before.keys()} == {"sky"}
    assert run_cli("data", "masks", root).code == 0
    assert {path.name for path in (root / "masks").iterdir()} == after.keys()

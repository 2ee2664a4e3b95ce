import re
import shutil

import numpy as np
import pytest
from PIL import Image

from samelight.lab.color.illuminant import STANDARD_PATCHES
from tests.lab.datasets import write_iharmony4, write_realhm
from tests.lab.pictures import write_pairs, write_photos


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "pairs", 2)
    return tmp_path


def one_line(finished):
    assert finished.code == 2
    assert re.fullmatch(r"samelight: [^\n]+\n", finished.err.splitlines(keepends=True)[-1])
    assert "Traceback" not in finished.err
    return finished.err


def test_evaluate_is_predict_and_score(run_cli, folder, tiny_model):
    at_once = run_cli(
        "evaluate", tiny_model, "--pairs", "pairs", "--out", "run", "--baselines", "mkl"
    )
    assert at_once.code == 0, at_once.err
    assert "predicting" in at_once.err
    assert "scoring" in at_once.err
    predicted = run_cli(
        *("predict", tiny_model, "--pairs", "pairs", "--out", "other", "--baselines", "mkl")
    )
    assert (predicted.code, predicted.out) == (0, "other\n")
    assert not (folder / "other" / "scores.csv").exists()
    scored = run_cli("score", "other", "--pairs", "pairs")
    assert scored.code == 0, scored.err
    assert scored.out == at_once.out
    assert (folder / "run" / "scores.csv").read_text() == (
        folder / "other" / "scores.csv"
    ).read_text()


def test_evaluate_again_goes_on_in_its_default_folder(run_cli, folder, tiny_model):
    first = run_cli("evaluate", tiny_model, "--pairs", "pairs", "--baselines", "none")
    (run,) = (folder / "runs").iterdir()
    (output,) = run.glob("predictions/*/p0_1_1.png")
    before = output.stat().st_mtime_ns
    second = run_cli("evaluate", tiny_model, "--pairs", "pairs", "--baselines", "none")
    assert second.out == first.out
    assert output.stat().st_mtime_ns == before
    assert list((folder / "runs").iterdir()) == [run]


def test_a_protocol_is_chosen_by_name(run_cli, folder, tiny_model):
    asked = ["--protocol", "idih", "--baselines", "reinhard"]
    run_cli("evaluate", tiny_model, "--pairs", "pairs", *asked, "--out", "run")
    (output,) = (folder / "run").glob("predictions/reinhard/p0_1_1.png")
    assert Image.open(output).size == (256, 256)


def test_results_table_and_published(run_cli, folder, tiny_model):
    run_cli("evaluate", tiny_model, "--pairs", "pairs", "--out", "run")
    table = run_cli("results", "table", "run", "--intervals")
    assert table.code == 0
    assert table.out.startswith("| 2 composites | PSNR dB |")
    assert "| identity, 95 % |" in table.out
    assert run_cli("results", "table", "run", "--by", "bin").code == 0
    published = run_cli("results", "published", "--size", "256", "--beside", "run")
    assert published.code == 0
    assert "SCS-Co" in published.out
    assert "https://github.com/nicecv/DiffHarmony" in published.out
    assert "this run, samelight" in published.out
    assert "nothing published" in one_line(run_cli("results", "published", "--dataset", "COCO"))
    assert "is missing" in one_line(run_cli("results", "table", "nowhere"))


def test_check_finds_a_folder_whole(run_cli, folder):
    finished = run_cli("data", "check", "pairs")
    assert finished.code == 0
    assert "2 triples are complete" in finished.err
    assert run_cli("data", "check", write_realhm(folder / "hm")).code == 2  # 2 of 216


def test_check_names_what_is_wrong(run_cli, folder):
    root = write_iharmony4(folder / "data")
    counts = run_cli("data", "check", root)
    assert "its lists are not the published ones" in one_line(counts)
    assert "HCOCO test: 1 composites, published are 4,283" in counts.out
    (root / "HCOCO" / "masks" / "c1_10.png").unlink()
    broken = root / "HFlickr" / "composite_images" / "f1_1_2.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    shutil.rmtree(root / "Hday2night")
    finished = run_cli("data", "check", root)
    assert "fetch them again, then check again" in one_line(finished)
    for words in ("c1_10.png is missing", "f1_1_2.jpg is ", "Hday2night is missing"):
        assert words in finished.out
    assert "nowhere is not a folder" in one_line(run_cli("data", "check", "nowhere"))


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


WRONG = {
    "protocol": (["evaluate", "MODEL", "--pairs", "pairs", "--protocol", "x"], "no protocol 'x'"),
    "baseline": (
        ["evaluate", "MODEL", "--pairs", "pairs", "--baselines", "best"],
        "no baseline 'best'",
    ),
    "baselines": (
        ["evaluate", "MODEL", "--pairs", "pairs", "--baselines", "mkl,"],
        "an empty name",
    ),
    "split": (["predict", "MODEL", "--pairs", "pairs", "--out", "r", "--split", "test"], "no list"),
    "run": (["score", "nowhere", "--pairs", "pairs"], "no predictions in"),
    "charts": (["data", "illuminant", "nowhere", "--out", "lights"], "no charts in nowhere"),
    "photos": (["data", "synthesize", "--photos", "nowhere", "--out", "o"], "no photos under"),
    "luts": (
        ["data", "synthesize", "--photos", "photos", "--out", "o", "--luts", "pairs"],
        "no .cube files under pairs",
    ),
    "lights": (
        [
            *("data", "synthesize", "--photos", "photos", "--out", "o"),
            *("--kind", "ccharmony", "--lights", "pairs"),
        ],
        "0 lights, at least 2",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case, run_cli, folder, tiny_model):
    write_photos(folder / "photos")
    arguments, words = WRONG[case]
    before = sorted(path.name for path in folder.iterdir())
    finished = run_cli(*[str(tiny_model) if word == "MODEL" else word for word in arguments])
    assert words in one_line(finished)
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


@pytest.mark.lab
def test_no_masks_at_all_are_refused(run_cli, tmp_path):
    finished = run_cli("data", "masks", write_photos(tmp_path), "--per-photo", "0")
    assert "at least 1" in one_line(finished)

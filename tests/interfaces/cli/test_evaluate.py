import re
from typing import get_args

import pytest
from PIL import Image

from samelight.interfaces.cli.evaluate import Protocol
from samelight.lab.evaluation.protocols import PROTOCOLS
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
    assert "nothing published" in last_line(run_cli("results", "published", "--dataset", "COCO"))
    assert "is missing" in last_line(run_cli("results", "table", "nowhere"))


def test_evaluate_scores_any_model(run_cli, folder, tiny_model):
    asked = ["--baselines", "reinhard,reinhard-half", "--ablate-background"]
    finished = run_cli("evaluate", tiny_model, "--pairs", folder / "pairs", *asked)
    assert finished.code == 0
    first_table = finished.out.split("\n\n")[0].splitlines()
    names = [re.split(r"\s{2,}", line.strip())[0] for line in first_table[1:]]
    assert names[:3] == ["identity", "reinhard", "reinhard-half"]
    assert names[3:] == [str(tiny_model), f"{tiny_model} on gray"]
    identity = next(line for line in first_table if "identity" in line)
    assert "1.000" in identity


def test_a_gated_model_is_another_entry_of_the_same_folder(run_cli, folder, correcting_model):
    asked = ["evaluate", correcting_model, "--pairs", "pairs", "--out", "run"]
    assert run_cli(*asked).code == 0
    finished = run_cli(*asked, "--gate", "auto")
    assert finished.code == 0, finished.err
    lines = finished.out.split("\n\n")[0].splitlines()[1:]
    rows = {name: figures for name, *figures in (re.split(r"\s{2,}", x.strip()) for x in lines)}
    assert list(rows) == ["identity", str(correcting_model), f"{correcting_model} gated"]
    assert len({tuple(figures) for figures in rows.values()}) == 3


def test_evaluate_does_without_torch(run_program, folder, tiny_model):
    before = "import sys\nsys.modules['torch'] = None"
    words = ["evaluate", tiny_model, "--pairs", "pairs"]
    finished = run_program(*words, before=before, cwd=folder)
    assert finished.returncode == 0, finished.stderr


def test_every_protocol_can_be_chosen():
    assert set(get_args(Protocol)) == PROTOCOLS.keys()


WRONG = {
    "protocol": ("evaluate MODEL --pairs pairs --protocol x", "'x' is not one of 'samelight', "),
    "baseline": ("evaluate MODEL --pairs pairs --baselines best", "no baseline 'best'"),
    "baselines": ("evaluate MODEL --pairs pairs --baselines mkl,", "an empty name"),
    "model": ("evaluate moonlight --pairs pairs", "no model named 'moonlight'"),
    "no pairs": ("evaluate MODEL --pairs nowhere", "nowhere is not a folder"),
    "split": ("predict MODEL --pairs pairs --out r --split test", "no list"),
    "no split": ("predict MODEL --pairs pairs --out r --split half", "'half' is not one of"),
    "run": ("score nowhere --pairs pairs", "no predictions in"),
    "table": ("results table pairs --by colour", "'colour' is not one of 'total', 'group', 'bin'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(case, run_cli, refused, folder, tiny_model):
    write_photos(folder / "photos")
    words, reason = WRONG[case]
    before = sorted(path.name for path in folder.iterdir())
    finished = run_cli(*[tiny_model if word == "MODEL" else word for word in words.split()])
    assert reason in refused(finished)
    assert sorted(path.name for path in folder.iterdir()) == before

import importlib.util
import json
import re

import numpy as np
import pytest
from PIL import Image

from samelight.errors import missing_extra
from samelight.interfaces.cli import train
from samelight.models.session import open_session
from samelight.models.spec import Gate, View
from tests.lab.pictures import disc, smooth_photo, write_pairs, write_photos

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUICK = ["--images", "64", "--size-px", "64", "--workers", "0", "--precision", "32-true"]
QUICK += ["--device", "cpu", "--batch", "16"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos")
    write_pairs(tmp_path / "pairs", 2)
    return tmp_path


def one_line(finished):
    assert finished.code == 2
    assert finished.out == ""
    assert re.fullmatch(r"samelight: [^\n]+\n", finished.err)
    return finished.err


@pytest.mark.lab
def test_train_export_harmonize_and_evaluate_in_a_row(run_cli, folder):
    run, model = folder / "run", folder / "mine.onnx"
    places = ["--photos", folder / "photos", "--out", run, "--pairs", folder / "pairs"]
    trained = run_cli("train", "giftnet", *places, *QUICK)
    assert trained.code == 0, trained.err
    assert trained.out == f"{run}\n"
    about = json.loads((run / "run.json").read_text())
    assert about["method"] == "giftnet"
    assert {tuple(stage["sizes_px"]) for stage in about["recipe"]["stages"]} == {(64,)}
    assert about["recipe"]["batch"] == 16
    figures = json.loads((run / "figures.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(figures["fmse_ratio"])
    assert list((run / "samples").glob("*.jpg"))

    again = run_cli("train", "giftnet", *places, *QUICK)
    assert again.code == 0, again.err

    other = run_cli("train", "giftnet", *places, *QUICK, "--config", "paper")
    assert "another --out" in one_line(other)
    smaller = run_cli("train", "giftnet", *places, *QUICK, "--batch", "8")
    assert "a run with batch 16, and 8 is asked for" in one_line(smaller)

    part = run_cli("train", "giftnet", *places, *QUICK, "--start-part", "encoder")
    assert "--start-part encoder of which model?" in one_line(part)

    for option in (("--calibrate", folder / "photos"), ("--gate", "4", "8")):
        painting = run_cli("export", run, "--output", model, *option)
        assert "for networks that estimate errors: leave it out" in one_line(painting)
        assert not model.exists()

    exported = run_cli("export", run, "--output", model, "--views", "64")
    assert exported.code == 0, exported.err
    assert exported.out == f"{model}\n"
    assert re.search(r"largest difference from torch \d\.\de-\d+", exported.err)
    assert re.search(r"\d+ parameters, sha256 [0-9a-f]{64}", exported.err)

    photo = smooth_photo(np.random.default_rng(5))
    Image.fromarray(photo).save(folder / "photo.png")
    Image.fromarray(disc()).save(folder / "mask.png")
    harmonized = run_cli(
        *("harmonize", folder / "photo.png", "--mask", folder / "mask.png"),
        *("--output", folder / "after.png", "--model", model),
    )
    assert harmonized.code == 0, harmonized.err
    after = np.asarray(Image.open(folder / "after.png"))
    assert np.array_equal(after[disc() == 0], photo[disc() == 0])

    scores = folder / "scores.csv"
    evaluated = run_cli("evaluate", model, "--pairs", folder / "pairs", "--output", scores)
    assert evaluated.code == 0, evaluated.err
    for word in ("identity", str(model), "fMSE / composite", "dark"):
        assert word in evaluated.out
    assert len(scores.read_text().splitlines()) == 1 + 2 * 2


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


@pytest.mark.lab
def test_export_writes_beside_the_run_unless_told(run_cli, folder):
    finished = run_cli("export", folder)
    assert "run.json is missing: wanted the folder of a `samelight train` run" in one_line(finished)


BAD_INPUTS = {
    "unknown method": (
        ["moonlight"],
        {},
        'no method "moonlight": choose one of rcl_esf, scs_co, ssh, giftnet',
    ),
    "unknown configuration": (["--config", "huge"], {}, "choose one of small, paper"),
    "no photos": ([], {"photos": "nowhere"}, "no photos under"),
    "no pairs": (["--pairs", "nowhere"], {}, "nowhere is not a folder"),
}


@pytest.mark.lab
@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_is_wrong_is_said_in_one_line(case, run_cli, folder):
    more, places, reason = BAD_INPUTS[case]
    method = ["giftnet"] if not more or more[0].startswith("--") else []
    photos = folder / places.get("photos", "photos")
    finished = run_cli("train", *method, *more, "--photos", photos, "--out", folder / "run", *QUICK)
    assert reason in one_line(finished)
    assert not (folder / "run").exists()


UNCHECKED = {
    "photos without masks": [],
    "size that is no multiple": ["--size-px", "100"],
    "unknown precision": ["--precision", "loud"],
    "unknown device": ["--device", "abacus"],
    "fewer than no workers": ["--workers", "-1"],
    "out that is a file": [],
}


@pytest.mark.parametrize("case", UNCHECKED)
def test_what_is_wrong_in_the_options_is_said_too(case, run_cli, folder):
    out = folder / "run"
    if case == "photos without masks":
        for mask in (folder / "photos" / "masks").iterdir():
            mask.unlink()
    if case == "out that is a file":
        out.write_text("dear diary")
    places = ["--photos", folder / "photos", "--out", out]
    one_line(run_cli("train", "giftnet", *places, *QUICK, *UNCHECKED[case]))


@pytest.mark.parametrize("missing", ["scores", "pairs"])
def test_evaluate_refuses_before_it_works(run_cli, folder, tiny_model, missing):
    pairs = folder / ("nowhere" if missing == "pairs" else "pairs")
    output = folder / ("nowhere/scores.csv" if missing == "scores" else "scores.csv")
    finished = run_cli("evaluate", tiny_model, "--pairs", pairs, "--output", output)
    assert "nowhere" in one_line(finished)


@pytest.fixture
def _no_torch(monkeypatch):
    def find_spec(name, package=None):
        return None if name == "torch" else importlib.util.find_spec(name, package)

    monkeypatch.setattr(train, "find_spec", find_spec)


@pytest.mark.usefixtures("_no_torch")
@pytest.mark.parametrize("command", ["train", "export"])
def test_without_torch_the_extras_are_named(command, run_cli, folder):
    arguments = {
        "train": ["giftnet", "--photos", folder / "photos", "--out", folder / "run"],
        "export": [folder],
    }
    finished = run_cli(command, *arguments[command])
    assert one_line(finished) == f"samelight: {command} needs {missing_extra('lab')}\n"
    assert not (folder / "run").exists()


@pytest.mark.usefixtures("_no_torch")
def test_evaluate_does_without_torch(run_cli, folder, tiny_model):
    assert run_cli("evaluate", tiny_model, "--pairs", folder / "pairs").code == 0


@pytest.mark.lab
def test_views_gate_and_error_estimates_are_settled_at_export(run_cli, folder):
    run = folder / "samelight-run"
    trained = run_cli(
        *("train", "samelight", "--config", "tiny", "--photos", folder / "photos", "--out", run),
        *QUICK,
    )
    assert trained.code == 0, trained.err
    model = folder / "samelight.onnx"
    asked = ["export", run, "--output", model, "--views", "128,64,64-flip"]
    exported = run_cli(*asked, "--gate", "3", "30", "--calibrate", folder / "pairs")
    assert exported.code == 0, exported.err
    spec = open_session(model).spec
    assert spec.views == (View(size_px=128), View(size_px=64), View(size_px=64, flip=True))
    assert spec.gate == Gate(closed=3, open=30)
    (training,) = spec.trainings
    assert training.configuration == json.loads((run / "run.json").read_text())["config"]
    assert re.search(
        r"pairs, 2 composites: expected over true error 1\.00 \(was \d\.\d\d\)", exported.err
    )
    assert "the gate is closed to 3 levels, open from 30 on" in exported.err
    for option, said in (
        (("--gate", "16", "8"), "a lower and a higher error"),
        (("--views", "128,48"), "128, 48 px"),
    ):
        wrong = run_cli("export", run, "--output", folder / "none.onnx", *option)
        assert said in one_line(wrong)
        assert not (folder / "none.onnx").exists()

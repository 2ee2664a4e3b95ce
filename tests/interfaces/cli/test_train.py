import json
import re
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from samelight.interfaces.cli.train import Device, Precision
from samelight.models.session import open_session
from samelight.models.spec import Gate
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


@pytest.mark.lab
def test_train_export_harmonize_and_evaluate_in_a_row(run_cli, refused, folder):
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
    assert "another --out" in refused(other)

    for option, reason in (
        (["--calibrate", folder / "photos"], "networks that predict a correction"),
        (["--gate", "4", "8"], "networks that estimate errors"),
    ):
        assert reason in refused(run_cli("export", run, "--output", model, *option))
        assert not model.exists()

    exported = run_cli("export", run, "--output", model, "--size-px", "64")
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

    evaluated = run_cli("evaluate", model, "--pairs", folder / "pairs", "--out", folder / "scored")
    assert evaluated.code == 0, evaluated.err
    for word in ("identity", str(model), "fMSE / composite", "dark"):
        assert word in evaluated.out
    assert len((folder / "scored" / "scores.csv").read_text().splitlines()) == 1 + 2 * 2


@pytest.mark.lab
def test_export_wants_the_folder_of_a_run(run_cli, refused, folder):
    finished = run_cli("export", folder)
    assert "run.json is missing: wanted the folder of a `samelight train` run" in refused(finished)


BAD_INPUTS = {
    "unknown method": ("moonlight", 'no method "moonlight": choose one of rcl_esf, scs_co, ssh'),
    "unknown configuration": ("giftnet --config huge", "choose one of small, paper"),
    "no photos": ("giftnet --photos nowhere", "no photos under"),
    "no pairs": ("giftnet --pairs nowhere", "nowhere is not a folder"),
    "size that is no multiple": ("giftnet --size-px 100", "100"),
    "unknown precision": ("giftnet --precision loud", "'loud' is not one of 'bf16-mixed'"),
    "unknown device": ("giftnet --device abacus", "'abacus' is not one of 'auto', 'cpu', 'cuda'"),
    "fewer than no workers": ("giftnet --workers -1", "-1 is not in the range x>=0"),
    "empty batch": ("giftnet --batch 0", "0 is not in the range x>=1"),
    "part of nothing": ("giftnet --start-part encoder", "--start-part encoder of which model?"),
}


@pytest.mark.lab
@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_is_wrong_is_said_in_one_line(case, run_cli, refused, folder):
    words, reason = BAD_INPUTS[case]
    finished = run_cli("train", "--photos", "photos", "--out", "run", *QUICK, *words.split())
    assert reason in refused(finished)


@pytest.mark.lab
def test_photos_without_masks_are_refused(run_cli, refused, folder):
    for mask in (folder / "photos" / "masks").iterdir():
        mask.unlink()
    finished = run_cli("train", "giftnet", "--photos", "photos", "--out", "run", *QUICK)
    assert "mask" in refused(finished)


@pytest.mark.lab
def test_a_run_is_not_written_over_a_file(run_cli, refused, folder):
    (folder / "run").write_text("dear diary")
    finished = run_cli("train", "giftnet", "--photos", "photos", "--out", "run", *QUICK)
    assert "choose another --out" in refused(finished)
    assert (folder / "run").read_text() == "dear diary"


@pytest.mark.lab
def test_an_export_ends_as_models_do(run_cli, refused, folder):
    assert "end its name in .onnx" in refused(run_cli("export", "run", "-o", "model.pt"))


@pytest.mark.lab
def test_every_precision_and_device_can_be_chosen():
    from samelight.lab.training import loop

    assert get_args(Precision) == loop.PRECISIONS
    assert get_args(Device) == loop.ACCELERATORS


@pytest.mark.lab
def test_the_gate_is_chosen_at_export(run_cli, refused, folder):
    run = folder / "samelight-run"
    trained = run_cli(
        *("train", "samelight", "--config", "tiny", "--photos", folder / "photos", "--out", run),
        *QUICK,
    )
    assert trained.code == 0, trained.err
    model = folder / "samelight.onnx"
    exported = run_cli("export", run, "--output", model, "--size-px", "64", "--gate", "3", "30")
    assert exported.code == 0, exported.err
    spec = open_session(model).spec
    assert spec.gate == Gate(closed=3, open=30)
    assert spec.configuration == json.loads((run / "run.json").read_text())["config"]
    wrong = run_cli("export", run, "--output", folder / "none.onnx", "--gate", "16", "8")
    assert "a lower and a higher error" in refused(wrong)
    assert not (folder / "none.onnx").exists()

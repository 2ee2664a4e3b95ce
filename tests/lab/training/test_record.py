import dataclasses
import json
from typing import Any

import pytest
import torch

import samelight
from samelight.errors import ModelError, OutputError
from samelight.lab.contract import Recipe, Stage
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.methods import METHODS
from samelight.lab.training import record as record_module
from samelight.lab.training.record import begin_or_resume, read_config, read_record, record_of
from tests.lab.pictures import write_photos

METHOD = METHODS["giftnet"]
SMALL = METHOD.configs["small"]
RECIPE = Recipe(
    stages=(Stage(sizes_px=(128,), images=3000, learning_rate=1e-3, final_learning_rate=1e-4),)
)


@pytest.fixture
def photos(tmp_path):
    return PhotoFolder(write_photos(tmp_path / "data"))


@pytest.fixture
def record(photos):
    return record_of(METHOD, SMALL, RECIPE, photos)


@pytest.mark.parametrize("name", METHODS)
def test_run_json_says_what_is_trained_on_what(tmp_path, photos, name):
    method, run = METHODS[name], tmp_path / "a" / "run"
    for config in method.configs.values():
        record = record_of(method, config, RECIPE, photos, "samelight-m", "backbone")
        run = run / "next"
        begin_or_resume(run, record)
        about = json.loads((run / "run.json").read_text())
        assert about["method"] == name
        assert about["config"] == json.loads(json.dumps(dataclasses.asdict(config)))
        assert about["recipe"] == json.loads(json.dumps(dataclasses.asdict(RECIPE)))
        assert about["photos"] == [
            {"source": "field", "licence": "CC-BY", "photos": 1},
            {"source": "photos", "licence": "not stated", "photos": 1},
            {"source": "zoo", "licence": "CC0", "photos": 1},
        ]
        assert (about["start_from"], about["start_part"]) == ("samelight-m", "backbone")
        assert (about["samelight"], about["torch"]) == (samelight.__version__, torch.__version__)
        assert read_record(run) == record
        assert read_config(method, record.config) == config


def test_a_run_may_go_on_and_its_record_stays(tmp_path, record):
    begin_or_resume(tmp_path / "run", record)
    path = tmp_path / "run" / "run.json"
    before = path.read_text()
    begin_or_resume(tmp_path / "run", dataclasses.replace(record, torch="1.0", machine="abacus"))
    assert path.read_text() == before


def test_a_record_is_written_whole_or_not_at_all(tmp_path, record, monkeypatch):
    def fail(name, content):
        (tmp_path / "run" / name).write_bytes(content[:10])
        raise OSError("the disk is full")

    monkeypatch.setattr(record_module, "_write", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        begin_or_resume(tmp_path / "run", record)
    assert list((tmp_path / "run").iterdir()) == []


CHANGES: dict[str, dict[str, Any]] = {
    "method giftnet, and moonlight": {"method": dataclasses.replace(METHOD, name="moonlight")},
    r"shape.channels \[48, 80, 128, 192\], and \[32, 64, 128, 256\]": {
        "config": METHOD.configs["paper"]
    },
    "batch 32, and 16": {"recipe": dataclasses.replace(RECIPE, batch=16)},
    "seed 0, and 7": {"recipe": dataclasses.replace(RECIPE, seed=7)},
    "stages 1.images 3000, and 320": {
        "recipe": dataclasses.replace(
            RECIPE, stages=(dataclasses.replace(RECIPE.stages[0], images=320),)
        )
    },
    r"stages 1.sizes_px \[128\], and \[64\]": {
        "recipe": dataclasses.replace(
            RECIPE, stages=(dataclasses.replace(RECIPE.stages[0], sizes_px=(64,)),)
        )
    },
    "start_from None, and samelight-m": {"start_from": "samelight-m"},
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_run_of_something_else_is_refused_by_what_differs_and_left_alone(
    tmp_path, photos, record, said
):
    run = tmp_path / "run"
    begin_or_resume(run, record)
    before = (run / "run.json").read_text()
    given = {"method": METHOD, "config": SMALL, "recipe": RECIPE, "photos": photos}
    with pytest.raises(ModelError, match=rf"{run} holds a run with {said} is asked for: .*--out"):
        begin_or_resume(run, record_of(**(given | CHANGES[said])))
    assert (run / "run.json").read_text() == before


def test_a_run_on_other_photos_is_refused(tmp_path, photos, record):
    begin_or_resume(tmp_path / "run", record)
    photos.entries = photos.entries[:-1]
    with pytest.raises(ModelError, match=r"photos of .* 1, and None is asked for"):
        begin_or_resume(tmp_path / "run", record_of(METHOD, SMALL, RECIPE, photos))


def test_a_file_in_the_runs_place_is_refused(tmp_path, record):
    (tmp_path / "run").write_text("dear diary")
    with pytest.raises(OutputError, match="is a file: wanted a folder"):
        begin_or_resume(tmp_path / "run", record)


@pytest.mark.parametrize("text", ["dear diary", "[]", "{}", '{"method": "giftnet"}'])
def test_what_is_no_record_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ModelError, match=r"run\.json is not what `samelight train` writes"):
        read_record(tmp_path)


def test_a_missing_record_says_what_is_wanted(tmp_path):
    with pytest.raises(ModelError, match=r"run\.json is missing: wanted the folder"):
        read_record(tmp_path)


def test_fields_that_nobody_knows_are_not_passed_over(record):
    config = {**record.config, "loss": {**record.config["loss"], "moonlight_weight": 3}}
    with pytest.raises(ModelError, match="loss has moonlight_weight, which giftnet does not know"):
        read_config(METHOD, config)
    with pytest.raises(ModelError, match=r"cannot be read: Expected `int`"):
        read_config(METHOD, {**record.config, "shape": {"blocks": "many"}})

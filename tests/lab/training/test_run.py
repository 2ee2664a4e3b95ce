import json

import pytest
import torch

from samelight.errors import ModelError, PhotoError
from samelight.lab.export import export_network
from samelight.lab.methods import METHODS
from samelight.lab.training import run as training_run
from samelight.lab.training.loop import RunOptions
from samelight.lab.training.request import TrainRequest
from samelight.lab.training.run import method_named, train_run
from tests.lab.pictures import write_photos
from tests.lab.records import seen_at

METHOD = METHODS["rcl_esf"]
OPTIONS = RunOptions(workers=0)


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "data")


def request(photos, run, **changes):
    return TrainRequest(**{"method": METHOD.name, "photos": photos, "run": run, **changes})


def test_names_that_do_not_exist_list_those_that_do(tmp_path):
    with pytest.raises(ModelError, match=rf'no method "moonlight": choose one of .*{METHOD.name}'):
        method_named("moonlight")
    run = tmp_path / "run"
    with pytest.raises(ModelError, match=r'no configuration "huge": choose one of small, paper'):
        train_run(request(tmp_path, run, config="huge"), OPTIONS)
    with pytest.raises(PhotoError, match="no photos"):
        train_run(request(tmp_path, run), OPTIONS)
    assert not run.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_run_can_begin_with_the_weights_of_a_model(tmp_path, photos, monkeypatch):
    network = METHOD.network(METHOD.configs["small"].shape)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model = export_network(network, seen_at(64), METHOD.name, tmp_path / "model.onnx").path
    begun = []

    class Start:
        def __init__(self, objective, *_):
            begun.append(objective.network)

        def fit(self, *_):
            pass

    monkeypatch.setattr(training_run, "Trainer", Start)
    train_run(request(photos, tmp_path / "run", start_from=str(model)), OPTIONS)
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(begun[0].state_dict()[name], wanted), name


def test_another_seed_draws_other_examples(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(training_run.Trainer, "fit", lambda *_: None)
    for name, seed in (("usual", None), ("other", 7)):
        train_run(request(photos, tmp_path / name, seed=seed), OPTIONS)
    seeds = [
        json.loads((tmp_path / name / "run.json").read_text())["recipe"]["seed"]
        for name in ("usual", "other")
    ]
    assert seeds == [METHOD.recipe.seed, 7]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 3}, "seed 0, and 3"),
        ({"batch": 64}, "batch 32, and 64"),
        ({"images": 64}, "images 60000, and 64"),
        ({"size_px": 64}, r"sizes_px \[128\], and \[64\]"),
    ],
    ids=str,
)
def test_a_run_does_not_go_on_as_another(tmp_path, photos, monkeypatch, changes, said):
    monkeypatch.setattr(training_run.Trainer, "fit", lambda *_: None)
    train_run(request(photos, tmp_path / "run"), OPTIONS)
    with pytest.raises(ModelError, match=f"holds a run with .*{said} is asked for"):
        train_run(request(photos, tmp_path / "run", **changes), OPTIONS)
    train_run(request(photos, tmp_path / "run"), OPTIONS)


def test_a_model_that_is_not_there_leaves_no_run(tmp_path, photos):
    run = tmp_path / "run"
    with pytest.raises(ModelError, match="no model named 'moonlight'"):
        train_run(request(photos, run, start_from="moonlight"), OPTIONS)
    assert not run.exists()

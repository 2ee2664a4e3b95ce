import dataclasses
import json

import pytest
import torch

import samelight
from samelight.errors import ModelError, PhotoError, UsageError
from samelight.lab.contract import Recipe, Stage
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.export import export_network
from samelight.lab.methods import METHODS
from samelight.lab.training import run as training_run
from samelight.lab.training.checkpoint import save_weights
from samelight.lab.training.loop import RunOptions
from samelight.lab.training.run import (
    average_runs,
    load_run,
    method_named,
    resized_recipe,
    scaled_recipe,
    train_run,
    write_run,
)
from tests.lab.pictures import write_photos

METHOD = next(iter(METHODS.values()))
RECIPE = Recipe(
    stages=(
        Stage(sizes_px=(128,), images=3000, learning_rate=1e-3, final_learning_rate=1e-4),
        Stage(sizes_px=(192,), images=1000, learning_rate=5e-4, final_learning_rate=0.0),
    ),
    batch=10,
)


@pytest.fixture
def photos(tmp_path):
    return PhotoFolder(write_photos(tmp_path / "data"))


def test_run_json_says_what_is_trained_on_what(tmp_path, photos):
    write_run(tmp_path / "a" / "run", METHOD, METHOD.configs["small"], RECIPE, photos)
    about = json.loads((tmp_path / "a" / "run" / "run.json").read_text())
    assert about["method"] == METHOD.name
    small = METHOD.configs["small"]
    assert about["config"] == json.loads(json.dumps(dataclasses.asdict(small)))
    assert [stage["images"] for stage in about["recipe"]["stages"]] == [3000, 1000]
    assert about["photos"] == [
        {"source": "field", "licence": "CC-BY", "photos": 1},
        {"source": "photos", "licence": "not stated", "photos": 1},
        {"source": "zoo", "licence": "CC0", "photos": 1},
    ]
    assert about["samelight"] == samelight.__version__
    assert about["torch"] == torch.__version__


def test_the_same_configuration_may_go_on(tmp_path, photos):
    for _ in range(2):
        write_run(tmp_path / "run", METHOD, METHOD.configs["small"], RECIPE, photos)


def test_where_a_run_began_is_kept_when_it_goes_on(tmp_path, photos):
    for begun in (("giftnet.photos-384", "encoder"), ()):
        write_run(tmp_path / "run", METHOD, METHOD.configs["small"], RECIPE, photos, *begun)
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (about["start_from"], about["start_part"]) == ("giftnet.photos-384", "encoder")


@pytest.mark.parametrize("other", ["configuration", "method"])
def test_a_run_of_something_else_is_refused_and_left_alone(tmp_path, photos, other):
    run = tmp_path / "run"
    write_run(run, METHOD, METHOD.configs["small"], RECIPE, photos)
    before = (run / "run.json").read_text()
    method, config = METHOD, METHOD.configs["small"]
    if other == "configuration":
        config = METHOD.configs["paper"]
    else:
        method = dataclasses.replace(METHOD, name="moonlight")
    with pytest.raises(ModelError, match=rf"{run} holds a run .*choose another --out"):
        write_run(run, method, config, RECIPE, photos)
    assert (run / "run.json").read_text() == before


def test_a_scaled_recipe_keeps_its_proportions_in_whole_batches():
    scaled = scaled_recipe(RECIPE, 400)
    assert [stage.images for stage in scaled.stages] == [300, 100]
    assert [stage.images for stage in scaled_recipe(RECIPE, 450).stages] == [340, 110]
    assert [stage.images for stage in scaled_recipe(RECIPE, 10).stages] == [10, 10]
    assert dataclasses.replace(scaled, stages=RECIPE.stages) == RECIPE


def test_a_resized_recipe_changes_nothing_but_the_size():
    resized = resized_recipe(RECIPE, 64)
    assert [stage.sizes_px for stage in resized.stages] == [(64,), (64,)]
    assert [stage.images for stage in resized.stages] == [3000, 1000]


def test_names_that_do_not_exist_list_those_that_do(tmp_path):
    with pytest.raises(ModelError, match=rf'no method "moonlight": choose one of .*{METHOD.name}'):
        method_named("moonlight")
    options = RunOptions(workers=0)
    with pytest.raises(ModelError, match=r'no configuration "huge": choose one of small, paper'):
        train_run(METHOD.name, "huge", tmp_path, tmp_path / "run", options)
    with pytest.raises(PhotoError, match="no photos"):
        train_run(METHOD.name, "small", tmp_path, tmp_path / "run", options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("config_name", ["small", "paper"])
def test_load_run_rebuilds_the_network(tmp_path, photos, config_name):
    config = METHOD.configs[config_name]
    write_run(tmp_path, METHOD, config, RECIPE, photos)
    torch.manual_seed(1)
    network = METHOD.network(config)
    save_weights(tmp_path / "weights.safetensors", network)
    torch.manual_seed(2)
    method, loaded = load_run(tmp_path)
    assert method is METHOD
    assert not loaded.training
    assert loaded.traits == network.traits
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_run_may_be_shown_another_size(tmp_path, photos):
    config = METHOD.configs["small"]
    write_run(tmp_path, METHOD, config, RECIPE, photos)
    save_weights(tmp_path / "weights.safetensors", METHOD.network(config))
    step = METHOD.network(config).traits.multiple_of
    assert load_run(tmp_path, 3 * step)[1].traits.size_px == 3 * step
    with pytest.raises(UsageError, match=f"choose a multiple of {step}"):
        load_run(tmp_path, 3 * step + 1)


def test_several_runs_are_averaged(tmp_path, photos):
    config, runs, states = METHOD.configs["small"], [], []
    for number in range(2):
        runs.append(tmp_path / str(number))
        write_run(runs[-1], METHOD, config, RECIPE, photos)
        torch.manual_seed(number)
        network = METHOD.network(config)
        save_weights(runs[-1] / "weights.safetensors", network)
        states.append(network.state_dict())
    method, averaged = average_runs(runs)
    assert method is METHOD
    for name, value in averaged.state_dict().items():
        torch.testing.assert_close(value, (states[0][name] + states[1][name]) / 2)
    paper = METHOD.configs["paper"]
    write_run(tmp_path / "paper", METHOD, paper, RECIPE, photos)
    save_weights(tmp_path / "paper" / "weights.safetensors", METHOD.network(paper))
    with pytest.raises(UsageError, match="not shaped as that of"):
        average_runs([*runs, tmp_path / "paper"])


@pytest.mark.parametrize("missing", ["run.json", "weights.safetensors"])
def test_load_run_names_what_is_missing(tmp_path, photos, missing):
    write_run(tmp_path, METHOD, METHOD.configs["small"], RECIPE, photos)
    save_weights(tmp_path / "weights.safetensors", torch.nn.Linear(1, 1))
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match=rf"{missing} is missing: wanted the folder"):
        load_run(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_run_can_begin_with_the_weights_of_a_model(tmp_path, photos, monkeypatch):
    network = METHOD.network(dataclasses.replace(METHOD.configs["small"], size_px=64))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model = export_network(network, METHOD.name, tmp_path / "model.onnx").path
    begun = []

    class Start:
        def __init__(self, objective, *_):
            begun.append(objective.network)

        def fit(self, *_):
            pass

    monkeypatch.setattr(training_run, "Trainer", Start)
    run, options = tmp_path / "run", RunOptions(workers=0)
    train_run(METHOD.name, "small", tmp_path / "data", run, options, start_from=str(model))
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(begun[0].state_dict()[name], wanted), name


def test_another_seed_draws_other_examples(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(training_run.Trainer, "fit", lambda *_: None)
    options = RunOptions(workers=0)
    for name, seed in (("usual", None), ("other", 7)):
        train_run(METHOD.name, "small", tmp_path / "data", tmp_path / name, options, seed=seed)
    seeds = [
        json.loads((tmp_path / name / "run.json").read_text())["recipe"]["seed"]
        for name in ("usual", "other")
    ]
    assert seeds == [METHOD.recipe.seed, 7]


def test_a_model_that_is_not_there_leaves_no_run(tmp_path, photos):
    run, options = tmp_path / "run", RunOptions(workers=0)
    with pytest.raises(ModelError, match="no model named 'moonlight'"):
        train_run(METHOD.name, "small", tmp_path / "data", run, options, start_from="moonlight")
    assert not run.exists()

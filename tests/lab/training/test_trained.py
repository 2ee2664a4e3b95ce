from dataclasses import replace

import pytest
import torch

from samelight.errors import ModelError, UsageError
from samelight.lab.contract import Recipe, Stage
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.methods import METHODS
from samelight.lab.training.checkpoint import save_weights
from samelight.lab.training.record import begin_or_resume, read_record, record_of
from samelight.lab.training.trained import load_runs
from tests.lab.pictures import write_photos

METHOD = METHODS["rcl_esf"]
RECIPE = Recipe(
    stages=(Stage(sizes_px=(128,), images=3000, learning_rate=1e-3, final_learning_rate=1e-4),)
)


@pytest.fixture
def photos(tmp_path):
    return PhotoFolder(write_photos(tmp_path / "data"))


def write_run(run, photos, config="small", seed=0, start_from=None):
    """A finished run's files; returns its weights."""
    recipe, configured = replace(RECIPE, seed=seed), METHOD.configs[config]
    begin_or_resume(run, record_of(METHOD, configured, recipe, photos, start_from))
    torch.manual_seed(seed)
    network = METHOD.network(configured.shape)
    save_weights(run / "weights.safetensors", network)
    return network.state_dict()


@pytest.mark.parametrize("config", METHOD.configs)
def test_a_runs_network_is_rebuilt_and_used_as_it_was_meant_to_be(tmp_path, photos, config):
    weights = write_run(tmp_path / "run", photos, config)
    trained = load_runs([tmp_path / "run"])
    assert trained.method == METHOD.name
    assert trained.use == METHOD.configs[config].use
    assert not trained.network.training
    for name, value in weights.items():
        assert torch.equal(trained.network.state_dict()[name], value)


def test_the_mean_of_several_runs_tells_of_all_of_them(tmp_path, photos):
    runs = [tmp_path / "first", tmp_path / "second"]
    first = write_run(runs[0], photos)
    photos.entries = photos.entries[:1]
    second = write_run(runs[1], photos, seed=5, start_from="samelight-m")
    trained = load_runs(runs)
    for name, value in trained.network.state_dict().items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)
    records = [read_record(run) for run in runs]
    for training, record in zip(trained.trainings, records, strict=True):
        assert (training.configuration, training.recipe) == (record.config, record.recipe)
        assert training.started_from == record.start_from
        assert len(training.data) == len(record.photos)
    assert [training.recipe["seed"] for training in trained.trainings] == [0, 5]
    assert trained.trainings[1].data == ("zoo: 1 photos, CC0",)


def test_networks_of_different_shapes_have_no_mean(tmp_path, photos):
    write_run(tmp_path / "small", photos)
    write_run(tmp_path / "paper", photos, "paper")
    with pytest.raises(UsageError, match="not shaped as that of"):
        load_runs([tmp_path / "small", tmp_path / "paper"])


@pytest.mark.parametrize("missing", ["run.json", "weights.safetensors"])
def test_what_is_missing_is_named(tmp_path, photos, missing):
    write_run(tmp_path / "run", photos)
    (tmp_path / "run" / missing).unlink()
    with pytest.raises(ModelError, match=rf"{missing} is missing: wanted the folder"):
        load_runs([tmp_path / "run"])

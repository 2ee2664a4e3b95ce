import json
from dataclasses import asdict, replace

import pytest
import torch

from samelight.errors import ModelError
from samelight.lab.former import as_todays_run, parameter_name
from samelight.lab.methods import METHODS
from samelight.lab.methods.samelight import SAMELIGHT
from samelight.lab.methods.samelight.network import Samelight
from samelight.lab.training.checkpoint import save_weights
from samelight.lab.training.record import read_config
from samelight.lab.training.start import start_from_model
from samelight.lab.training.trained import load_runs
from samelight.models.registry import find_model
from samelight.models.spec import Gate, View

TINY = SAMELIGHT.configs["tiny"]
SHAPE = replace(TINY.shape, pretrained=False)
OLD_CONFIG = {
    **asdict(SHAPE),
    "squared_weight": 12.0,
    "absolute_weight": 0.0,
    "fuse": "none",
    "mirrored": True,
    "restraint": [1.0, 20.0],
    "size_px": 256,
    "compare_px": 64,
    "untouched": 0.125,
    "doubt_weight": 0.1,
    "relation_weight": 0.0,
    "region_contrast_weight": 0.0,
    "style_contrast_weight": 0.0,
}
"""As version 0.1 wrote it."""
OLD_RUN = {
    "method": "house",
    "config": OLD_CONFIG,
    "recipe": {
        "batch": 32,
        "pretrained_pace": 0.2,
        "stages": [{"size_px": 128, "images": 9}, {"size_px": 256, "sizes": [192, 256]}],
    },
    "photos": [{"source": "zoo", "licence": "CC0", "photos": 2}],
    "start_from": "house.photos-m",
    "start_part": "backbone",
    "samelight": "0.1.0",
    "torch": "2.13.0",
    "machine": "x86_64",
}


def test_parameters_of_earlier_versions_have_a_name_today():
    assert parameter_name("trunk.stem.0.weight") == "backbone.stem.0.weight"
    assert parameter_name("network.doubt.0.bias") == "network.error_head.0.bias"
    assert parameter_name("head.weight") == "head.weight"


def test_training_starts_from_what_was_exported_earlier():
    path, _ = find_model("samelight-s")
    network = Samelight(SHAPE)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start_from_model(network, "samelight", path)
    after = network.state_dict()
    for part in ("backbone.", "error_head.", "head."):
        names = [n for n in after if n.startswith(part) and n.endswith("weight")]
        assert any(not torch.equal(after[name], before[name]) for name in names)


def write_as_before(path, network):
    """Weights under the names that they had."""
    save_weights(path, network)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    old = {
        name.replace("backbone.", "trunk.").replace("error_head.", "doubt."): place
        for name, place in header.items()
    }
    coded = json.dumps(old).encode()
    path.write_bytes(len(coded).to_bytes(8, "little") + coded + content[8 + size :])


def test_a_run_of_an_earlier_version_is_read(tmp_path):
    network = Samelight(SHAPE)
    write_as_before(tmp_path / "weights.safetensors", network)
    (tmp_path / "run.json").write_text(json.dumps(OLD_RUN))
    trained = load_runs([tmp_path])
    assert trained.method == "samelight"
    assert trained.use.views == (View(size_px=256), View(size_px=256, flip=True))
    assert trained.use.gate == Gate(closed=1.0, open=20.0)
    for name, value in network.state_dict().items():
        assert torch.equal(trained.network.state_dict()[name], value)
    (training,) = trained.trainings
    assert training.started_from == "samelight-m, its backbone alone"
    assert training.recipe == {
        "batch": 32,
        "pretrained_learning_rate_scale": 0.2,
        "stages": [{"sizes_px": [128], "images": 9}, {"sizes_px": [192, 256]}],
    }
    # It tells what is known, and no defaults of today's.
    assert training.configuration["examples"] == {"untouched": 0.125}
    assert training.configuration["loss"]["error_weight"] == 0.1


@pytest.mark.parametrize(
    ("method", "flat", "wanted"),
    [
        ("scs_co", {"negatives": 5, "critic_size_px": None}, {"negatives": 4}),
        ("ssh", {"luts": 100, "size_px": 256}, {"luts": 100}),
    ],
)
def test_the_published_methods_runs_are_read_too(method, flat, wanted):
    about = {**OLD_RUN, "method": method, "config": {"size_px": 128, **flat}}
    config = as_todays_run(about)["config"]
    assert config["examples"] == wanted
    assert read_config(METHODS[method], config).use.size_px == flat.get("size_px", 128)


@pytest.mark.parametrize("changes", [{"fuse": "esf"}, {"relation_weight": 0.1}, {"moon": 1}])
def test_what_is_no_longer_there_is_not_passed_over(changes):
    about = {**OLD_RUN, "config": OLD_CONFIG | changes}
    (name,) = changes
    with pytest.raises(ModelError, match=f"trained with {name} .*, which is no longer there"):
        as_todays_run(about)

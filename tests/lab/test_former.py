import json
from dataclasses import asdict, replace

import torch

from samelight.lab.export import start_from_exported
from samelight.lab.former import parameter_name
from samelight.lab.methods.samelight import SAMELIGHT, Samelight
from samelight.lab.training.checkpoint import save_weights
from samelight.lab.training.run import load_run
from samelight.models.registry import find_model

CONFIG = replace(SAMELIGHT.configs["tiny"], pretrained=False)


def test_parameters_of_earlier_versions_have_a_name_today():
    assert parameter_name("trunk.stem.0.weight") == "backbone.stem.0.weight"
    assert parameter_name("network.doubt.0.bias") == "network.error_head.0.bias"
    assert parameter_name("head.weight") == "head.weight"


def test_training_starts_from_what_was_exported_earlier():
    path, _ = find_model("samelight-s")
    network = Samelight(CONFIG)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start_from_exported(network, path)
    after = network.state_dict()
    for part in ("backbone.", "error_head.", "head."):
        names = [n for n in after if n.startswith(part) and n.endswith("weight")]
        assert any(not torch.equal(after[name], before[name]) for name in names)


def test_a_run_of_an_earlier_version_is_read(tmp_path):
    network = Samelight(CONFIG)
    save_weights(tmp_path / "today.safetensors", network)
    content = (tmp_path / "today.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    old = {
        name.replace("backbone.", "trunk.").replace("error_head.", "doubt."): place
        for name, place in header.items()
    }
    coded = json.dumps(old).encode()
    earlier = len(coded).to_bytes(8, "little") + coded + content[8 + size :]
    (tmp_path / "weights.safetensors").write_bytes(earlier)
    config = asdict(CONFIG)
    config["mirrored"], config["doubt_weight"] = config.pop("flip"), config.pop("error_weight")
    (tmp_path / "run.json").write_text(json.dumps({"method": "house", "config": config}))
    method, found = load_run(tmp_path)
    assert method is SAMELIGHT
    for name, value in network.state_dict().items():
        assert torch.equal(found.state_dict()[name], value)

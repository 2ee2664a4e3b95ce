import torch

from samelight.lab.training.checkpoint import (
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from samelight.lab.training.ema import MovingAverage
from samelight.lab.training.optim import make_optimizer
from tests.lab.tiny import TinyNetwork, TinyObjective, state_of, tiny_recipe


def trained(seed):
    """An objective, its optimizer after one step, and the average."""
    torch.manual_seed(seed)
    objective = TinyObjective(TinyNetwork())
    optimizer = make_optimizer(objective, tiny_recipe(8))
    optimizer.param_groups[0]["lr"] = 0.1 * seed
    average = MovingAverage(objective.network, 0.9)
    image, mask = torch.rand(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    objective.network(image, mask).sum().backward()
    optimizer.step()
    average.update(objective.network)
    return objective, optimizer, average


def test_everything_comes_back(tmp_path):
    objective, optimizer, average = trained(1)
    save_checkpoint(tmp_path, objective, optimizer, average, 640)
    other, other_optimizer, other_average = trained(2)
    other_average.steps = 5
    assert load_checkpoint(tmp_path, other, other_optimizer, other_average) == 640
    for name, value in objective.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    for name, value in average.network.state_dict().items():
        assert torch.equal(other_average.network.state_dict()[name], value)
    assert other_average.steps == 1
    moments = optimizer.state_dict()["state"]
    for key, state in other_optimizer.state_dict()["state"].items():
        assert torch.equal(state["exp_avg"], moments[key]["exp_avg"])
    assert other_optimizer.param_groups[0]["lr"] == 0.1


def test_the_weights_beside_it_are_the_averaged_ones(tmp_path):
    objective, optimizer, average = trained(1)
    save_checkpoint(tmp_path, objective, optimizer, average, 640)
    stored = state_of(tmp_path / "weights.safetensors")
    assert torch.equal(stored["mix.weight"], average.network.mix.weight)
    assert not torch.equal(stored["mix.weight"], objective.network.mix.weight)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint.pt",
        "weights.safetensors",
    ]


def test_weights_of_any_memory_format_come_back(tmp_path):
    network, other = TinyNetwork(), TinyNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_weights(tmp_path / "w.safetensors", network)
    load_weights(tmp_path / "w.safetensors", other)
    assert torch.equal(network.mix.weight, other.mix.weight)
    assert torch.equal(network.mix.bias, other.mix.bias)

import pytest
import torch
from torch import nn

from samelight.lab.training.ema import MovingAverage


class Counted(nn.Module):
    count: torch.Tensor

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))
        self.register_buffer("count", torch.tensor(0))


def test_the_first_steps_forget_the_start():
    network = Counted(0.0)
    average = MovingAverage(network, decay=0.5)
    wanted = 0.0
    # (1 + n) / (10 + n) of the past, never more than the decay: 2/11, 3/12, ..., 0.5
    for step, decay in enumerate(
        [2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17, 0.5, 0.5]
    ):
        value = float(step + 1)
        with torch.no_grad():
            network.weight.fill_(value)
        average.update(network)
        wanted = decay * wanted + (1 - decay) * value
        assert float(average.network.weight) == pytest.approx(wanted)
    assert average.steps == 9


def test_the_copy_is_apart_and_is_not_trained():
    network = Counted(1.0).train()
    average = MovingAverage(network, decay=0.9)
    with torch.no_grad():
        network.weight.fill_(5.0)
    assert float(average.network.weight) == 1
    assert not average.network.weight.requires_grad
    assert not average.network.training
    assert network.training
    assert network.weight.requires_grad


def test_whole_numbers_are_copied_not_averaged():
    network = Counted(0.0)
    average = MovingAverage(network, decay=0.9)
    network.count += 7
    average.update(network)
    assert average.network.count == 7

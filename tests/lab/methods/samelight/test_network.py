"""What is the samelight network's own; what every method must do is in tests/contract."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samelight.lab.contract import ErrorMap
from samelight.lab.methods.samelight import SAMELIGHT
from samelight.lab.methods.samelight.config import SamelightShape
from samelight.lab.methods.samelight.network import Samelight

SHAPE = SamelightShape(width=16, blocks=1, heads=2, code_width=16, pretrained=False)
SIZE = 32


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def awake(shape=SHAPE):
    network = Samelight(shape)
    nn.init.normal_(network.head.weight, std=0.05)
    nn.init.normal_(network.head.bias, std=0.05)
    return network.eval()


def picture(images=2, size=SIZE):
    mask = torch.zeros(images, 1, size, size)
    mask[..., size // 4 : size // 2, size // 8 : size // 2] = 1
    return torch.rand(images, 3, size, size), mask


def test_the_tiny_network_has_less_than_a_million_parameters():
    network = Samelight(replace(SAMELIGHT.configs["tiny"].shape, pretrained=False))
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000


@torch.no_grad()
@pytest.mark.parametrize(
    "changes",
    [{}, {"stages": 4}, {"stages": 3}, {"blocks": 0}, {"bins": 0}, {"guided": False}],
    ids=str,
)
def test_each_part_can_be_left_out(changes):
    network, (composite, mask) = awake(replace(SHAPE, **changes)), picture()
    coefficients = network.predict(composite, mask).coefficients
    assert coefficients.shape == (2, 12, 1, 1)
    # What is left still sees both regions.
    for region in (mask, 1 - mask):
        other = network.predict(composite * (1 - region) + 0.5 * region, mask).coefficients
        assert (other - coefficients).abs().max() > 1e-4


@torch.no_grad()
def test_calibrated_it_expects_what_the_maps_make_of_its_errors_and_does_the_same():
    network, given = awake(), picture()
    before = network.predict(*given)
    network.calibrate((ErrorMap(slope=0.5, offset=1.0), ErrorMap(slope=1.0, offset=-0.25)))
    after = network.predict(*given)
    torch.testing.assert_close(after.coefficients, before.coefficients)
    wanted = torch.stack(
        [torch.e * before.errors[:, 0] ** 0.5, torch.e**-0.25 * before.errors[:, 1]], dim=1
    )
    torch.testing.assert_close(after.errors, wanted)


@torch.no_grad()
def test_training_leaves_out_other_numbers_at_every_step_and_use_none():
    network, given = awake(), picture()
    used = [network.predict(*given).coefficients for _ in range(2)]
    network.train()
    trained = [network.predict(*given).coefficients for _ in range(2)]
    assert torch.equal(*used)
    assert not torch.allclose(*trained)

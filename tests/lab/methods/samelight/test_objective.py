"""What is the samelight objective's own; what every method must do is in tests/contract."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samelight.lab.contract import Batch
from samelight.lab.losses.pixel import foreground_squared_error
from samelight.lab.methods.samelight.config import SamelightLoss, SamelightShape
from samelight.lab.methods.samelight.network import Samelight
from samelight.lab.methods.samelight.objective import SamelightObjective, levels_off

LOSS = SamelightLoss()
SIZE = 32


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def network():
    shape = SamelightShape(width=16, blocks=1, heads=2, code_width=16, pretrained=False)
    network = Samelight(shape).eval()
    nn.init.normal_(network.head.weight, std=0.05)
    return network


def batch(images=2, size=SIZE):
    mask = torch.zeros(images, 1, size, size)
    mask[..., size // 4 : size // 2, size // 8 : size // 2] = 1
    return Batch(torch.rand(images, 3, size, size), torch.rand(images, 3, size, size), mask)


def test_the_loss_is_the_mean_square_of_pictures_averaged_down(network):
    loss = replace(LOSS, compare_px=SIZE // 2, squared_weight=2.0, error_weight=0.0)
    examples = batch()
    losses = SamelightObjective(network, loss)(examples)
    with torch.no_grad():
        image = network.trace(examples.composite, examples.mask).image
        # Whole blocks of two are all in or all out of this mask: averaging commutes exactly.
        small = [nn.functional.avg_pool2d(x, 2) for x in (image, *examples[1:])]
        wanted = 2 * foreground_squared_error(*small)
    torch.testing.assert_close(losses.total, wanted)


def test_levels_off_is_the_error_inside_the_mask():
    _, real, mask = batch(images=1)
    image = real + mask * torch.tensor([0.3, 0.0, 0.0])[None, :, None, None] + (1 - mask) * 0.5
    wanted = 255 * 0.3 / 3**0.5
    torch.testing.assert_close(levels_off(image, real, mask), torch.tensor([wanted]))


def test_the_error_head_learns_both_errors_and_teaches_the_network_to_see_them(network):
    objective = SamelightObjective(network, replace(LOSS, squared_weight=0.0, error_weight=1.0))
    examples = batch(images=4)
    before = objective(examples)
    before.total.backward()
    assert network.place.weight.grad.abs().max() > 0
    assert not network.head.weight.grad.any()
    optimizer = torch.optim.Adam(network.error_head.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        objective(examples).total.backward()
        optimizer.step()
    assert objective(examples).total < 0.5 * before.total


@torch.no_grad()
def test_the_error_head_is_told_of_the_composite_and_of_the_output(network):
    examples = batch(images=4)
    image = network(examples.composite, examples.mask)
    true = [levels_off(picture, *examples[1:]) for picture in (examples.composite, image)]
    objective = SamelightObjective(network, replace(LOSS, compare_px=SIZE))
    errors = network.predict(examples.composite, examples.mask).errors
    wanted = (errors.log1p() - torch.stack(true, dim=1).log1p()).square().mean()
    torch.testing.assert_close(objective(examples).terms["error"], wanted)

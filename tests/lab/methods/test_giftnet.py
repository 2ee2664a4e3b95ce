"""What is GiftNet's own; what every method must do is in tests/contract."""

import pytest
import torch

from samelight.lab.contract import Batch
from samelight.lab.losses.relation import relation_distance
from samelight.lab.methods.giftnet import GiftNet, GiftNetLoss, GiftNetObjective, GiftNetShape
from tests.lab.records import changed

SHAPE, LOSS = GiftNetShape(channels=(8, 16), blocks=1, code_width=8), GiftNetLoss()


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def batch():
    composite, real = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    return Batch(composite, composite + mask * (real - composite), mask)


def objective(**changes):
    shape, loss = changed((SHAPE, LOSS), **changes)
    return GiftNetObjective(GiftNet(shape), loss)


def unsettle(network):
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)


def test_relation_distillation_begins_when_it_should():
    trained, examples = objective(relation_after_steps=2), batch()
    terms = []
    for _ in range(4):
        terms.append(float(trained(examples).terms["relation"].detach()))
        trained.after_step()
    assert terms[0] == terms[1] == 0
    assert terms[2] > 0
    assert terms[3] > 0


def test_a_resumed_objective_knows_how_far_it_is():
    trained, resumed = objective(relation_after_steps=1), objective(relation_after_steps=1)
    trained.after_step()
    resumed.load_state_dict(trained.state_dict())
    assert resumed(batch()).terms["relation"] > 0


def test_without_a_weight_the_teacher_is_not_asked():
    trained = objective(relation_weight=0.0, relation_after_steps=0)
    seen = []
    trained.network.unet.stem.register_forward_hook(lambda *_: seen.append(1))
    assert trained(batch()).terms["relation"] == 0
    assert len(seen) == 1


def test_the_total_is_the_weighted_sum():
    trained = objective(squared_weight=3.0, absolute_weight=0.5, relation_weight=0.25)
    trained.steps += 10_000
    total, terms = trained(batch())
    wanted = 3 * terms["squared"] + 0.5 * terms["absolute"] + 0.25 * terms["relation"]
    torch.testing.assert_close(total, wanted)
    assert all(terms[name] > 0 for name in ("squared", "absolute", "relation"))


def test_the_teacher_is_the_same_encoder_on_the_real_image():
    trained, examples = objective(relation_after_steps=0), batch()
    network = trained.network
    unsettle(network)
    with torch.no_grad():
        student = network.trace(examples.composite, examples.mask).features["transformed"]
        teacher = network.unet.encode(examples.real, examples.mask)
    wanted = relation_distance(student, teacher, examples.mask)
    torch.testing.assert_close(trained(examples).terms["relation"].detach(), wanted)


def test_only_the_student_is_taught():
    trained, examples = objective(relation_after_steps=0), batch()
    unsettle(trained.network)
    real = examples.real.clone().requires_grad_()
    # The pixel terms look at the real image too; the relation alone must not reach it.
    trained(examples._replace(real=real)).terms["relation"].backward()
    assert real.grad is None
    assert trained.network.unet.stem[0].weight.grad.abs().max() > 0


@pytest.mark.parametrize("transform", ["affine", "modulated"])
@pytest.mark.parametrize("code_pool", ["global", "regions"])
@pytest.mark.parametrize("global_map", [False, True])
def test_every_reading_trains(transform, code_pool, global_map):
    trained = objective(
        transform=transform, code_pool=code_pool, global_map=global_map, relation_after_steps=0
    )
    unsettle(trained.network)
    trained(batch()).total.backward()
    for name, parameter in trained.network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_global_map_moves_the_foreground_as_one():
    network = GiftNet(SHAPE)
    with torch.no_grad():
        network.global_map.coefficients.bias[9] = 0.1  # a little more red
    composite, mask = torch.full((1, 3, 32, 32), 0.5), torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1
    image = network(composite, mask)
    torch.testing.assert_close(image[0, :, 5, 5], torch.tensor([0.6, 0.5, 0.5]))
    assert torch.equal(image[..., 16:], composite[..., 16:])

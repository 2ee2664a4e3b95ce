"""What is the samelight network's own; what every method must do is in tests/contract."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samelight.lab.contract import Batch
from samelight.lab.losses.pixel import foreground_squared_error
from samelight.lab.methods.samelight import (
    SAMELIGHT,
    Samelight,
    SamelightConfig,
    SamelightObjective,
    levels_off,
)

CONFIG = SamelightConfig(
    width=16,
    blocks=1,
    heads=2,
    code_width=16,
    pretrained=False,
    flip=False,
    size_px=32,
)
SIZE = 32


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def awake(network):
    nn.init.normal_(network.head.weight, std=0.05)
    return network.eval()


def batch(images=2, size=SIZE):
    mask = torch.zeros(images, 1, size, size)
    mask[..., size // 4 : size // 2, size // 8 : size // 2] = 1
    return Batch(torch.rand(images, 3, size, size), torch.rand(images, 3, size, size), mask)


def test_the_tiny_network_has_less_than_a_million_parameters():
    network = Samelight(replace(SAMELIGHT.configs["tiny"], pretrained=False))
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000


@torch.no_grad()
@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"stages": 4}, {"stages": 3}, {"blocks": 0}, {"bins": 0}, {"guided": False}),
        *({"fuse": fuse} for fuse in ("esf", "bain", "rain")),
    ],
    ids=str,
)
def test_each_part_can_be_left_out_or_put_in(changes):
    network = awake(Samelight(replace(CONFIG, **changes)))
    composite, _, mask = batch()
    coefficients = network.predict(composite, mask).coefficients
    assert coefficients.shape == (2, 12, 1, 1)
    # What is left still sees both regions.
    for region in (mask, 1 - mask):
        other = network.predict(composite * (1 - region) + 0.5 * region, mask).coefficients
        assert (other - coefficients).abs().max() > 1e-4


def test_the_loss_is_the_mean_square_of_pictures_averaged_down():
    network = awake(Samelight(CONFIG))
    config = replace(CONFIG, compare_px=SIZE // 2, squared_weight=2.0, error_weight=0.0)
    objective = SamelightObjective(network, config)
    examples = batch()
    losses = objective(examples)
    with torch.no_grad():
        image = network.trace(examples.composite, examples.mask).image
        # Whole blocks of two are all in or all out of this mask: averaging commutes exactly.
        small = [torch.nn.functional.avg_pool2d(x, 2) for x in (image, *examples[1:])]
        wanted = 2 * foreground_squared_error(*small)
    torch.testing.assert_close(losses.total, wanted)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fuse": "glue"}, 'fuse is "glue"'),
        ({"fuse": "esf", "blocks": 0}, "at least one layer"),
    ],
)
def test_a_configuration_that_could_do_nothing_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        Samelight(replace(CONFIG, **changes))


@torch.no_grad()
def test_the_fusion_replaces_the_foregrounds_statistics():
    network = Samelight(replace(CONFIG, fuse="esf"))
    tokens, given = torch.randn(1, 16, 4, 4), 3 + torch.randn(1, 16, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2, :] = 1
    fused = network.fuse(tokens, given, mask)
    torch.testing.assert_close(
        fused[..., :2, :].mean(dim=(2, 3)), given[..., 2:, :].mean(dim=(2, 3)), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize(
    ("weight", "term"),
    [
        ("relation_weight", "relation"),
        ("region_contrast_weight", "region"),
        ("style_contrast_weight", "style"),
    ],
)
def test_a_published_term_is_added_by_its_weight_and_teaches_the_network(weight, term):
    plain = replace(CONFIG, dropout=0.0, squared_weight=0.0, error_weight=0.0)
    config = replace(plain, **{weight: 0.25})
    network, examples = awake(Samelight(config)), batch()
    losses = SamelightObjective(network, config)(examples)
    assert term not in SamelightObjective(network, plain)(examples).terms
    torch.testing.assert_close(losses.total, 0.25 * losses.terms[term])
    losses.total.backward()
    taught = network.head if term != "relation" else network.place
    assert taught.weight.grad.abs().max() > 0


@torch.no_grad()
@pytest.mark.parametrize(
    ("weight", "term"), [("relation_weight", "relation"), ("style_contrast_weight", "style")]
)
def test_a_published_term_is_0_where_the_composite_is_the_real_image(weight, term):
    config = replace(CONFIG, **{weight: 1.0})
    examples = batch()
    same = examples._replace(composite=examples.real)
    # Asleep: the head that starts at zero changes nothing.
    objective = SamelightObjective(Samelight(config).eval(), config)
    assert float(objective(same).terms[term]) == pytest.approx(0, abs=1e-6)
    assert float(objective(examples).terms[term]) > 1e-4


def test_levels_off_is_the_error_inside_the_mask():
    _, real, mask = batch(images=1)
    image = real + mask * torch.tensor([0.3, 0.0, 0.0])[None, :, None, None] + (1 - mask) * 0.5
    wanted = 255 * 0.3 / 3**0.5
    torch.testing.assert_close(levels_off(image, real, mask), torch.tensor([wanted]))


def test_the_error_head_learns_both_errors_and_teaches_the_network_to_see_them():
    network = awake(Samelight(CONFIG))
    objective = SamelightObjective(network, replace(CONFIG, squared_weight=0.0, error_weight=1.0))
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
def test_the_error_head_is_told_of_the_composite_and_of_the_output():
    network = awake(Samelight(CONFIG))
    examples = batch(images=4)
    image = network(examples.composite, examples.mask)
    true = [levels_off(picture, *examples[1:]) for picture in (examples.composite, image)]
    objective = SamelightObjective(network, replace(CONFIG, compare_px=SIZE))
    errors = network.predict(examples.composite, examples.mask).errors
    wanted = (errors.log1p() - torch.stack(true, dim=1).log1p()).square().mean()
    torch.testing.assert_close(objective(examples).terms["error"], wanted)


@torch.no_grad()
def test_in_use_it_takes_the_mean_of_the_picture_and_its_mirror_image():
    network = awake(Samelight(replace(CONFIG, flip=True)))
    once = awake(Samelight(CONFIG))
    once.load_state_dict(network.state_dict())
    composite, _, mask = batch()
    looks = [once.predict(composite, mask), once.predict(composite.flip(3), mask.flip(3))]
    assert (looks[0].coefficients - looks[1].coefficients).abs().max() > 1e-4
    found = network.predict(composite, mask)
    for part, *two in zip(found, *looks, strict=True):
        torch.testing.assert_close(part, (two[0] + two[1]) / 2)
    # The smaller network, which is to be quick, looks once.
    assert SAMELIGHT.configs["small"].flip
    assert not SAMELIGHT.configs["tiny"].flip


def test_examples_are_made_as_configured():
    config = SamelightConfig(untouched=0.2, relit=0.5, least_window=0.7, around_object=0.3)
    view = SAMELIGHT.view(config)
    assert (view.untouched, view.relit) == (0.2, 0.5)
    assert (view.least_window, view.around_object) == (0.7, 0.3)
    # In use it is shown no less of a photo than in training.
    assert SamelightConfig().least_window == Samelight(config).traits.window.least


@torch.no_grad()
def test_strengthened_it_goes_further_the_same_way():
    network = awake(Samelight(CONFIG))
    nn.init.normal_(network.head.bias, std=0.05)
    composite, _, mask = batch()
    before = network.predict(composite, mask)
    network.strengthen(1.5)
    after = network.predict(composite, mask)
    torch.testing.assert_close(after.coefficients, 1.5 * before.coefficients)
    torch.testing.assert_close(after.errors, before.errors)


@torch.no_grad()
def test_training_leaves_out_other_numbers_at_every_step_and_use_none():
    network, given = awake(Samelight(CONFIG)), batch()
    used = [network.predict(given.composite, given.mask).coefficients for _ in range(2)]
    network.train()
    trained = [network.predict(given.composite, given.mask).coefficients for _ in range(2)]
    assert torch.equal(*used)
    assert not torch.allclose(*trained)

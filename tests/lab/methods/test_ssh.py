"""What is SSH's own; what every method must do is in tests/contract."""

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samelight.lab.data.crops import CropsView
from samelight.lab.methods.ssh import (
    SSH,
    Ssh,
    SshLoss,
    SshObjective,
    SshShape,
    TransferBatch,
    alone,
)
from tests.lab.records import changed

SHAPE, LOSS = SshShape(channels=(4, 8, 16)), SshLoss()
SIZE = 16


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def awake(network):
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3)
    return network


def square_mask(images=1):
    mask = torch.zeros(images, 1, SIZE, SIZE)
    mask[..., 4:12, 3:9] = 1
    return mask


def batch(images=2):
    content, same_style, other_style, target = torch.rand(4, images, 3, SIZE, SIZE)
    masks = square_mask(images), 1 - square_mask(images).flip(3)
    return TransferBatch(content, same_style, other_style, target, *masks)


def objective(**changes):
    shape, loss = changed((SHAPE, LOSS), **changes)
    return SshObjective(Ssh(shape), loss).eval()


def test_the_published_configuration_is_the_published_network():
    with torch.device("meta"):
        network = Ssh(SSH.configs["paper"].shape)
    sizes = [
        sum(p.numel() for p in part.parameters()) for part in (network, network.transfer.style)
    ]
    assert sizes == [15_193_315, 1_706_112]
    assert not network.transfer.residual
    assert network.multiple_of == 16


@pytest.mark.parametrize("soft", [False, True])
def test_all_but_a_region_is_filled_with_its_mean_colour(soft):
    image = torch.rand(2, 3, SIZE, SIZE)
    region = torch.rand(2, 1, SIZE, SIZE) if soft else square_mask(2)
    filled = alone(image, region)
    for n in range(2):
        for c in range(3):
            weight = region[n, 0].double()
            mean = float((image[n, c] * weight).sum() / weight.sum())
            wanted = region[n, 0] * image[n, c] + (1 - region[n, 0]) * mean
            torch.testing.assert_close(filled[n, c], wanted, atol=1e-5, rtol=0)


def test_even_of_one_pixel_the_mean_is_its_own():
    image, region = torch.zeros(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)
    image[..., 100, 50] = region[..., 100, 50] = 1
    torch.testing.assert_close(alone(image, region), torch.ones(1, 3, 256, 256))


def test_an_empty_region_gives_the_whole_images_mean():
    image = torch.rand(2, 3, SIZE, SIZE)
    image[1] = 0
    filled = alone(image, torch.zeros(2, 1, SIZE, SIZE))
    wanted = image.mean(dim=(2, 3), keepdim=True).expand_as(image)
    torch.testing.assert_close(filled, wanted)
    torch.testing.assert_close(alone(image, torch.ones(2, 1, SIZE, SIZE)), image)


def seen_by(network, composite, mask):
    """What the content encoder and the style encoder are given."""
    seen = {}
    hooks = []
    for name in ("content", "style"):
        part = getattr(network.transfer, name)
        remember = lambda _, given, name=name: seen.update({name: given[0]})  # noqa: E731
        hooks.append(part.register_forward_pre_hook(remember))
    with torch.no_grad():
        network(composite, mask)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("shape", [SHAPE, replace(SHAPE, residual=False, shrink=1)])
def test_neither_region_is_seen_when_the_other_is_coded(shape):
    network, composite, mask = Ssh(shape).eval(), torch.rand(1, 3, SIZE, SIZE), square_mask()
    before = seen_by(network, composite, mask)
    inside = seen_by(network, composite + mask * (torch.rand_like(composite) - composite), mask)
    outside = seen_by(
        network, composite + (1 - mask) * (torch.rand_like(composite) - composite), mask
    )
    assert torch.equal(inside["style"], before["style"])
    assert not torch.equal(inside["content"], before["content"])
    assert torch.equal(outside["content"], before["content"])
    assert not torch.equal(outside["style"], before["style"])


@torch.no_grad()
def test_the_foreground_is_the_content_and_the_background_the_reference():
    network, composite = awake(Ssh(SHAPE)).eval(), torch.rand(1, 3, SIZE, SIZE)
    mask = square_mask()
    content, reference = alone(composite, mask), alone(composite, 1 - mask)
    wanted = mask * network.transfer(content, reference) + (1 - mask) * composite
    torch.testing.assert_close(network.trace(composite, mask).image, wanted)


@torch.no_grad()
def test_it_starts_by_leaving_the_foreground_as_it_is():
    network, composite = Ssh(SHAPE).eval(), torch.rand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(network(composite, square_mask()), composite)
    # A soft border's content is a mixture with the region's mean, and moves a little: a limit.
    soft = torch.rand(1, 1, SIZE, SIZE)
    filled = alone(composite, soft)
    wanted = composite + soft * (filled - composite)
    torch.testing.assert_close(network(composite, soft), wanted)


def l1(output, wanted, visible):
    """Mean absolute difference over what is visible, three channels a pixel, per image."""
    per_image = []
    for n in range(len(output)):
        error = (output[n] - wanted[n]).abs() * visible[n]
        per_image.append(float(error.sum()) / (3 * float(visible[n].sum())))
    return sum(per_image) / len(per_image)


@torch.no_grad()
def test_terms_are_the_distances_they_are_named_after():
    trained, examples = objective(), batch()
    transfer, visible = awake(trained.network).transfer, examples.content_mask
    content = alone(examples.content, visible)
    same, other = (
        alone(x, examples.reference_mask) for x in (examples.same_style, examples.other_style)
    )
    kept, moved = transfer(content, same), transfer(content, other)
    _, terms = trained(examples)
    assert float(terms["reconstruct"]) == pytest.approx(l1(kept, examples.content, visible), 1e-4)
    assert float(terms["harmonize"]) == pytest.approx(l1(moved, examples.target, visible), 1e-4)
    deepest = [transfer.encode_content(alone(x, visible))[-1] for x in (moved, examples.target)]
    torch.testing.assert_close(terms["content"], F.l1_loss(*deepest))
    styles = transfer.encode_style(alone(moved, visible)), transfer.encode_style(other)
    torch.testing.assert_close(terms["style"], F.l1_loss(*styles))


def test_what_is_not_visible_does_not_count():
    trained, examples = objective(), batch()
    awake(trained.network)
    hidden = examples._replace(
        content=examples.content.where(examples.content_mask > 0, torch.rand(2, 3, SIZE, SIZE)),
        target=examples.target.where(examples.content_mask > 0, torch.rand(2, 3, SIZE, SIZE)),
        other_style=examples.other_style.where(
            examples.reference_mask > 0, torch.rand(2, 3, SIZE, SIZE)
        ),
    )
    before, after = trained(examples).terms, trained(hidden).terms
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, msg=name)


@torch.no_grad()
def test_a_crop_under_one_table_asks_for_nothing_at_the_start():
    examples = batch()
    terms = objective()(examples._replace(target=examples.content)).terms
    assert float(terms["reconstruct"]) == float(terms["harmonize"]) == 0
    assert float(terms["content"]) == 0
    assert float(objective()(examples).terms["harmonize"]) > 0.1


def test_the_total_is_the_weighted_sum():
    trained = objective(
        reconstruct_weight=2.0, harmonize_weight=3.0, content_weight=0.5, style_weight=0.25
    )
    awake(trained.network)
    total, terms = trained(batch())
    wanted = (
        2 * terms["reconstruct"]
        + 3 * terms["harmonize"]
        + 0.5 * terms["content"]
        + 0.25 * terms["style"]
    )
    torch.testing.assert_close(total, wanted)
    assert all(value > 0 for value in terms.values())


def test_terms_without_weight_are_left_out():
    trained, coded = objective(content_weight=0.0, style_weight=0.0), []
    trained.network.transfer.style.register_forward_hook(lambda *_: coded.append("style"))
    trained.network.transfer.content.register_forward_hook(lambda *_: coded.append("content"))
    assert set(trained(batch()).terms) == {"reconstruct", "harmonize"}
    assert sorted(coded) == ["content", "style", "style"]


@pytest.mark.parametrize("term", ["content", "style"])
def test_the_encoders_are_not_taught_to_answer_the_same_to_everything(term):
    trained, examples = objective(), batch()
    transfer, visible = awake(trained.network).transfer, examples.content_mask
    perceptual = copy.deepcopy(transfer).requires_grad_(False)
    other = alone(examples.other_style, examples.reference_mask)
    output = alone(transfer(alone(examples.content, visible), other), visible)
    if term == "content":
        pair = [perceptual.encode_content(x)[-1] for x in (output, alone(examples.target, visible))]
    else:
        pair = [perceptual.encode_style(x) for x in (output, other)]
    parameters = list(transfer.parameters())
    wanted = torch.autograd.grad(F.l1_loss(*pair), parameters)
    for found, gradient in zip(
        torch.autograd.grad(trained(examples).terms[term], parameters), wanted, strict=True
    ):
        torch.testing.assert_close(found, gradient)
    assert all(parameter.requires_grad for parameter in parameters)


@pytest.mark.parametrize("term", ["reconstruct", "harmonize"])
def test_each_term_reaches_the_network_and_a_step_lowers_it(term):
    trained, examples = objective(), batch()
    awake(trained.network)
    before = trained(examples).terms[term]
    parameters = list(trained.network.parameters())
    gradients = torch.autograd.grad(before, parameters)
    assert all(gradient.isfinite().all() for gradient in gradients)
    length = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    assert length > 0
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= 1e-3 * gradient / length
        assert trained(examples).terms[term] < before


def test_examples_need_no_masks_and_the_papers_are_made_with_a_hundred_tables():
    views = {name: config.examples for name, config in SSH.configs.items()}
    assert {name: view.luts for name, view in views.items()} == {"small": None, "paper": 100}
    assert all(isinstance(view, CropsView) and not view.needs_masks for view in views.values())


def test_a_shrunk_network_that_predicts_the_image_is_refused():
    with pytest.raises(ValueError, match="shrink is 2"):
        Ssh(replace(SHAPE, residual=False))


@pytest.mark.parametrize("pixels", [0, 1, "all"])
def test_vanishing_masks_give_finite_terms_under_autocast(pixels):
    trained, examples = objective().train(), batch()
    awake(trained.network)
    mask = torch.full_like(examples.content_mask, float(pixels == "all"))
    mask[..., 9, 13] += pixels == 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, terms = trained(examples._replace(content_mask=mask, reference_mask=1 - mask))
    total.backward()
    assert all(value.isfinite() for value in terms.values())
    for name, parameter in trained.network.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name

"""What is SCS-Co's own; what every method must do is in tests/contract."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from samelight.lab.methods import scs_co
from samelight.lab.methods.scs_co import (
    SCS_CO,
    ContrastBatch,
    ScsCo,
    ScsCoLoss,
    ScsCoObjective,
    ScsCoShape,
)
from samelight.lab.nn.features import FrozenFeatures
from samelight.lab.nn.norms import BAIN, RAIN, InstanceNorm
from tests.lab.records import changed

SHAPE, LOSS = ScsCoShape(channels=(8, 16), blocks=1), ScsCoLoss()
SIZE = 32


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def made_features(monkeypatch):
    """A small network of perceptual features in place of the large one; what was asked for."""
    asked = []

    def small(weights, size_px):
        asked.append((weights, size_px))
        layers = nn.Sequential(nn.Conv2d(3, 5, 3, stride=4, padding=1), nn.ReLU())
        return FrozenFeatures(layers, size_px)

    monkeypatch.setattr(scs_co, "frozen_features", small)
    return asked


def batch(images=2, negatives=2):
    composite, real = torch.rand(images, 3, SIZE, SIZE), torch.rand(images, 3, SIZE, SIZE)
    mask = torch.zeros(images, 1, SIZE, SIZE)
    mask[..., 8:24, 8:24] = 1
    wrong = torch.rand(images, negatives, 3, SIZE, SIZE)
    return ContrastBatch(
        real + mask * (composite - real),
        real,
        mask,
        real[:, None] + mask[:, None] * (wrong - real[:, None]),
    )


def objective(**changes):
    """A head that starts at zero: the output is the composite."""
    shape, loss = changed((SHAPE, LOSS), **changes)
    return ScsCoObjective(ScsCo(shape), loss)


def awake(**changes):
    trained = objective(**changes)
    for parameter in trained.network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return trained


@pytest.mark.parametrize(
    ("name", "kind"), [("bain", BAIN), ("rain", RAIN), ("instance", InstanceNorm)]
)
def test_the_decoder_fuses_as_configured(name, kind):
    network = ScsCo(replace(SHAPE, fuse=name))
    assert [type(fuse) for fuse in network.unet.fuse] == [kind]


def distance(one, other):
    return float((one - other).abs().mean())


def ratio(near, far):
    return near / (near + sum(far) + 1e-8)


@torch.no_grad()
@pytest.mark.parametrize("consistency", ["channels", "places"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_both_terms_are_the_ratios_of_distances_in_perceptual_features(consistency, count):
    trained, examples = awake(consistency=consistency), batch(negatives=count)
    composite, real, mask, negatives = examples
    output = trained.network.trace(composite, mask).image
    self_style, relations = [], []
    for n in range(2):
        region = mask[n : n + 1]

        def look(image, inside):
            return trained.perceptual(image[None], inside)[0].flatten(1)

        around = look(real[n], 1 - region)

        def relate(features, around=around):
            if consistency == "channels":
                return features @ around.T / features.shape[1]
            return features.T @ around / features.shape[0]

        near, right = look(output[n], region), look(real[n], region)
        wrong = [look(image, region) for image in (composite[n], *negatives[n])]
        self_style.append(ratio(distance(near, right), [distance(near, w) for w in wrong]))
        relations.append(
            ratio(
                distance(relate(near), relate(right)),
                [distance(relate(near), relate(w)) for w in wrong],
            )
        )
    terms = trained(examples).terms
    assert float(terms["self_style"]) == pytest.approx(sum(self_style) / 2, abs=1e-5)
    assert float(terms["consistency"]) == pytest.approx(sum(relations) / 2, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("consistency", ["channels", "places"])
def test_both_are_0_when_the_output_is_the_real_image(consistency):
    examples = batch()
    terms = objective(consistency=consistency)(examples._replace(composite=examples.real)).terms
    assert float(terms["self_style"]) == float(terms["consistency"]) == 0


@torch.no_grad()
@pytest.mark.parametrize("consistency", ["channels", "places"])
def test_both_are_1_when_the_output_is_the_only_negative(consistency):
    trained = objective(consistency=consistency)
    terms = trained(batch(negatives=0)).terms  # the output is the composite, a negative
    assert float(terms["self_style"]) == pytest.approx(1, abs=1e-5)
    assert float(terms["consistency"]) == pytest.approx(1, abs=1e-5)
    more = trained(batch()).terms
    assert 0 < more["self_style"] < 0.9
    assert 0 < more["consistency"] < 0.9


def test_negatives_and_the_real_image_give_no_gradient_of_their_own():
    trained, examples = awake(), batch()
    given = examples._replace(
        real=examples.real.clone().requires_grad_(),
        negatives=examples.negatives.clone().requires_grad_(),
    )
    terms = trained(given).terms
    (terms["self_style"] + terms["consistency"]).backward()
    assert given.real.grad is None
    assert given.negatives.grad is None


@pytest.mark.parametrize("term", ["self_style", "consistency"])
@pytest.mark.parametrize("detach", [False, True])
def test_each_term_reaches_the_whole_generator_and_a_step_lowers_it(term, detach):
    trained, examples = awake(detach_negatives=detach), batch()
    before = trained(examples).terms[term]
    parameters = [p for p in trained.network.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(before, parameters)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all(gradient.any() for gradient in gradients)
    length = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= 1e-3 * gradient / length
        assert trained(examples).terms[term] < before


def test_detaching_changes_the_gradient_and_not_the_value():
    trained, examples, values, gradients = awake(), batch(), [], []
    head = trained.network.unet.head.coefficients.weight
    for detach in (False, True):
        trained.loss = replace(trained.loss, detach_negatives=detach)
        terms = trained(examples).terms
        value = terms["self_style"] + terms["consistency"]
        values.append(value.detach())
        gradients.append(torch.autograd.grad(value, head)[0])
    assert torch.equal(*values)
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3 * gradients[0].abs().max()


def test_the_total_is_the_weighted_sum():
    trained = awake(
        squared_weight=3.0, absolute_weight=0.5, self_style_weight=0.25, consistency_weight=0.125
    )
    total, terms = trained(batch())
    wanted = (
        3 * terms["squared"]
        + 0.5 * terms["absolute"]
        + 0.25 * terms["self_style"]
        + 0.125 * terms["consistency"]
    )
    torch.testing.assert_close(total, wanted)
    assert all(value > 0 for value in terms.values())


def test_without_weights_no_perceptual_features_are_made(made_features):
    trained = objective(self_style_weight=0.0, consistency_weight=0.0)
    assert set(trained(batch()).terms) == {"squared", "absolute"}
    assert made_features == []


def test_the_perceptual_features_are_the_configured_ones_and_no_part_of_what_is_shipped(
    made_features,
):
    trained = objective(perceptual_weights="vgg16.pth", perceptual_size_px=16).train()
    assert made_features == [("vgg16.pth", 16)]
    assert not any("perceptual" in name for name in trained.network.state_dict())
    assert not trained.perceptual.training
    assert trained.network.training


def test_an_images_terms_do_not_depend_on_its_batch():
    trained, examples = awake(), batch(3)
    together = trained(examples).terms
    alone = [trained(ContrastBatch(*(x[n : n + 1] for x in examples))).terms for n in range(3)]
    for term in ("self_style", "consistency"):
        wanted = sum(float(terms[term].detach()) for terms in alone) / 3
        assert float(together[term].detach()) == pytest.approx(wanted, abs=1e-5)


def test_a_shipped_network_met_three_wrong_styles_and_the_papers_five():
    # The composite is one of them.
    wrong = {name: 1 + config.examples.negatives for name, config in SCS_CO.configs.items()}
    assert wrong == {"small": 3, "paper": 5}


@pytest.mark.parametrize("pixels", [0, 1, "all"])
def test_vanishing_masks_give_finite_terms_under_autocast(pixels):
    trained, examples = awake(), batch()
    mask = torch.full_like(examples.mask, float(pixels == "all"))
    mask[..., 9, 13] += pixels == 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, terms = trained(examples._replace(mask=mask))
    total.backward()
    assert all(0 <= terms[name] < 1 for name in ("self_style", "consistency"))
    for name, parameter in trained.network.named_parameters():
        assert parameter.grad.isfinite().all(), name

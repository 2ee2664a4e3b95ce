"""What is RCL-ESF's own; what every method must do is in tests/contract."""

import math
from dataclasses import replace

import pytest
import torch

from samelight.lab.contract import Batch
from samelight.lab.losses import contrastive
from samelight.lab.methods import rcl_esf
from samelight.lab.methods.rcl_esf import RclEsf, RclEsfLoss, RclEsfObjective, RclEsfShape
from samelight.lab.nn.norms import RAIN, ExternalStyleFusion, InstanceNorm
from tests.lab.records import changed

SHAPE = RclEsfShape(channels=(8, 16), blocks=1)
LOSS = RclEsfLoss(code_width=8, taps=(0, 1))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def batch(images=2):
    composite, real = torch.rand(images, 3, 32, 32), torch.rand(images, 3, 32, 32)
    mask = torch.zeros(images, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    return Batch(real + mask * (composite - real), real, mask)


def objective(**changes):
    shape, loss = changed((SHAPE, LOSS), **changes)
    network = RclEsf(shape)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return RclEsfObjective(network, loss)


@pytest.fixture
def contrasted(monkeypatch):
    """What the contrast is asked, call by call."""
    met, original = [], rcl_esf.region_contrast

    def meet(*bags, **options):
        met.append((*bags, options))
        return original(*bags, **options)

    for module in (contrastive, rcl_esf):
        monkeypatch.setattr(module, "region_contrast", meet)
    return met


@pytest.mark.parametrize(
    ("name", "kind"), [("esf", ExternalStyleFusion), ("rain", RAIN), ("instance", InstanceNorm)]
)
def test_the_decoder_fuses_as_configured(name, kind):
    network = RclEsf(replace(SHAPE, fuse=name, style_source="both"))
    assert [type(fuse) for fuse in network.unet.fuse] == [kind]
    if name == "esf":
        assert network.unet.fuse[0].style_source == "both"


@torch.no_grad()
def test_with_the_decoders_style_it_is_the_network_with_rain():
    examples, wanted = batch(), objective(fuse="rain", contrast_weight=0.0).network
    found = RclEsf(replace(SHAPE, style_source="decoder"))
    found.load_state_dict(wanted.state_dict())
    assert torch.equal(
        found(examples.composite, examples.mask), wanted(examples.composite, examples.mask)
    )
    other = RclEsf(SHAPE)
    other.load_state_dict(wanted.state_dict())
    change = other(examples.composite, examples.mask) - wanted(examples.composite, examples.mask)
    assert change.abs().max() > 1e-4


def styles(trained, image, region, mask):
    """Codes of a region at every tap, one code per image."""
    levels = trained.network.unet.encode(image, mask)
    return [
        head(levels[level], region).codes[:, 0]
        for head, level in zip(trained.heads, trained.loss.taps, strict=True)
    ]


@torch.no_grad()
def test_reading_a_is_infonce_of_output_background_and_composite():
    trained, (composite, real, mask) = objective(temperature=0.5), batch()
    output = trained.network.trace(composite, mask).image
    anchors = styles(trained, output, mask, mask)
    positives = styles(trained, real, 1 - mask, mask)
    negatives = styles(trained, composite, mask, mask)
    losses = []
    for q, k, n in zip(anchors, positives, negatives, strict=True):
        for image in range(2):
            keys = (k[image], n[image], k[1 - image])
            scores = [math.exp(float(q[image] @ key) / 0.5) for key in keys]
            losses.append(-math.log(scores[0] / sum(scores)))
    found = float(trained(Batch(composite, real, mask)).terms["contrast"])
    assert found == pytest.approx(sum(losses) / len(losses), abs=1e-4)


@torch.no_grad()
def test_reading_b_is_infonce_of_real_foreground_background_and_output():
    trained, (composite, real, mask) = objective(reading="B", temperature=0.5), batch()
    output = trained.network.trace(composite, mask).image
    anchors = styles(trained, real, mask, mask)
    positives = styles(trained, real, 1 - mask, mask)
    negatives = styles(trained, output, mask, mask)
    losses = []
    for q, k, n in zip(anchors, positives, negatives, strict=True):
        for image in range(2):
            scores = [math.exp(float(q[image] @ key[image]) / 0.5) for key in (k, n)]
            losses.append(-math.log(scores[0] / sum(scores)))
    found = float(trained(Batch(composite, real, mask)).terms["contrast"])
    assert found == pytest.approx(sum(losses) / len(losses), abs=1e-4)


@pytest.mark.parametrize("code", ["region", "patch"])
def test_in_reading_a_only_the_anchor_has_a_gradient(code, contrasted):
    trained, examples = objective(code=code), batch()
    real = examples.real.clone().requires_grad_()
    terms = trained(examples._replace(real=real)).terms
    assert len(contrasted) == 2
    for anchor, positive, negative, options in contrasted:
        assert anchor.codes.requires_grad
        assert not positive.codes.requires_grad
        assert not negative.codes.requires_grad
        assert options == {"temperature": 0.07}
    terms["contrast"].backward()
    assert real.grad is None


@pytest.mark.parametrize("code", ["region", "patch"])
def test_in_reading_b_all_three_have_a_gradient(code, contrasted):
    trained = objective(code=code, reading="B")
    trained(batch()).terms["contrast"].backward()
    assert len(contrasted) == 2
    for *bags, options in contrasted:
        assert all(bag.codes.requires_grad for bag in bags)
        assert options == {"temperature": 0.07, "other_images": False}


@pytest.mark.parametrize("code", ["region", "patch"])
@pytest.mark.parametrize("reading", ["A", "B"])
def test_the_contrast_reaches_the_whole_generator(reading, code):
    trained = objective(reading=reading, code=code)
    trained(batch()).terms["contrast"].backward()
    for name, parameter in trained.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    decoder = trained.network.unet.decoder  # only the output's picture leads back here
    assert all(parameter.grad.abs().max() > 0 for parameter in decoder.parameters())


def test_a_step_of_reading_a_on_the_generator_lowers_the_contrast():
    trained, examples = objective(temperature=0.5), batch()
    before = trained(examples).terms["contrast"]
    head = trained.network.unet.head.coefficients.weight
    (gradient,) = torch.autograd.grad(before, head)
    with torch.no_grad():
        head -= 1e-2 * gradient / gradient.norm()
        assert trained(examples).terms["contrast"] < before


def test_the_total_is_the_weighted_sum():
    trained = objective(squared_weight=3.0, absolute_weight=0.5, contrast_weight=0.25)
    total, terms = trained(batch())
    wanted = 3 * terms["squared"] + 0.5 * terms["absolute"] + 0.25 * terms["contrast"]
    torch.testing.assert_close(total, wanted)
    assert all(terms[name] > 0 for name in ("squared", "absolute", "contrast"))


def test_without_a_weight_nothing_is_contrasted(contrasted):
    trained, seen = objective(contrast_weight=0.0), []
    trained.network.unet.stem.register_forward_hook(lambda *_: seen.append(1))
    losses = trained(batch())
    assert set(losses.terms) == {"squared", "absolute"}
    assert contrasted == []
    assert len(seen) == 1
    assert not hasattr(trained, "heads")


def test_only_the_tapped_levels_are_contrasted(contrasted):
    trained = objective(taps=(1,))
    trained(batch())
    assert len(contrasted) == len(trained.heads) == 1
    assert trained.heads[0].mapping[0].in_features == 2 * 16


def test_the_heads_are_no_part_of_what_is_shipped():
    trained = objective()
    assert any(name.startswith("heads.") for name in trained.state_dict())
    assert not any("heads" in name for name in trained.network.state_dict())


@pytest.mark.parametrize("changes", [{"reading": "C"}, {"code": "pixel"}, {"style_source": "sky"}])
def test_other_choices_are_refused(changes):
    with pytest.raises(ValueError, match=f'{next(iter(changes))} is "[Ca-z]+", wanted'):
        objective(**changes)

import math

import pytest
import torch
import torch.nn.functional as F

from samelight.lab.nn.codes import CODES, PATCH_SIDE, PatchCode, RegionCode, code_heads
from samelight.lab.nn.regions import EPSILON

CHANNELS, WIDTH = 4, 6


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def through(mapping, vector):
    """Linear, ReLU, linear, and to unit length."""
    first, _, second = mapping
    hidden = (first.weight @ vector + first.bias).clamp(min=0)
    code = second.weight @ hidden + second.bias
    return code / code.square().sum().sqrt()


@torch.no_grad()
def test_a_regions_code_is_of_its_mean_and_deviation():
    head = RegionCode(CHANNELS, WIDTH)
    features, region = torch.randn(2, CHANNELS, 5, 3) * 2 + 1, torch.rand(2, 1, 5, 3)
    bag = head(features, region)
    assert bag.codes.shape == (2, 1, WIDTH)
    for n in range(2):
        weight = region[n, 0] / region[n, 0].sum()
        means = [(weight * plane).sum() for plane in features[n]]
        squares = [
            (weight * (plane - mean) ** 2).sum()
            for plane, mean in zip(features[n], means, strict=True)
        ]
        deviations = [math.sqrt(square + EPSILON) for square in squares]
        wanted = through(head.mapping, torch.tensor([*means, *deviations]))
        torch.testing.assert_close(bag.codes[n, 0], wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(bag.weights[n, 0], region[n].sum())


@torch.no_grad()
def test_a_regions_code_knows_no_content():
    head, features = RegionCode(CHANNELS, WIDTH), torch.randn(1, CHANNELS, 4, 4)
    order = torch.randperm(16)
    moved, region = features.flatten(2)[..., order].unflatten(2, (4, 4)), torch.rand(1, 1, 4, 4)
    followed = region.flatten(2)[..., order].unflatten(2, (4, 4))
    torch.testing.assert_close(head(moved, followed).codes, head(features, region).codes)


@torch.no_grad()
def test_places_have_a_code_each():
    head, features = PatchCode(CHANNELS, WIDTH), torch.randn(2, CHANNELS, 3, 2)
    region = torch.rand(2, 1, 12, 8)
    bag = head(features, region)
    assert bag.codes.shape == (2, 6, WIDTH)
    for n in range(2):
        for i in range(3):
            for j in range(2):
                wanted = through(head.mapping, features[n, :, i, j])
                torch.testing.assert_close(bag.codes[n, 2 * i + j], wanted)
                cover = region[n, 0, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean()
                torch.testing.assert_close(bag.weights[n, 2 * i + j], cover)


@torch.no_grad()
def test_many_places_are_averaged_first():
    head, side = PatchCode(CHANNELS, WIDTH), 2 * PATCH_SIDE
    features, region = torch.randn(1, CHANNELS, side, side), torch.rand(1, 1, side, side)
    found, wanted = head(features, region), head(F.avg_pool2d(features, 2), region)
    assert found.codes.shape == (1, PATCH_SIDE**2, WIDTH)
    torch.testing.assert_close(found.codes, wanted.codes)
    torch.testing.assert_close(found.weights, wanted.weights)


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("pixels", [0, 1, "all"])
def test_codes_of_vanishing_regions_are_finite_under_autocast(kind, pixels):
    head = CODES[kind](CHANNELS, WIDTH)
    features = (100 + torch.randn(2, CHANNELS, 8, 8)).requires_grad_()
    region = torch.ones(2, 1, 32, 32) if pixels == "all" else torch.zeros(2, 1, 32, 32)
    region[..., 5, 9] += pixels == 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        bag = head(features.bfloat16(), region)
    assert bag.codes.dtype == bag.weights.dtype == torch.float32
    torch.testing.assert_close(bag.codes.norm(dim=2), torch.ones(bag.weights.shape))
    assert bool(bag.weights.sum() == 0) == (pixels == 0)
    bag.codes.square().sum().backward()
    assert features.grad.isfinite().all()


def test_every_level_has_a_head_of_its_width():
    heads = code_heads("region", (8, 16), WIDTH)
    for head, channels in zip(heads, (8, 16), strict=True):
        bag = head(torch.randn(1, channels, 4, 4), torch.ones(1, 1, 16, 16))
        assert bag.codes.shape == (1, 1, WIDTH)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match='"place", wanted one of region, patch'):
        code_heads("place", (8,), WIDTH)

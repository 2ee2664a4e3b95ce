import math

import pytest
import torch

from samelight.lab.nn.regions import EPSILON, region_moments, resize_mask


def literal_moments(features, weight):
    """One pixel at a time, from the definition: weighted mean and deviation of (C,H,W)."""
    means, deviations = [], []
    for channel in features.double():
        area = total = 0.0
        for value, w in zip(channel.flatten().tolist(), weight.flatten().tolist(), strict=True):
            area, total = area + w, total + w * value
        mean = total / area
        squares = 0.0
        for value, w in zip(channel.flatten().tolist(), weight.flatten().tolist(), strict=True):
            squares += w * (value - mean) ** 2
        means.append(mean)
        deviations.append(math.sqrt(squares / area + EPSILON))
    return torch.tensor(means), torch.tensor(deviations)


@pytest.mark.parametrize("soft", [False, True])
def test_moments_are_those_of_a_literal_loop(soft):
    torch.manual_seed(0)
    features = torch.randn(2, 3, 7, 5) * 2 + 3
    mask = torch.rand(2, 1, 7, 5)
    mask = mask if soft else (mask > 0.6).float()
    moments = region_moments(features, mask)
    for image in range(2):
        for region, weight in (
            (moments.foreground, mask[image, 0]),
            (moments.background, 1 - mask[image, 0]),
        ):
            mean, std = literal_moments(features[image], weight)
            torch.testing.assert_close(region.mean[image], mean, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(region.std[image], std, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_give_float32_moments(dtype):
    # Bright and flat, 200 +- 1: the squares overflow float16, their difference drowns in bfloat16.
    features = torch.full((1, 1, 8, 8), 200.0)
    features[..., ::2] = 202
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4, :] = 1
    moments = region_moments(features.to(dtype), mask.to(dtype))
    for region in moments:
        assert region.mean.dtype == region.std.dtype == torch.float32
        torch.testing.assert_close(region.mean, torch.tensor([[201.0]]), atol=1e-3, rtol=0)
        torch.testing.assert_close(region.std, torch.tensor([[1.0]]), atol=1e-3, rtol=0)


def test_autocast_does_not_reach_the_moments():
    torch.manual_seed(1)
    features, mask = torch.randn(1, 4, 8, 8) + 100, (torch.rand(1, 1, 8, 8) > 0.5).float()
    plain = region_moments(features, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = region_moments(features, mask)
    assert torch.equal(plain.foreground.std, cast.foreground.std)
    assert torch.equal(plain.background.mean, cast.background.mean)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_region_without_pixels_has_mean_0_and_std_sqrt_epsilon(dtype):
    features = (torch.randn(1, 2, 4, 4) + 5).to(dtype)
    empty = region_moments(features, torch.zeros(1, 1, 4, 4, dtype=dtype)).foreground
    full = region_moments(features, torch.ones(1, 1, 4, 4, dtype=dtype)).background
    for vanished in (empty, full):
        assert vanished.mean.tolist() == [[0, 0]]
        torch.testing.assert_close(vanished.std, torch.full((1, 2), EPSILON**0.5))


def test_gradients_of_a_vanished_region_are_finite():
    features = torch.randn(1, 2, 4, 4, requires_grad=True)
    moments = region_moments(features, torch.zeros(1, 1, 4, 4))
    (moments.foreground.std.sum() + moments.foreground.mean.sum()).backward()
    assert features.grad.isfinite().all()


def test_a_thin_foreground_does_not_vanish_when_its_mask_shrinks():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 5] = 1
    small = resize_mask(mask, (4, 4))
    assert small.tolist() == [[[[0, 0.25, 0, 0]] * 4]]
    assert resize_mask(mask, (16, 16)) is mask

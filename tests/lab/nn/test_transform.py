import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samelight.lab.nn.regions import EPSILON
from samelight.lab.nn.transform import (
    TRANSFORMS,
    AffineTransform,
    GlobalCode,
    GlobalMap,
    ModulatedConv,
    ModulatedTransform,
)

CHANNELS, WIDTH = 4, 6


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def unsettle(module):
    """Give parameters that start at zero something to do."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def soft_mask():
    mask = torch.rand(2, 1, 8, 6)
    mask[..., :2] = 0
    mask[..., -2:] = 1
    return mask


def test_affine_transform_is_the_equation():
    transform = unsettle(AffineTransform(CHANNELS, WIDTH))
    features, code, mask = (
        torch.randn(2, CHANNELS, 8, 6) * 3 + 1,
        torch.randn(2, WIDTH),
        soft_mask(),
    )
    found = transform(features, code, mask)
    style = code @ transform.style.weight.T + transform.style.bias
    for image in range(2):
        weight = mask[image, 0] / mask[image, 0].sum()
        for channel in range(CHANNELS):
            level = features[image, channel]
            mean = (level * weight).sum()
            std = (((level - mean) ** 2 * weight).sum() + EPSILON).sqrt()
            scale, shift = style[image, channel], style[image, CHANNELS + channel]
            inside = (level - mean) / std * (1 + torch.tanh(scale)) + shift
            wanted = mask[image, 0] * inside + (1 - mask[image, 0]) * level
            torch.testing.assert_close(found[image, channel], wanted, atol=1e-4, rtol=1e-4)


def literal_modulated_conv(conv, features, code):
    """StyleGAN2, section 2.2: one set of weights per image, scaled and then demodulated."""
    scale = code @ conv.style.weight.T + conv.style.bias
    images = []
    for image in range(len(features)):
        weight = conv.conv.weight * scale[image][None, :, None, None]
        norm = (weight.square().sum(dim=(1, 2, 3), keepdim=True) + EPSILON).sqrt()
        images.append(F.conv2d(features[image : image + 1], weight / norm, conv.bias, padding=1))
    return torch.cat(images)


def test_modulated_conv_scales_and_demodulates_its_weights():
    conv = unsettle(ModulatedConv(CHANNELS, WIDTH))
    features, code = torch.randn(3, CHANNELS, 5, 7), torch.randn(3, WIDTH)
    wanted = literal_modulated_conv(conv, features, code)
    torch.testing.assert_close(conv(features, code), wanted, atol=1e-5, rtol=1e-5)


def test_modulated_transform_is_two_such_convolutions_inside_the_mask():
    transform = unsettle(ModulatedTransform(CHANNELS, WIDTH))
    features, code, mask = torch.randn(2, CHANNELS, 8, 6), torch.randn(2, WIDTH), soft_mask()
    first = F.leaky_relu(literal_modulated_conv(transform.first, features, code), 0.2)
    second = F.leaky_relu(literal_modulated_conv(transform.second, first, code), 0.2)
    wanted = mask * second + (1 - mask) * features
    torch.testing.assert_close(transform(features, code, mask), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["affine", "modulated"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_background_features_stay_as_they_are(name, dtype):
    transform = unsettle(TRANSFORMS[name](CHANNELS, WIDTH)).to(dtype)
    features = torch.randn(2, CHANNELS, 8, 6, dtype=dtype)
    mask = torch.zeros(2, 1, 16, 12)
    mask[..., 4:12, 4:8] = 1  # on the features' own grid: halving leaves no soft border
    moved = transform(features, torch.randn(2, WIDTH, dtype=dtype), mask)
    inside = mask[:, :, ::2, ::2].expand_as(features) > 0
    assert moved.dtype == dtype
    assert torch.equal(moved[~inside], features[~inside])
    assert not torch.equal(moved[inside], features[inside])


@pytest.mark.parametrize("name", ["affine", "modulated"])
def test_the_code_decides(name):
    transform = unsettle(TRANSFORMS[name](CHANNELS, WIDTH))
    features, mask = torch.randn(1, CHANNELS, 8, 6), torch.ones(1, 1, 8, 6)
    one, other = (transform(features, torch.randn(1, WIDTH), mask) for _ in range(2))
    assert (one - other).abs().max() > 1e-2


def code_inputs():
    levels = [torch.randn(2, 8, 8, 8), torch.randn(2, 16, 4, 4)]
    return torch.rand(2, 3, 32, 32), levels


def test_global_code_of_the_whole_image_ignores_the_mask():
    composite, levels = code_inputs()
    code = GlobalCode((8, 16), WIDTH, "global")
    left, right = torch.zeros(2, 1, 32, 32), torch.ones(2, 1, 32, 32)
    assert code(composite, levels, left).shape == (2, WIDTH)
    assert torch.equal(code(composite, levels, left), code(composite, levels, right))
    torch.testing.assert_close(
        code(composite, levels, left), code.mapping(levels[-1].mean(dim=(2, 3)))
    )


def test_global_code_of_regions_knows_the_two_apart():
    composite, levels = code_inputs()
    code = GlobalCode((8, 16), WIDTH, "regions")
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., :16] = 1
    assert code(composite, levels, mask).shape == (2, WIDTH)
    swapped = code(composite, levels, 1 - mask)
    assert (code(composite, levels, mask) - swapped).abs().max() > 1e-3


def test_global_code_of_regions_sees_the_composites_own_colours():
    composite, levels = code_inputs()
    code, mask = GlobalCode((8, 16), WIDTH, "regions"), torch.ones(2, 1, 32, 32)
    mask[..., :16] = 0
    redder = composite.clone()
    redder[:, 0, :, :16] += 0.5
    assert (code(composite, levels, mask) - code(redder, levels, mask)).abs().max() > 1e-4


def test_another_pool_is_refused():
    with pytest.raises(ValueError, match='"max", wanted "global" or "regions"'):
        GlobalCode((8, 16), WIDTH, "max")


def test_global_map_starts_as_no_change():
    coefficients = GlobalMap(WIDTH)(torch.randn(2, WIDTH))
    assert coefficients.shape == (2, 12)
    assert not coefficients.any()


def test_without_a_transformation_the_features_stay():
    features = torch.randn(1, CHANNELS, 8, 6)
    transform = TRANSFORMS["none"](CHANNELS, WIDTH)
    assert transform(features, torch.randn(1, WIDTH), torch.ones(1, 1, 8, 6)) is features

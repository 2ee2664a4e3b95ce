import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samelight.lab.nn.norms import (
    BAIN,
    FUSIONS,
    MAX_KEYS_SIDE,
    RAIN,
    ExternalStyleFusion,
    InstanceNorm,
    keys_side,
)
from samelight.lab.nn.regions import EPSILON

CHANNELS = 4


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def unsettle(module):
    """Give parameters that start at zero something to do."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def soft_mask(images=2, height=6, width=5):
    mask = torch.rand(images, 1, height, width)
    mask[..., :2] = 0
    mask[..., -2:] = 1
    return mask


def inputs(images=2, height=6, width=5):
    decoded = torch.randn(images, CHANNELS, height, width) * 2 + 1
    skip = torch.randn(images, CHANNELS, height, width) * 0.5 - 3
    return decoded, skip, soft_mask(images, height, width)


def moments(plane, weight):
    """Weighted mean and deviation of one channel, one place at a time."""
    pairs = list(zip(plane.double().flatten().tolist(), weight.flatten().tolist(), strict=True))
    area = sum(w for _, w in pairs)
    mean = sum(w * x for x, w in pairs) / area
    return mean, math.sqrt(sum(w * (x - mean) ** 2 for x, w in pairs) / area + EPSILON)


def literal_fusion(fusion, decoded, mask, style):
    """The equation of one image, place by place; `style` tells (channel, place) -> mean, std."""
    out = torch.zeros_like(decoded)
    for c in range(CHANNELS):
        mean_f, std_f = moments(decoded[c], mask)
        mean_b, std_b = moments(decoded[c], 1 - mask)
        gain_f, gain_b = (1 + fusion.scale[:, c]).tolist()
        shift_f, shift_b = fusion.shift[:, c].tolist()
        for i in range(mask.shape[0]):
            for j in range(mask.shape[1]):
                x, m = float(decoded[c, i, j]), float(mask[i, j])
                mean, std = style(c, (i, j))
                inside = ((x - mean_f) / std_f * std + mean) * gain_f + shift_f
                outside = (x - mean_b) / std_b * gain_b + shift_b
                out[c, i, j] = m * inside + (1 - m) * outside
    return out


def assert_is(fusion, arguments, style):
    """`style` is called with the image's number, channel and place."""
    decoded, _, mask = arguments
    with torch.no_grad():
        found = fusion(*arguments)
    for image in range(len(decoded)):
        wanted = literal_fusion(
            fusion, decoded[image], mask[image, 0], lambda c, place, n=image: style(n, c, place)
        )
        torch.testing.assert_close(found[image], wanted, atol=1e-4, rtol=1e-4)


def test_rain_is_the_equation():
    decoded, skip, mask = inputs()
    assert_is(
        unsettle(RAIN(CHANNELS)),
        (decoded, skip, mask),
        lambda n, c, place: moments(decoded[n, c], 1 - mask[n, 0]),
    )


def test_esf_takes_the_style_of_the_encoders_background():
    decoded, skip, mask = inputs()
    assert_is(
        unsettle(ExternalStyleFusion(CHANNELS)),
        (decoded, skip, mask),
        lambda n, c, place: moments(skip[n, c], 1 - mask[n, 0]),
    )


def test_esf_of_both_takes_the_average_of_means_and_of_deviations():
    decoded, skip, mask = inputs()

    def style(n, c, place):
        inside, outside = (moments(x[n, c], 1 - mask[n, 0]) for x in (decoded, skip))
        return (inside[0] + outside[0]) / 2, (inside[1] + outside[1]) / 2

    assert_is(unsettle(ExternalStyleFusion(CHANNELS, "both")), (decoded, skip, mask), style)


@torch.no_grad()
@pytest.mark.parametrize("source", ["encoder", "both"])
def test_esf_of_its_own_features_is_rain(source):
    decoded, _, mask = inputs()
    rain, esf = unsettle(RAIN(CHANNELS)), ExternalStyleFusion(CHANNELS, source)
    esf.load_state_dict(rain.state_dict())
    wanted = rain(decoded, decoded, mask)
    torch.testing.assert_close(esf(decoded, decoded, mask), wanted, atol=1e-5, rtol=0)


@torch.no_grad()
def test_esf_of_the_decoder_is_rain_whatever_the_skip():
    decoded, skip, mask = inputs()
    rain, esf = unsettle(RAIN(CHANNELS)), ExternalStyleFusion(CHANNELS, "decoder")
    esf.load_state_dict(rain.state_dict())
    assert torch.equal(esf(decoded, skip, mask), rain(decoded, skip, mask))
    other = ExternalStyleFusion(CHANNELS)
    assert (other(decoded, skip, mask) - RAIN(CHANNELS)(decoded, skip, mask)).abs().max() > 0.1


def test_another_style_source_is_refused():
    with pytest.raises(ValueError, match='"skip", wanted encoder, decoder or both'):
        ExternalStyleFusion(CHANNELS, "skip")


def attended(bain, decoded, mask, place, pooling=(1, 1)):
    """Per channel, the mean and deviation of the background that a place resembles.

    One image; the keys, one after the other, are weighted means over windows of `pooling` places.
    """
    white_f, white_b = torch.zeros_like(decoded), torch.zeros_like(decoded)
    for c in range(CHANNELS):
        for white, weight in ((white_f, mask), (white_b, 1 - mask)):
            mean, std = moments(decoded[c], weight)
            white[c] = (decoded[c] - mean) / std
    into_query, into_key = (
        layer.weight[:, :, 0, 0].to(decoded.dtype) for layer in (bain.query, bain.key)
    )
    query = into_query @ white_f[:, place[0], place[1]] + bain.query.bias
    down, across = pooling
    logits, first, second = [], [], []
    for i in range(0, mask.shape[0], down):
        for j in range(0, mask.shape[1], across):
            rows, columns = slice(i, i + down), slice(j, j + across)
            weight = 1 - mask[rows, columns]
            if not weight.any():
                continue  # no background at all: never looked at
            share = weight / weight.sum()
            key = into_key @ (white_b[:, rows, columns] * share).sum(dim=(1, 2))
            logit = float(query @ key) / math.sqrt(len(query))
            logits.append(logit + math.log(float(weight.mean())))
            first.append((decoded[:, rows, columns] * share).sum(dim=(1, 2)))
            second.append((decoded[:, rows, columns].square() * share).sum(dim=(1, 2)))
    attention = torch.tensor(logits, dtype=torch.float64).softmax(0)[:, None]
    mean = (attention * torch.stack(first)).sum(0)
    variance = (attention * torch.stack(second)).sum(0) - mean.square()
    return mean, (variance.clamp(min=0) + EPSILON).sqrt()


@torch.no_grad()
def test_bain_takes_the_style_of_the_background_that_a_place_resembles():
    decoded, skip, mask = inputs()
    bain, seen = unsettle(BAIN(CHANNELS, 3)), {}

    def style(n, c, place):
        if (n, place) not in seen:
            seen[n, place] = attended(bain, decoded[n], mask[n, 0], place)
        mean, std = seen[n, place]
        return float(mean[c]), float(std[c])

    assert_is(bain, (decoded, skip, mask), style)
    means = torch.stack([mean for mean, _ in seen.values()])
    assert means.std(dim=0).min() > 0.1  # the attention is not uniform


@torch.no_grad()
def test_bain_looks_at_large_maps_through_averaged_keys():
    height, width = 2 * MAX_KEYS_SIDE, 8
    decoded, skip, mask = inputs(1, height, width)
    mask[..., 6:12, :] = 1  # whole windows without any background
    bain = BAIN(CHANNELS)
    nn.init.normal_(bain.query.weight)
    nn.init.normal_(bain.key.weight)
    found = bain(decoded, skip, mask)
    for i, j in ((7, 3), (20, 2), (40, 6), (63, 7), (0, 0)):
        mean, std = attended(bain, decoded[0].double(), mask[0, 0].double(), (i, j), (2, 1))
        for c in range(CHANNELS):
            mean_f, std_f = moments(decoded[0, c], mask[0, 0])
            mean_b, std_b = moments(decoded[0, c], 1 - mask[0, 0])
            x, m = float(decoded[0, c, i, j]), float(mask[0, 0, i, j])
            inside = (x - mean_f) / std_f * float(std[c]) + float(mean[c])
            wanted = m * inside + (1 - m) * (x - mean_b) / std_b
            assert float(found[0, c, i, j]) == pytest.approx(wanted, abs=1e-4)


def without_queries(bain):
    nn.init.zeros_(bain.query.weight)
    nn.init.zeros_(bain.query.bias)
    return bain


@torch.no_grad()
@pytest.mark.parametrize("size", [(6, 5), (2 * MAX_KEYS_SIDE, 8), (64, 64), (48, 48)])
def test_bain_that_asks_nothing_is_rain(size):
    decoded, skip, mask = inputs(2, *size)
    rain, bain = unsettle(RAIN(CHANNELS)), without_queries(unsettle(BAIN(CHANNELS)))
    bain.load_state_dict(rain.state_dict(), strict=False)
    wanted = rain(decoded, skip, mask)
    torch.testing.assert_close(bain(decoded, skip, mask), wanted, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("background", [0.0, 0.5, 1.0, 3.0])
def test_bain_that_asks_nothing_is_rain_however_little_background_there_is(background):
    decoded, skip, _ = inputs(1, 32, 32)
    mask = torch.ones(1, 1, 32, 32)
    mask[..., 5, 7] -= min(background, 1)
    mask[..., 20, 10:12] = 0 if background > 1 else 1
    decoded += 5 * mask  # the two regions are far from each other
    found = without_queries(BAIN(CHANNELS))(decoded, skip, mask)
    wanted = RAIN(CHANNELS)(decoded, skip, mask)
    torch.testing.assert_close(found, wanted, atol=1e-2, rtol=0)


@torch.no_grad()
def test_bain_never_attends_to_the_foreground():
    """Even where a foreground place is by far what its query resembles the most."""
    decoded, mask = torch.randn(1, CHANNELS, 6, 6), torch.zeros(1, 1, 6, 6)
    mask[..., 3:] = 1
    decoded += 20 * mask
    bain = BAIN(CHANNELS, CHANNELS)
    bain.query.weight.copy_(torch.eye(CHANNELS)[..., None, None])
    bain.key.weight.copy_(torch.eye(CHANNELS)[..., None, None])
    inside = bain(decoded, decoded, mask)[..., 3:]
    assert inside.abs().max() < 10  # as the background is, and not near 20


@torch.no_grad()
def test_bain_tells_places_apart_where_rain_does_not():
    decoded, mask = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., 2:] = 1
    # Two kinds of place, told apart by channel 0; in the background channel 1 goes with it.
    decoded[:, 0, :2], decoded[:, 0, 2:] = -1, 1
    decoded[:, 1, :2, :2], decoded[:, 1, 2:, :2] = 5, 9
    bain = BAIN(2, 1)
    for projection in (bain.query, bain.key):
        projection.weight.copy_(torch.tensor([10.0, 0.0]).reshape(1, 2, 1, 1))
    bain.query.bias.zero_()
    inside = bain(decoded, decoded, mask)[0, 1, :, 2:]
    torch.testing.assert_close(inside[:2], torch.full((2, 2), 5.0), atol=1e-2, rtol=0)
    torch.testing.assert_close(inside[2:], torch.full((2, 2), 9.0), atol=1e-2, rtol=0)
    plain = RAIN(2)(decoded, decoded, mask)[0, 1, :, 2:]
    torch.testing.assert_close(plain, torch.full((4, 2), 7.0), atol=1e-3, rtol=0)


@torch.no_grad()
def test_the_foreground_takes_on_the_backgrounds_statistics():
    decoded, skip, _ = inputs(1, 8, 8)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    fused = RAIN(CHANNELS)(decoded, skip, mask)
    for c in range(CHANNELS):
        wanted = moments(decoded[0, c], 1 - mask[0, 0])
        assert moments(fused[0, c], mask[0, 0]) == pytest.approx(wanted, abs=1e-3)
        assert moments(fused[0, c], 1 - mask[0, 0]) == pytest.approx((0, 1), abs=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("name", ["rain", "esf", "bain"])
def test_a_region_that_is_not_there_borrows_the_others_statistics(name):
    decoded, _, _ = inputs()
    fusion = FUSIONS[name](CHANNELS)
    if name == "bain":
        without_queries(fusion)
    nothing, everything = torch.zeros(2, 1, 6, 5), torch.ones(2, 1, 6, 5)
    white = F.instance_norm(decoded, eps=EPSILON)
    torch.testing.assert_close(fusion(decoded, decoded, nothing), white, atol=1e-4, rtol=0)
    # The foreground takes on its own statistics: it stays as it is.
    torch.testing.assert_close(fusion(decoded, decoded, everything), decoded, atol=1e-4, rtol=0)


@torch.no_grad()
def test_instance_norm_knows_no_regions():
    decoded, skip, mask = inputs()
    norm = InstanceNorm(CHANNELS)
    found = norm(decoded, skip, mask)
    assert torch.equal(found, norm(decoded, decoded, 1 - mask))
    for c in range(CHANNELS):
        mean, std = moments(decoded[0, c], torch.ones(6, 5))
        torch.testing.assert_close(found[0, c], (decoded[0, c] - mean) / std, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", FUSIONS)
def test_masks_of_the_images_size_are_averaged_down(name):
    decoded, skip, _ = inputs(2, 4, 6)
    fusion, mask = FUSIONS[name](CHANNELS), soft_mask(2, 16, 24)
    small = F.avg_pool2d(mask, 4)
    torch.testing.assert_close(fusion(decoded, skip, mask), fusion(decoded, skip, small))


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("pixels", [0, 1, 7, "all"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_vanishing_regions_stay_finite_under_autocast(name, pixels, dtype):
    decoded, skip = torch.randn(1, CHANNELS, 8, 8) * 5, 100 + torch.rand(1, CHANNELS, 8, 8)
    mask = torch.zeros(1, 1, 64, 64)
    if pixels == "all":
        mask += 1
    else:
        mask[..., 10, 3 : 3 + pixels] = 1
    fusion = FUSIONS[name](CHANNELS)
    decoded, skip = (x.to(dtype).requires_grad_() for x in (decoded, skip))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fused = fusion(decoded, skip, mask)
    assert fused.dtype == dtype
    assert fused.shape == decoded.shape
    assert fused.isfinite().all()
    # What reaches the image: the empty foreground's values are multiplied by next to nothing.
    assert (fused * mask[..., ::8, ::8]).abs().max() < 1000
    fused.float().square().sum().backward()
    assert decoded.grad.isfinite().all()
    assert skip.grad is None or skip.grad.isfinite().all()
    for parameter in fusion.parameters():
        assert parameter.grad.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("name", FUSIONS)
def test_autocast_does_not_blur_the_statistics(name):
    # 200 +- 1: in bfloat16 the squares' difference would be lost.
    decoded, skip, mask = inputs(1, 8, 8)
    decoded = decoded + 200
    fusion = FUSIONS[name](CHANNELS)
    wanted = fusion(decoded, skip, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(fusion(decoded, skip, mask), wanted)


@pytest.mark.parametrize(("name", "styled_by"), [("rain", 0), ("bain", 0), ("esf", 1)])
def test_a_gradient_flows_through_the_style(name, styled_by):
    decoded, skip, _ = inputs(1, 6, 6)
    mask = torch.zeros(1, 1, 6, 6)
    mask[..., :3] = 1
    sources = decoded.requires_grad_(), skip.requires_grad_()
    fused = FUSIONS[name](CHANNELS)(decoded, skip, mask)
    fused[..., :3].square().sum().backward()  # the foreground alone
    assert sources[styled_by].grad[..., 3:].abs().max() > 1e-3


def test_all_parameters_of_bain_learn():
    bain = unsettle(BAIN(CHANNELS))
    bain(*inputs()).square().sum().backward()
    for name, parameter in bain.named_parameters():
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(("side", "keys"), [(8, 8), (32, 32), (48, 24), (64, 32), (96, 32)])
def test_keys_are_averages_of_whole_blocks(side, keys):
    assert keys_side(side) == keys

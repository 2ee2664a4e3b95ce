import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samelight.lab.nn.transfer import (
    ContentEncoder,
    SqueezeExcite,
    StyleEncoder,
    TransferDecoder,
    TransferNetwork,
)

CHANNELS = (4, 8, 16)
PUBLISHED = (32, 64, 128, 256, 512)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def size_of(module):
    return sum(parameter.numel() for parameter in module.parameters())


def published():
    with torch.device("meta"):  # no need for 15 million numbers to count them
        return TransferNetwork(PUBLISHED, residual=False)


def test_the_published_size():
    network = published()
    assert size_of(network) == 15_193_315
    assert size_of(network.style) == 1_706_112
    assert network.multiple_of == 16


def kinds(module):
    """The layers that hold or apply something, in the order of their making."""
    wanted = (nn.Conv2d, nn.LeakyReLU, nn.ReLU, nn.BatchNorm2d, SqueezeExcite)
    return [type(layer).__name__ for layer in module.modules() if isinstance(layer, wanted)]


def test_layers_come_as_convolution_activation_norm():
    network = published()
    block = ["Conv2d", "LeakyReLU", "BatchNorm2d"]
    assert kinds(network.content) == block * 10 + ["SqueezeExcite"]
    assert kinds(network.style) == ["Conv2d", "ReLU", "BatchNorm2d"] * 5 + ["SqueezeExcite"]
    for level, stage in enumerate(network.decoder.stages):
        # The very last convolution has no norm after it.
        assert kinds(stage) == (block * 2)[: 6 if level else 5]
    slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}


def test_convolutions_are_the_published_ones():
    network = published()
    shapes = [
        (c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0])
        for c in network.style.modules()
        if isinstance(c, nn.Conv2d)
    ]
    assert shapes == [
        (3, 32, 7, 1), (32, 64, 3, 2), (64, 128, 3, 2), (128, 256, 3, 2), (256, 512, 3, 2)
    ]  # fmt: skip
    assert network.style.layers[0].padding_mode == "reflect"
    fuse, head = network.decoder.fuse, network.decoder.head
    assert (fuse.in_channels, fuse.out_channels, fuse.kernel_size) == (1024, 512, (3, 3))
    assert (head.in_channels, head.out_channels, head.kernel_size) == (32, 3, (1, 1))
    assert all(c.bias is not None for c in network.modules() if isinstance(c, nn.Conv2d))


@torch.no_grad()
def test_squeeze_and_excite_scales_channels_by_all_means():
    module, features = SqueezeExcite(8), torch.randn(2, 8, 3, 5) * 4
    for n in range(2):
        means = torch.stack([plane.mean() for plane in features[n]])
        hidden = (module.squeeze.weight @ means + module.squeeze.bias).clamp(min=0)
        scale = ((module.excite.weight @ hidden + module.excite.bias + 3).clamp(0, 6)) / 6
        for c in range(8):
            torch.testing.assert_close(module(features)[n, c], features[n, c] * scale[c])


def conv(layer, x, **options):
    return F.conv2d(x, layer.weight, layer.bias, **options)


def norm(layer, x):
    """A batch norm in evaluation mode."""
    mean, var = layer.running_mean[:, None, None], layer.running_var[:, None, None]
    white = (x - mean) / (var + layer.eps).sqrt()
    return white * layer.weight[:, None, None] + layer.bias[:, None, None]


def stage(layers, x):
    """Convolution, leaky ReLU and, where there is one, norm."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            x = conv(layer, x, padding=1)
            x = torch.where(x > 0, x, 0.2 * x)
        elif isinstance(layer, nn.BatchNorm2d):
            x = norm(layer, x)
    return x


def awake(network):
    """With norms and a head that do something, and weights that let it through."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, std=0.3)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3)
    return network.eval()


@torch.no_grad()
def test_the_content_encoder_pools_between_its_stages():
    encoder, image = awake(ContentEncoder(CHANNELS)), torch.randn(1, 3, 16, 8)
    levels = encoder(image)
    first = stage(encoder.stages[0], image)
    second = stage(encoder.stages[1], F.max_pool2d(first, 2))
    third = encoder.excite(stage(encoder.stages[2], F.max_pool2d(second, 2)))
    for found, wanted in zip(levels, (first, second, third), strict=True):
        torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_the_style_encoder_is_convolutions_and_a_mean_over_places():
    encoder, image = awake(StyleEncoder(CHANNELS)), torch.randn(2, 3, 16, 8)
    layers = list(encoder.layers)
    x = norm(layers[2], F.relu(conv(layers[0], F.pad(image, (3, 3, 3, 3), mode="reflect"))))
    for first in (3, 6):
        x = norm(layers[first + 2], F.relu(conv(layers[first], x, stride=2, padding=1)))
    torch.testing.assert_close(encoder(image), layers[-1](x).mean(dim=(2, 3)))


@torch.no_grad()
def test_the_decoder_is_told_the_style_everywhere_and_the_content_by_skips():
    decoder = awake(TransferDecoder(CHANNELS))
    content = [torch.randn(1, c, 16 // 2**n, 8 // 2**n) for n, c in enumerate(CHANNELS)]
    style = torch.randn(1, 16)
    tiled = style[:, :, None, None] * torch.ones(1, 1, 4, 2)
    x = conv(decoder.fuse, torch.cat([content[2], tiled], dim=1), padding=1)
    for level in (1, 0):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = torch.cat([conv(decoder.halve[level], x, padding=1), content[level]], dim=1)
        x = stage(decoder.stages[level], x)
    torch.testing.assert_close(decoder(content, style), conv(decoder.head, x))


@torch.no_grad()
def test_colours_go_from_0_1_to_the_published_range_and_back():
    network = awake(TransferNetwork(CHANNELS, residual=False))
    content, reference = torch.rand(1, 3, 8, 12), torch.rand(1, 3, 16, 4)
    levels, style = network.content(2 * content - 1), network.style(2 * reference - 1)
    wanted = (network.decoder(levels, style) + 1) / 2
    found = network(content, reference)
    assert found.shape == content.shape
    torch.testing.assert_close(found, wanted)


@torch.no_grad()
@pytest.mark.parametrize("shrink", [1, 2])
def test_a_residual_network_starts_as_its_content(shrink):
    network = TransferNetwork(CHANNELS, residual=True, shrink=shrink).eval()
    content = torch.rand(2, 3, 8, 16)
    assert torch.equal(network(content, torch.rand(2, 3, 8, 8)), content)


@torch.no_grad()
def test_a_shrunk_network_enlarges_the_change_alone():
    network = awake(TransferNetwork(CHANNELS, residual=True, shrink=2))
    assert network.multiple_of == 8
    content, reference = torch.rand(1, 3, 16, 8), torch.rand(1, 3, 8, 8)
    small = [2 * F.avg_pool2d(image, 2) - 1 for image in (content, reference)]
    change = network.decoder(network.content(small[0]), network.style(small[1]))
    assert change.shape == (1, 3, 8, 4)
    change = F.interpolate(change, size=(16, 8), mode="bilinear", align_corners=False)
    torch.testing.assert_close(network(content, reference), content + change / 2)


def test_an_image_is_not_enlarged():
    with pytest.raises(ValueError, match="shrink is 2: wanted 1, or residual=True"):
        TransferNetwork(CHANNELS, residual=False, shrink=2)


@torch.no_grad()
def test_the_reference_decides():
    network = awake(TransferNetwork(CHANNELS, residual=True))
    content = torch.rand(1, 3, 8, 8)
    dark, bright = (network(content, torch.full((1, 3, 8, 8), c)) for c in (0.1, 0.9))
    assert (dark - bright).abs().max() > 1e-2


def test_a_step_on_the_weights_brings_the_output_nearer():
    network = awake(TransferNetwork(CHANNELS, residual=True, shrink=2)).train()
    content, reference, target = (torch.rand(2, 3, 16, 16) for _ in range(3))
    before = (network(content, reference) - target).square().mean()
    before.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= 1e-3 * parameter.grad
        assert (network(content, reference) - target).square().mean() < before


def test_pictures_are_float32_under_autocast():
    network = TransferNetwork(CHANNELS, residual=True, shrink=2)
    for colour in (0.0, 1.0):
        flat = torch.full((2, 3, 16, 16), colour)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            image = network(flat, flat)
        image.square().sum().backward()
        assert image.dtype == torch.float32
        assert image.isfinite().all()
    assert all(p.grad.isfinite().all() for p in network.parameters())

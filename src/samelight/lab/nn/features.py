"""Frozen features of a network trained to recognise things: where styles are compared."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.errors import ModelError
from samelight.lab.nn.backbone import IMAGENET_MEAN, IMAGENET_STD, Backbone

VGG16_TO_RELU4_3 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512)
"""Widths of VGG16's 3x3 convolutions up to relu4_3; M is a 2x2 max pooling."""


class FrozenFeatures(nn.Module):
    """A feature extractor that no training changes.

    Args:
        layers: maps normalised images (B,3,H,W) to features (B,C,h,w).
        size_px: side to which (square) images are averaged down first, to save time; None = as they
            come.
    """

    def __init__(self, layers: nn.Module, size_px: int | None = None) -> None:
        super().__init__()
        self.layers = layers.requires_grad_(False)
        self.size_px = size_px
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        self.eval()

    def train(self, mode: bool = True) -> "FrozenFeatures":
        """Stay in evaluation mode: the batch norms' statistics are ImageNet's."""
        return super().train(False)

    def forward(self, images: Tensor, region: Tensor) -> Tensor:
        """Look at one region of some images; the rest is the average colour of ImageNet.

        Args:
            images: (B,3,H,W), nominally in [0,1], sRGB-encoded.
            region: (B,1,H,W) in [0,1], what is looked at.

        Returns:
            (B,C,h,w) float32; a gradient flows to the images.
        """
        seen = (images - self.mean) / self.std * region
        if self.size_px is not None and seen.shape[-1] > self.size_px:
            seen = F.adaptive_avg_pool2d(seen, self.size_px)
        features: Tensor = self.layers(seen.contiguous(memory_format=torch.channels_last))
        return features.float()


def efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0 to its stride of 8: 40 channels."""
    backbone = Backbone(stages=3, frozen=3)
    return nn.Sequential(backbone.stem, nn.ReLU6(inplace=True), *backbone.stages)


def vgg16(weights: Path) -> nn.Module:
    """VGG16 to relu4_3 (512 channels, stride 8): the extractor of SCS-Co's paper.

    Args:
        weights: a state dict with torchvision's names, features.0.weight and so on; its other
            entries are not looked at.

    Raises:
        ModelError: when the file is missing or does not hold them.
    """
    layers: list[nn.Module] = []
    channels = 3
    for width in VGG16_TO_RELU4_3:
        if isinstance(width, int):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(*layers)
    wanted = "wanted VGG16's state dict with torchvision's names"
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: {wanted}")
    try:
        found = dict(torch.load(weights, weights_only=True, map_location="cpu"))
        network.load_state_dict({name: found[f"features.{name}"] for name in network.state_dict()})
    except Exception as error:  # whatever a file that is something else makes torch raise
        raise ModelError(f"{weights} does not hold the extractor's weights: {wanted}") from error
    return network


def frozen_features(weights: str | None = None, size_px: int | None = None) -> FrozenFeatures:
    """Make the extractor: EfficientNet-Lite0, or VGG16 from a file of weights.

    Args:
        weights: a path to VGG16's weights; None = EfficientNet-Lite0.
        size_px: as in `FrozenFeatures`.
    """
    return FrozenFeatures(
        efficientnet_lite0() if weights is None else vgg16(Path(weights)), size_px
    )

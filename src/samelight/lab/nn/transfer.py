"""SSH's network: a content branch whose decoder is told the style of a reference.

Layers as in the official inference code (VITA-Group/SSHarmonization), written anew from its
description: convolution, activation, norm, in that order.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.lab.nn.heads import enlarge


class SqueezeExcite(nn.Module):
    """Scale each channel by what all channels' means say: two linear layers, hard sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // 4)
        self.excite = nn.Linear(channels // 4, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Scale (B,C,h,w)."""
        means = features.mean(dim=(2, 3))
        scale: Tensor = F.hardsigmoid(self.excite(F.relu(self.squeeze(means))))
        return features * scale[:, :, None, None]


def double_conv(inputs: int, outputs: int, *, last_norm: bool = True) -> nn.Sequential:
    """Twice 3x3 convolution, leaky ReLU, batch norm; the last norm can be left out."""
    layers: list[nn.Module] = []
    for number, channels in enumerate((inputs, outputs)):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.LeakyReLU(0.2)]
        if number == 0 or last_norm:
            layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers)


class ContentEncoder(nn.Module):
    """Double convolutions with 2x2 max pooling between them, then squeeze and excite."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        inputs = (3, *channels[:-1])
        self.stages = nn.ModuleList(map(double_conv, inputs, channels))
        self.excite = SqueezeExcite(channels[-1])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode (B,3,H,W) in [-1,1]: one map per level, finest first, the last one excited."""
        levels = [self.stages[0](image)]
        for stage in list(self.stages)[1:]:
            levels.append(stage(F.max_pool2d(levels[-1], 2)))
        levels[-1] = self.excite(levels[-1])
        return levels


class StyleEncoder(nn.Module):
    """A 7x7 convolution and strided ones, squeeze and excite, and the mean over all places."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        first = nn.Conv2d(3, channels[0], 7, padding=3, padding_mode="reflect")
        layers: list[nn.Module] = [first, nn.ReLU(), nn.BatchNorm2d(channels[0])]
        for finer, coarser in pairwise(channels):
            halving = nn.Conv2d(finer, coarser, 3, stride=2, padding=1)
            layers += [halving, nn.ReLU(), nn.BatchNorm2d(coarser)]
        self.layers = nn.Sequential(*layers, SqueezeExcite(channels[-1]))

    def forward(self, image: Tensor) -> Tensor:
        """Encode (B,3,H,W) in [-1,1] to a style (B,C)."""
        features: Tensor = self.layers(image)
        return features.mean(dim=(2, 3))


class TransferDecoder(nn.Module):
    """From the deepest content and a style back to an image, with the content's skips."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        deepest = channels[-1]
        self.fuse = nn.Conv2d(2 * deepest, deepest, 3, padding=1)
        pairs = list(pairwise(channels))
        self.halve = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairs)
        self.stages = nn.ModuleList(
            double_conv(2 * width, width, last_norm=level > 0)
            for level, width in enumerate(channels[:-1])
        )
        self.head = nn.Conv2d(channels[0], 3, 1)

    def forward(self, content: Sequence[Tensor], style: Tensor) -> Tensor:
        """Decode levels of a content and a style (B,C) to (B,3,h,w)."""
        tiled = style[:, :, None, None].expand(-1, -1, *content[-1].shape[-2:])
        features = self.fuse(torch.cat([content[-1], tiled.to(content[-1].dtype)], dim=1))
        for level in reversed(range(len(self.stages))):
            larger = F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            halved = self.halve[level](larger)
            features = self.stages[level](torch.cat([halved, content[level]], dim=1))
        out: Tensor = self.head(features)
        return out


class TransferNetwork(nn.Module):
    """Gives a content image the style of a reference.

    Args:
        channels: width of each level, finest first.
        residual: predict the change instead of the image, starting at none (ours); False is the
            published network.
        shrink: how much smaller than the image the finest level is (ours, with `residual`): the
            image is averaged down, the change enlarged; 1 is the published network.

    Raises:
        ValueError: when an image, not a change, would be enlarged.
    """

    def __init__(self, channels: Sequence[int], *, residual: bool, shrink: int = 1) -> None:
        super().__init__()
        if shrink > 1 and not residual:
            raise ValueError(f"shrink is {shrink}: wanted 1, or residual=True")
        self.residual, self.shrink = residual, shrink
        self.multiple_of = shrink * 2 ** (len(channels) - 1)
        self.content = ContentEncoder(channels)
        self.style = StyleEncoder(channels)
        self.decoder = TransferDecoder(channels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=0.2)
        if residual:
            nn.init.zeros_(self.decoder.head.weight)
            nn.init.zeros_(self.decoder.head.bias)  # type: ignore[arg-type]

    def encode_content(self, image: Tensor) -> list[Tensor]:
        """Encode a content: (B,3,H,W) in [0,1], H and W multiples of `multiple_of`."""
        levels: list[Tensor] = self.content(self._prepare(image))
        return levels

    def encode_style(self, image: Tensor) -> Tensor:
        """Encode a reference's style: (B,3,H,W) in [0,1] -> (B,C)."""
        style: Tensor = self.style(self._prepare(image))
        return style

    def decode(self, content: Sequence[Tensor], style: Tensor, image: Tensor) -> Tensor:
        """Decode an encoded content under a style.

        Args:
            content: as `encode_content` returns it.
            style: (B,C).
            image: (B,3,H,W) in [0,1], the content's picture.

        Returns:
            (B,3,H,W) float32, nominally in [0,1].
        """
        decoded: Tensor = self.decoder(content, style)
        # The published network's range is [-1,1].
        return image + enlarge(decoded, image) / 2 if self.residual else (decoded.float() + 1) / 2

    def forward(self, content: Tensor, reference: Tensor) -> Tensor:
        """Transfer a style: two (B,3,H,W) in [0,1] -> (B,3,H,W)."""
        return self.decode(self.encode_content(content), self.encode_style(reference), content)

    def _prepare(self, image: Tensor) -> Tensor:
        return 2 * (F.avg_pool2d(image, self.shrink) if self.shrink > 1 else image) - 1

"""Statistics of a feature map over the foreground and over the background.

Always in float32 and outside autocast: half precision loses the variance of bright, flat regions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5
"""Added to areas and variances, as RainNet's released code does; keeps empty regions finite."""


class Moments(NamedTuple):
    """Mean and standard deviation of one region: each (B,C) float32."""

    mean: Tensor
    std: Tensor


class RegionMoments(NamedTuple):
    """The moments of both regions of a composite."""

    foreground: Moments
    background: Moments

    def row(self) -> Tensor:
        """All four side by side, (B,4 C)."""
        return torch.cat([*self.foreground, *self.background], dim=1)


def resize_mask(mask: Tensor, size: Sequence[int]) -> Tensor:
    """Average a mask down to a feature map's size, so that a thin foreground does not vanish.

    Args:
        mask: (B,1,H,W) in [0,1], 1 = foreground.
        size: (h, w) of the feature map.

    Returns:
        (B,1,h,w) in [0,1].
    """
    return (
        mask
        if tuple(mask.shape[-2:]) == tuple(size)
        else F.adaptive_avg_pool2d(mask, (size[0], size[1]))
    )


def region_moments(features: Tensor, mask: Tensor) -> RegionMoments:
    """Mean and standard deviation over the foreground and the background, per image and channel.

    A region without a single pixel has mean 0 and a standard deviation of sqrt(EPSILON).

    Args:
        features: (B,C,H,W), any floating type.
        mask: (B,1,H,W) in [0,1], 1 = foreground; soft values weigh a pixel in both regions.

    Returns:
        Float32 moments of both regions, (B,C) each.
    """
    with torch.autocast(features.device.type, enabled=False):
        values = features.float().flatten(2)
        foreground = mask.float().flatten(2)
        weights = torch.cat([foreground, 1 - foreground], dim=1)
        area = weights.sum(dim=2)[:, None]
        weights = weights.transpose(1, 2)
        # Sums are divided, not the weights: there are fewer of them.
        per_area = 1 / (area + EPSILON)
        # Centred on the whole map first: the difference of squares below then cancels little.
        centre = values.mean(dim=2, keepdim=True).detach()
        centred = values - centre
        mean = (centred @ weights) * per_area
        # The weights' share is just under one, or zero for an empty region: subtract accordingly.
        share = area * per_area
        variance = (centred.square() @ weights) * per_area - mean.square() * (2 - share)
        std = (variance.clamp(min=0) + EPSILON).sqrt()
        mean = mean + centre * share
    return RegionMoments(
        Moments(mean[..., 0], std[..., 0]),
        Moments(mean[..., 1], std[..., 1]),
    )


def per_channel(values: Tensor) -> Tensor:
    """Shape (B,C) statistics so that they broadcast over a (B,C,H,W) feature map."""
    return values[:, :, None, None]

"""Heads that turn a region's features into unit vectors to be contrasted."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.lab.nn.regions import EPSILON, region_moments, resize_mask

PATCH_SIDE = 8
"""Places per side when places, not regions, are contrasted."""


class Bag(NamedTuple):
    """The codes of a region: one for the whole of it, or one for each of its places."""

    codes: Tensor
    """(B,P,D), of unit length."""
    weights: Tensor
    """(B,P), how much each place belongs to the region."""


class RegionCode(nn.Module):
    """One code for a region: its mean and deviation, through two linear layers (ours).

    Free of content: two regions of one light can meet whatever they show.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.mapping = _mapping(2 * channels, width)

    def forward(self, features: Tensor, region: Tensor) -> Bag:
        """Code a region: features (B,C,h,w), region (B,1,H,W) -> a bag of one."""
        cover = resize_mask(region.float(), features.shape[-2:])
        moments = region_moments(features, cover).foreground
        code = F.normalize(self.mapping(torch.cat([*moments], dim=1)).float(), dim=1, eps=EPSILON)
        return Bag(code[:, None], cover.sum(dim=(2, 3)))


class PatchCode(nn.Module):
    """A code for every place of a region, as in CUT's PatchNCE, on at most 8x8 places."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.mapping = _mapping(channels, width)

    def forward(self, features: Tensor, region: Tensor) -> Bag:
        """Code the places of a region: features (B,C,h,w), region (B,1,H,W) -> a bag of h w."""
        size = (min(features.shape[-2], PATCH_SIDE), min(features.shape[-1], PATCH_SIDE))
        cover = resize_mask(region.float(), size).flatten(1)
        places = F.adaptive_avg_pool2d(features, size).flatten(2).transpose(1, 2)
        codes = F.normalize(self.mapping(places).float(), dim=2, eps=EPSILON)
        return Bag(codes, cover)


CODES = {"region": RegionCode, "patch": PatchCode}
"""The heads by the name a configuration gives them."""


def code_heads(kind: str, channels: Sequence[int], width: int) -> nn.ModuleList:
    """Make one head per level.

    Raises:
        ValueError: for another kind.
    """
    if kind not in CODES:
        raise ValueError(f'code is "{kind}", wanted one of {", ".join(CODES)}')
    return nn.ModuleList(CODES[kind](level, width) for level in channels)


def _mapping(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width))

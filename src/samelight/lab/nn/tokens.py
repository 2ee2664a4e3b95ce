"""An image as a short sequence of places that look at one another."""

import torch
from torch import Tensor, nn

from samelight.lab.nn.regions import resize_mask

LEAST_SHARE = 0.01
"""A region with less than this share of a place has no colour there."""


class TokenBlock(nn.Module):
    """Self-attention and a two-layer network, each after a norm and added to its input.

    The attention is written out: its products are few, and it exports as it stands.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attend_norm = nn.LayerNorm(width)
        self.triple = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.mix_norm = nn.LayerNorm(width)
        wider = 3 * width
        self.mix = nn.Sequential(nn.Linear(width, wider), nn.GELU(), nn.Linear(wider, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform (B,N,width)."""
        queries, keys, values = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in self.triple(self.attend_norm(tokens)).chunk(3, dim=2)
        )
        scale = queries.shape[-1] ** -0.5
        weights = (scale * queries @ keys.transpose(2, 3)).softmax(dim=-1)
        together = (weights.to(values.dtype) @ values).transpose(1, 2).flatten(2)
        tokens = tokens + self.attended(together)
        mixed: Tensor = tokens + self.mix(self.mix_norm(tokens))
        return mixed


def place_colours(composite: Tensor, mask: Tensor, size: tuple[int, int]) -> Tensor:
    """What colour foreground and background have in each place, and how much of it is foreground.

    Args:
        composite: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1].
        size: (h, w), places down and across.

    Returns:
        (B,7,h,w): two mean colours about 0, in [-2,2], 0 where a region has no share of the place;
        and the foreground's share, in [-1,1].
    """
    share = resize_mask(mask, size)
    parts = []
    for region, cover in ((mask, share), (1 - mask, 1 - share)):
        colour = resize_mask(composite * region, size) / cover.clamp(min=LEAST_SHARE)
        parts.append(4 * (colour - 0.5) * (cover > LEAST_SHARE))
    return torch.cat([*parts, 2 * share - 1], dim=1)


def region_means(tokens: Tensor, share: Tensor) -> Tensor:
    """Average tokens over the foreground and over the background.

    Args:
        tokens: (B,N,C).
        share: (B,1,N) in [0,1], how much of a place is foreground.

    Returns:
        (B,2 C) float32; zeros for a region without any place.
    """
    weights = torch.cat([share, 1 - share], dim=1).float()
    weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=LEAST_SHARE)
    return (weights @ tokens.float()).flatten(1)

"""Fusion modules for the decoder: the foreground takes on the background's feature statistics.

All fill the U-Net's `fuse` slot, (decoded (B,C,h,w), skip (B,C,h,w), mask (B,1,H,W)) -> (B,C,h,w),
work in float32 outside autocast, and take soft masks.
"""

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.lab.nn.regions import (
    EPSILON,
    Moments,
    RegionMoments,
    per_channel,
    region_moments,
    resize_mask,
)

MAX_KEYS_SIDE = 32
"""Background features are averaged down to this before attention looks at them."""


class InstanceNorm(nn.Module):
    """Whole-map instance norm without affine parameters: knows no regions, the plain baseline."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, decoded: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
        """Normalise `decoded`."""
        with torch.autocast(decoded.device.type, enabled=False):
            return F.instance_norm(decoded.float(), eps=EPSILON).to(decoded.dtype)


class RegionNorm(nn.Module, ABC):
    """What RAIN, ESF and BAIN share; a subclass says which statistics the foreground takes on.

    Foreground: ((x - mean_f) / std_f * std_s + mean_s) (1 + gamma_f) + beta_f with the style s.
    Background: (x - mean_b) / std_b (1 + gamma_b) + beta_b.
    The four vectors start at zero. That the background is whitened while the foreground takes on
    unwhitened statistics is as in RainNet's released code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(2, channels))
        self.shift = nn.Parameter(torch.zeros(2, channels))

    def forward(self, decoded: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
        """Restyle the foreground of `decoded` and whiten its background."""
        with torch.autocast(decoded.device.type, enabled=False):
            values, cover = decoded.float(), resize_mask(mask.float(), decoded.shape[-2:])
            own = _moments(values, cover)
            mean, std = self.style(values, skip.float(), cover, own)
            white = _whiten(values, own.foreground)
            foreground = self._affine(white * std + mean, 0)
            background = self._affine(_whiten(values, own.background), 1)
            restyled: Tensor = background + cover * (foreground - background)
        return restyled.to(decoded.dtype)

    @abstractmethod
    def style(
        self, decoded: Tensor, skip: Tensor, cover: Tensor, own: RegionMoments
    ) -> tuple[Tensor, Tensor]:
        """Return the mean and deviation that the foreground takes on.

        Args:
            decoded: (B,C,h,w) float32.
            skip: (B,C,h,w) float32, the encoder's features of this level.
            cover: (B,1,h,w), the mask at this size.
            own: the moments of `decoded`.

        Returns:
            Two tensors, (B,C,1,1) or (B,C,h,w).
        """

    def _affine(self, values: Tensor, region: int) -> Tensor:
        scaled: Tensor = values * per_channel(1 + self.scale[region][None])
        return scaled + per_channel(self.shift[region][None])


class RAIN(RegionNorm):
    """Region-aware adaptive instance norm: the background of the decoder's own features.

    Source: RainNet (Ling et al., CVPR 2021), released code.
    """

    def style(
        self, decoded: Tensor, skip: Tensor, cover: Tensor, own: RegionMoments
    ) -> tuple[Tensor, Tensor]:
        """Take the decoder's background."""
        return per_channel(own.background.mean), per_channel(own.background.std)


class ExternalStyleFusion(RegionNorm):
    """ESF: the style comes from outside the decoder, from the encoder's background.

    Source: the abstract of RCL-ESF (Liang & Pun, arXiv 2205.14058); the equation is our
    reconstruction (docs/methods/rcl_esf.md).

    Args:
        channels: width of the level.
        style_source: "encoder"; "decoder" makes it RAIN; "both" averages the two.

    Raises:
        ValueError: for another source.
    """

    def __init__(self, channels: int, style_source: str = "encoder") -> None:
        super().__init__(channels)
        if style_source not in ("encoder", "decoder", "both"):
            raise ValueError(f'style_source is "{style_source}", wanted encoder, decoder or both')
        self.style_source = style_source

    def style(
        self, decoded: Tensor, skip: Tensor, cover: Tensor, own: RegionMoments
    ) -> tuple[Tensor, Tensor]:
        """Take the background of the chosen features."""
        inside = own.background
        if self.style_source == "decoder":
            return per_channel(inside.mean), per_channel(inside.std)
        outside = _moments(skip, cover).background
        if self.style_source == "both":
            outside = Moments((inside.mean + outside.mean) / 2, (inside.std + outside.std) / 2)
        return per_channel(outside.mean), per_channel(outside.std)


class BAIN(RegionNorm):
    """Background-attentional adaptive instance norm.

    Each foreground place attends to the background places that its features resemble, and takes on
    the mean and deviation of those:

        A_ij = softmax over background j of (q_i . k_j / sqrt(width)),  q, k from whitened features
        mean_i = sum_j A_ij x_j,   std_i = sqrt(sum_j A_ij x_j^2 - mean_i^2 + eps)

    A place counts by how much background it is, so keys averaged over whole blocks of places keep
    the statistics exact, and with zero queries this is RAIN. Attention grows with places times
    keys: keys are averaged down to at most 32x32, in whole blocks.

    Source: the abstract of SCS-Co (Hang et al., CVPR 2022); the equations are our reconstruction
    after AdaAttN (docs/methods/scs_co.md).

    Args:
        channels: width of the level.
        key_width: size of queries and keys; None = half the width.
    """

    def __init__(self, channels: int, key_width: int | None = None) -> None:
        super().__init__(channels)
        width = key_width or channels // 2
        self.query = nn.Conv2d(channels, width, 1)
        # A bias would add the same to all of a query's products: the softmax would not see it.
        self.key = nn.Conv2d(channels, width, 1, bias=False)

    def style(
        self, decoded: Tensor, skip: Tensor, cover: Tensor, own: RegionMoments
    ) -> tuple[Tensor, Tensor]:
        """Attend to the background: statistics of raw values, one pair per place."""
        white_f = _whiten(decoded, own.foreground)
        white_b = _whiten(decoded, own.background)
        size = tuple(keys_side(side) for side in decoded.shape[-2:])
        # Weighted by how much background a place is; in an image with less than one place of it,
        # as in `_moments`, by how much foreground.
        weight = 1 - cover
        weight = torch.where(weight.sum(dim=(2, 3), keepdim=True) < 1, cover, weight)
        pooled = resize_mask(weight, size)
        # Centred first: the difference of squares below then cancels little.
        centre = per_channel(own.background.mean)
        centred = decoded - centre
        raw = torch.cat([centred, centred.square(), white_b], dim=1)
        raw = resize_mask(raw * weight, size) / pooled.clamp(min=EPSILON)
        values, keys = raw[:, : 2 * decoded.shape[1]], raw[:, 2 * decoded.shape[1] :]
        queries = self.query(white_f).flatten(2).transpose(1, 2)
        mixed = _attend(
            queries,
            self.key(keys).flatten(2).transpose(1, 2),
            values.flatten(2).transpose(1, 2),
            pooled.log().flatten(2),
        )
        shape = (-1, 2 * decoded.shape[1], *decoded.shape[-2:])
        mean, square = mixed.transpose(1, 2).reshape(shape).chunk(2, dim=1)
        return mean + centre, ((square - mean.square()).clamp(min=0) + EPSILON).sqrt()


def keys_side(side: int) -> int:
    """The largest side up to MAX_KEYS_SIDE whose keys are averages of whole blocks of places."""
    return next(keys for keys in range(min(side, MAX_KEYS_SIDE), 0, -1) if side % keys == 0)


def _attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(width) + bias) v, for (B,n,w), (B,m,w), (B,m,c) and (B,1,m)."""
    scale = 1 / math.sqrt(queries.shape[-1])
    if torch.onnx.is_in_onnx_export():
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, scale=scale)
    # Widths made equal with zeros, and one head: PyTorch then takes its kernel that never holds
    # the n x m products.
    wider = (0, values.shape[-1] - queries.shape[-1])
    attended: Tensor = F.scaled_dot_product_attention(
        F.pad(queries, wider)[:, None],
        F.pad(keys, wider)[:, None],
        values[:, None],
        attn_mask=bias.expand(-1, queries.shape[1], -1)[:, None],
        scale=scale,
    )
    return attended[:, 0]


def _whiten(values: Tensor, moments: Moments) -> Tensor:
    return (values - per_channel(moments.mean)) / per_channel(moments.std)


def _moments(values: Tensor, cover: Tensor) -> RegionMoments:
    """Both regions' moments; of a region with less than one place, the other's.

    Whitened by its own moments of zero, an empty region would explode.
    """
    found = region_moments(values, cover)
    areas = (cover.sum(dim=(2, 3)), (1 - cover).sum(dim=(2, 3)))
    filled = []
    for own, other, area in ((*found, areas[0]), (*found[::-1], areas[1])):
        filled.append(
            Moments(*(torch.where(area < 1, *pair) for pair in zip(other, own, strict=True)))
        )
    return RegionMoments(*filled)


FUSIONS = {"instance": InstanceNorm, "rain": RAIN, "esf": ExternalStyleFusion, "bain": BAIN}
"""The fusion modules by the name a configuration gives them."""

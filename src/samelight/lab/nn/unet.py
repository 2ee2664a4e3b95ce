"""The U-Net that the methods share, with a slot for a fusion module at each decoder level."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.lab.nn.heads import HEADS
from samelight.lab.nn.layers import residual_stack, stem


class PlainFusion(nn.Module):
    """Leave the decoder's features as they are: the slot's default."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, decoded: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
        """Return `decoded`, (B,C,h,w)."""
        return decoded


FuseFactory = Callable[[int], nn.Module]
"""Makes a module of (decoded (B,C,h,w), skip (B,C,h,w), mask (B,1,H,W)) -> (B,C,h,w) for C."""


class UNet(nn.Module):
    """Encoder of residual stages, decoder with skips, and a head that recolours the composite.

    Args:
        channels: width of each level, finest first; multiples of 8.
        blocks: residual blocks per encoder level.
        decoder_blocks: residual blocks per decoder level.
        stem_stride: 1, 2 or 4: how much smaller than the image the finest level is.
        fuse: makes the fusion module of a decoder level from its width.
        head: "affine" (a colour map per place) or "blend" (iDIH's image fusion).
    """

    def __init__(
        self,
        *,
        channels: Sequence[int],
        blocks: int = 2,
        decoder_blocks: int = 1,
        stem_stride: int = 4,
        fuse: FuseFactory = PlainFusion,
        head: str = "affine",
    ) -> None:
        super().__init__()
        finer, coarser = channels[:-1], channels[1:]
        pairs = list(zip(finer, coarser, strict=True))
        self.channels = tuple(channels)
        self.multiple_of = stem_stride * 2 ** len(finer)
        self.stem = stem(4, channels[0], stem_stride)
        self.encoder = nn.ModuleList(residual_stack(width, blocks) for width in channels)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.fuse = nn.ModuleList(fuse(width) for width in finer)
        self.merge = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in finer)
        self.decoder = nn.ModuleList(residual_stack(width, decoder_blocks) for width in finer)
        self.head = HEADS[head](channels[0])

    def encode(self, composite: Tensor, mask: Tensor) -> list[Tensor]:
        """Encode a composite and its mask.

        Args:
            composite: (B,3,H,W) in [0,1]; H and W multiples of `multiple_of`.
            mask: (B,1,H,W) in [0,1], 1 = foreground.

        Returns:
            One feature map per level, finest first.
        """
        features = self.stem(torch.cat([2 * composite - 1, 2 * mask - 1], dim=1))
        levels = [self.encoder[0](features)]
        for down, stage in zip(self.down, list(self.encoder)[1:], strict=True):
            levels.append(stage(down(levels[-1])))
        return levels

    def decode(
        self,
        levels: Sequence[Tensor],
        composite: Tensor,
        mask: Tensor,
        global_coefficients: Tensor | None = None,
    ) -> Tensor:
        """Decode feature maps to an image; only the foreground differs from the composite.

        Args:
            levels: as `encode` returns them, perhaps transformed.
            composite: (B,3,H,W) in [0,1].
            mask: (B,1,H,W) in [0,1].
            global_coefficients: (B,12), coefficients added to the affine head's at every place.

        Returns:
            (B,3,H,W), float32, not clipped.
        """
        features = levels[-1]
        for level in reversed(range(len(levels) - 1)):
            skip = levels[level]
            enlarged = F.interpolate(self.up[level](features), scale_factor=2.0, mode="nearest")
            fused = self.fuse[level](enlarged, skip, mask)
            merged = self.merge[level](torch.cat([skip, fused], dim=1))
            features = self.decoder[level](merged)
        recoloured: Tensor = self.head(features, composite, global_coefficients)
        return composite + mask * (recoloured - composite)

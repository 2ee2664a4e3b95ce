"""What methods have in common: the U-Net's shape, how it is used, and the pixel error."""

from dataclasses import dataclass

from torch import Tensor

from samelight.lab.contract import Losses, Use
from samelight.lab.losses.pixel import foreground_absolute_error, foreground_squared_error
from samelight.lab.nn.unet import FuseFactory, PlainFusion, UNet
from samelight.models.spec import View


@dataclass(frozen=True, kw_only=True)
class PixelLoss:
    """Weights of the pixel terms; the methods' losses add theirs."""

    squared_weight: float = 12.0
    """Weight of the squared error: makes both pixel terms alike at an error of 1/12."""
    absolute_weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class UNetShape:
    """Shape of the U-Net; the methods' shapes add theirs."""

    channels: tuple[int, ...] = (48, 80, 128, 192)
    """Width of each level, finest first."""
    blocks: int = 2
    """Residual blocks per encoder level."""
    decoder_blocks: int = 1
    """Residual blocks per decoder level."""
    stem_stride: int = 4
    """How much smaller than the image the finest level is."""
    head: str = "affine"
    """"affine" colour map, or iDIH's "blend"."""


UNET_USE = Use(views=(View(size_px=384),))
"""The whole photo at three times the recipes' 128 px: for GiftNet clearly better than once or twice
(docs/methods/giftnet.md)."""


def make_unet(shape: UNetShape, fuse: FuseFactory = PlainFusion) -> UNet:
    """Build the U-Net of a shape around a method's fusion module."""
    return UNet(
        channels=shape.channels,
        blocks=shape.blocks,
        decoder_blocks=shape.decoder_blocks,
        stem_stride=shape.stem_stride,
        fuse=fuse,
        head=shape.head,
    )


def pixel_losses(image: Tensor, real: Tensor, mask: Tensor, loss: PixelLoss) -> Losses:
    """Compare an output with the real image: terms `squared` and `absolute`, and their sum.

    Args:
        image: (B,3,H,W), nominally in [0,1].
        real: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1].
        loss: has the weights.
    """
    squared = foreground_squared_error(image, real, mask)
    absolute = foreground_absolute_error(image, real, mask)
    total = loss.squared_weight * squared + loss.absolute_weight * absolute
    return Losses(total, {"squared": squared, "absolute": absolute})

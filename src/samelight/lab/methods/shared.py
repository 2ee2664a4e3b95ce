"""What methods have in common: the U-Net's shape and the pixel error."""

from dataclasses import dataclass

from torch import Tensor

from samelight.lab.contract import Losses
from samelight.lab.losses.pixel import foreground_absolute_error, foreground_squared_error
from samelight.lab.nn.unet import FuseFactory, PlainFusion, UNet


@dataclass(frozen=True, kw_only=True)
class PixelWeights:
    """Weights of the pixel terms; configurations add theirs."""

    squared_weight: float = 12.0
    """Weight of the squared error: makes both pixel terms alike at an error of 1/12."""
    absolute_weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class UNetConfig(PixelWeights):
    """Shape of the U-Net; the methods' configurations add theirs."""

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
    size_px: int = 384
    """Side of the input at inference, three times the recipes' 128 px: for GiftNet clearly better
    than once or twice (docs/methods/giftnet.md)."""


def make_unet(config: UNetConfig, fuse: FuseFactory = PlainFusion) -> UNet:
    """Build the U-Net of a configuration around a method's fusion module."""
    return UNet(
        channels=config.channels,
        blocks=config.blocks,
        decoder_blocks=config.decoder_blocks,
        stem_stride=config.stem_stride,
        fuse=fuse,
        head=config.head,
    )


def pixel_losses(image: Tensor, real: Tensor, mask: Tensor, config: PixelWeights) -> Losses:
    """Compare an output with the real image: terms `squared` and `absolute`, and their sum.

    Args:
        image: (B,3,H,W), nominally in [0,1].
        real: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1].
        config: has the weights.
    """
    squared = foreground_squared_error(image, real, mask)
    absolute = foreground_absolute_error(image, real, mask)
    total = config.squared_weight * squared + config.absolute_weight * absolute
    return Losses(total, {"squared": squared, "absolute": absolute})

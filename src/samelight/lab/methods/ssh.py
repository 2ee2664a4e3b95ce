"""SSH: self-supervised harmonization from plain photos, by two crops and two look-up tables.

The network follows the official inference code; the training losses, never released, are our
reconstruction. docs/methods/ssh.md tells which is which.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from samelight.lab.contract import (
    Config,
    Losses,
    Method,
    Network,
    Objective,
    Paper,
    Recipe,
    Stage,
    Trace,
    Use,
)
from samelight.lab.data.crops import CropsView
from samelight.lab.losses.pixel import foreground_absolute_error
from samelight.lab.nn.regions import EPSILON
from samelight.lab.nn.transfer import TransferNetwork
from samelight.models.spec import View


@dataclass(frozen=True, kw_only=True)
class SshShape:
    """Shape of the network."""

    channels: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Width of each level, finest first."""
    residual: bool = True
    """Predict the change, not the image (ours)."""
    shrink: int = 2
    """How much smaller than the image the finest level is (ours, with `residual`)."""


@dataclass(frozen=True, kw_only=True)
class SshLoss:
    """Weights of the loss terms."""

    reconstruct_weight: float = 1.0
    harmonize_weight: float = 1.0
    content_weight: float = 0.1
    """Weight of the output having the target's content; 0 leaves the term out."""
    style_weight: float = 0.1
    """Weight of the output having the reference's style; 0 leaves the term out."""


class TransferBatch(NamedTuple):
    """Crops of plain photos, float32 in [0,1], sRGB-encoded RGB, (B,3,H,W) each."""

    content: Tensor
    same_style: Tensor
    other_style: Tensor
    target: Tensor
    content_mask: Tensor
    """(B,1,H,W), 1 = visible."""
    reference_mask: Tensor
    """(B,1,H,W), 1 = visible."""


class Ssh(Network):
    """The foreground is the content, the background the reference.

    The published network has no mask: it is given two photos. Here each region of the composite
    stands alone, the rest of the picture filled with its mean colour (ours).
    """

    def __init__(self, shape: SshShape) -> None:
        super().__init__()
        self.transfer = TransferNetwork(
            shape.channels, residual=shape.residual, shrink=shape.shrink
        )
        self.multiple_of = self.transfer.multiple_of

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Give the foreground the background's style; no features are kept."""
        transferred = self.transfer(alone(composite, mask), alone(composite, 1 - mask))
        return Trace(composite + mask * (transferred - composite), {})


def alone(image: Tensor, region: Tensor) -> Tensor:
    """Fill all but a region with the region's mean colour: (B,3,H,W), (B,1,H,W) -> (B,3,H,W).

    An empty region gives the whole image's mean colour.
    """
    weight = region + (region.sum(dim=(2, 3), keepdim=True) < EPSILON)
    mean = (image * weight).sum(dim=(2, 3), keepdim=True) / weight.sum(dim=(2, 3), keepdim=True)
    return region * image + (1 - region) * mean


class SshObjective(Objective):
    """Reconstruct a crop under its own style, restyle it under another, keep content and style."""

    batch = TransferBatch

    def __init__(self, network: Ssh, loss: SshLoss) -> None:
        super().__init__()
        self.network: Ssh = network
        self.loss = loss

    def forward(self, batch: TransferBatch) -> Losses:
        """Compare both transfers with what the tables made of the content."""
        loss, transfer, visible = self.loss, self.network.transfer, batch.content_mask
        content = alone(batch.content, visible)
        styles = [
            transfer.encode_style(alone(reference, batch.reference_mask))
            for reference in (batch.same_style, batch.other_style)
        ]
        encoded = transfer.encode_content(content)
        kept, moved = (transfer.decode(encoded, style, content) for style in styles)
        reconstruct = foreground_absolute_error(visible * kept, visible * batch.content, visible)
        harmonize = foreground_absolute_error(visible * moved, visible * batch.target, visible)
        total = loss.reconstruct_weight * reconstruct + loss.harmonize_weight * harmonize
        terms = {"reconstruct": reconstruct, "harmonize": harmonize}
        output = alone(moved, visible)
        if loss.content_weight > 0:
            with torch.no_grad():
                wanted = transfer.encode_content(alone(batch.target, visible))[-1]
            with _as_perceptual_features(transfer):
                found = transfer.encode_content(output)[-1]
            terms["content"] = (found - wanted).float().abs().mean()
            total = total + loss.content_weight * terms["content"]
        if loss.style_weight > 0:
            with _as_perceptual_features(transfer):
                found = transfer.encode_style(output)
            terms["style"] = (found - styles[1].detach()).float().abs().mean()
            total = total + loss.style_weight * terms["style"]
        return Losses(total, terms)


@contextmanager
def _as_perceptual_features(module: nn.Module) -> Iterator[None]:
    """Let gradients pass through a module to its input and leave its weights alone.

    Taught by these terms, the encoders would answer the same to everything, and be right.
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


SSH = Method(
    name="ssh",
    paper=Paper(
        title="SSH: A Self-Supervised Framework for Image Harmonization",
        authors="Yifan Jiang, He Zhang, Jianming Zhang, Yilin Wang, Zhe Lin, Kalyan Sunkavalli, "
        "Simon Chen, Sohrab Amirghodsi, Sarah Kong, Zhangyang Wang",
        venue="ICCV 2021",
        arxiv="2108.06805",
    ),
    configs={
        # At the training's size: a style depends on scale.
        "small": Config(
            shape=SshShape(),
            loss=SshLoss(),
            examples=CropsView(),
            use=Use(views=(View(size_px=128),)),
        ),
        "paper": Config(
            shape=SshShape(channels=(32, 64, 128, 256, 512), residual=False, shrink=1),
            loss=SshLoss(),
            examples=CropsView(luts=100),
            use=Use(views=(View(size_px=256),)),
        ),
    },
    network=Ssh,
    objective=SshObjective,
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=60_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

"""SCS-Co: self-consistent style contrast, and normalization that attends to the background.

Re-implemented from the published idea; what is certain and what is ours is told in
docs/methods/scs_co.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

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
)
from samelight.lab.data.negatives import ContrastView
from samelight.lab.losses.style import CONSISTENCIES, self_consistent_contrast
from samelight.lab.methods.shared import UNET_USE, PixelLoss, UNetShape, make_unet, pixel_losses
from samelight.lab.nn.features import frozen_features
from samelight.lab.nn.norms import FUSIONS


@dataclass(frozen=True, kw_only=True)
class ScsCoShape(UNetShape):
    """What the method adds to the U-Net."""

    fuse: str = "bain"
    """"bain", or a baseline: "rain", "instance"."""


@dataclass(frozen=True, kw_only=True)
class ScsCoLoss(PixelLoss):
    """What the method adds to the pixel error."""

    self_style_weight: float = 0.05
    """Weight of the foreground's own style; with the next one 0 too, no perceptual features are
    asked for."""
    consistency_weight: float = 0.05
    """Weight of foreground-background style consistency."""
    consistency: str = "channels"
    """"channels": C x C cross-Gram; "places": inner products of places, as in PCT-Net's code."""
    detach_negatives: bool = False
    perceptual_weights: str | None = None
    """Path to the weights of VGG16, the paper's perceptual features; None = the
    EfficientNet-Lite0 at hand."""
    perceptual_size_px: int | None = 64
    """Side at which perceptual features are taken: their passes would else cost more than the
    network's."""


class ContrastBatch(NamedTuple):
    """Training examples with negatives, float32 in [0,1], sRGB-encoded RGB."""

    composite: Tensor
    """(B,3,H,W)."""
    real: Tensor
    """(B,3,H,W)."""
    mask: Tensor
    """(B,1,H,W), 1 = foreground."""
    negatives: Tensor
    """(B,N,3,H,W): the real image with its foreground in wrong styles."""


class ScsCo(Network):
    """U-Net whose decoder normalises the foreground by the background it resembles."""

    def __init__(self, shape: ScsCoShape) -> None:
        super().__init__()
        self.unet = make_unet(shape, FUSIONS[shape.fuse])
        self.multiple_of = self.unet.multiple_of

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Harmonize; the objective looks at the image alone."""
        levels = self.unet.encode(composite, mask)
        return Trace(self.unet.decode(levels, composite, mask), {})


class ScsCoObjective(Objective):
    """Pixel error, and a style nearer to the real image's than to K wrong ones'."""

    batch = ContrastBatch

    def __init__(self, network: ScsCo, loss: ScsCoLoss) -> None:
        super().__init__()
        if loss.consistency not in CONSISTENCIES:
            raise ValueError(
                f"consistency {loss.consistency!r}: wanted one of {', '.join(CONSISTENCIES)}"
            )
        self.network: ScsCo = network
        self.loss = loss
        self.contrasts = loss.self_style_weight > 0 or loss.consistency_weight > 0
        if self.contrasts:
            self.perceptual = frozen_features(loss.perceptual_weights, loss.perceptual_size_px)

    def forward(self, batch: ContrastBatch) -> Losses:
        """Compare with the real image in colour, and in style against composite and negatives."""
        loss = self.loss
        image = self.network.trace(batch.composite, batch.mask).image
        total, terms = pixel_losses(image, batch.real, batch.mask, loss)
        if self.contrasts:
            self_style, consistency = self_consistent_contrast(
                self.perceptual,
                image,
                batch.real,
                batch.mask,
                torch.cat([batch.composite[:, None], batch.negatives], dim=1),
                consistency=loss.consistency,
                detach_negatives=loss.detach_negatives,
            )
            total = total + loss.self_style_weight * self_style
            total = total + loss.consistency_weight * consistency
            terms |= {"self_style": self_style, "consistency": consistency}
        return Losses(total, terms)


SCS_CO = Method(
    name="scs_co",
    paper=Paper(
        title="SCS-Co: Self-Consistent Style Contrastive Learning for Image Harmonization",
        authors="Yucheng Hang, Bin Xia, Wenming Yang, Qingmin Liao",
        venue="CVPR 2022",
        arxiv="2204.13962",
    ),
    configs={
        "small": Config(
            shape=ScsCoShape(), loss=ScsCoLoss(), examples=ContrastView(), use=UNET_USE
        ),
        "paper": Config(
            shape=ScsCoShape(channels=(64, 128, 256, 512), blocks=1, stem_stride=2, head="blend"),
            loss=ScsCoLoss(perceptual_size_px=None),
            examples=ContrastView(negatives=4),
            use=UNET_USE,
        ),
    },
    network=ScsCo,
    objective=ScsCoObjective,
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=60_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

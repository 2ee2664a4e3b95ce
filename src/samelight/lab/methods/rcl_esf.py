"""RCL-ESF: external style fusion in the decoder, and region-wise contrastive learning.

Re-implemented from the published idea; what is certain and what is ours is told in
docs/methods/rcl_esf.md.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from samelight.lab.contract import (
    Batch,
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
from samelight.lab.data.views import CompositeView
from samelight.lab.losses.contrastive import output_contrast, region_contrast
from samelight.lab.methods.shared import UNET_USE, PixelLoss, UNetShape, make_unet, pixel_losses
from samelight.lab.nn.codes import code_heads
from samelight.lab.nn.norms import FUSIONS, ExternalStyleFusion


@dataclass(frozen=True, kw_only=True)
class RclEsfShape(UNetShape):
    """What the method adds to the U-Net."""

    fuse: str = "esf"
    """"esf", or a baseline: "rain", "instance"."""
    style_source: str = "encoder"
    """Where ESF takes the background's statistics: "encoder", "decoder" (RAIN) or "both"."""


@dataclass(frozen=True, kw_only=True)
class RclEsfLoss(PixelLoss):
    """What the method adds to the pixel error."""

    contrast_weight: float = 0.02
    """Weight of the region-wise contrast; 0 leaves the term out."""
    reading: str = "A"
    """"A": the output's foreground against the composite's; "B": the abstract's words to the
    letter."""
    code: str = "region"
    """"region": mean and deviation of a region; "patch": its places, as in PatchNCE."""
    code_width: int = 256
    taps: tuple[int, ...] = (0, 1, 2, 3)
    """Encoder levels whose features are contrasted."""
    temperature: float = 0.07
    """CUT's."""


class RclEsf(Network):
    """U-Net whose decoder takes the foreground's style from the encoder's background."""

    def __init__(self, shape: RclEsfShape) -> None:
        super().__init__()
        external = partial(ExternalStyleFusion, style_source=shape.style_source)
        fuse = external if shape.fuse == "esf" else FUSIONS[shape.fuse]
        self.unet = make_unet(shape, fuse)
        self.multiple_of = self.unet.multiple_of

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Harmonize and keep the encoder's levels as `encoded`."""
        levels = self.unet.encode(composite, mask)
        return Trace(self.unet.decode(levels, composite, mask), {"encoded": levels})


class RclEsfObjective(Objective):
    """Pixel error, and styles of regions contrasted in the encoder's features."""

    def __init__(self, network: RclEsf, loss: RclEsfLoss) -> None:
        super().__init__()
        self.network: RclEsf = network
        self.loss = loss
        if loss.reading not in ("A", "B"):
            raise ValueError(f'reading is "{loss.reading}", wanted "A" or "B"')
        if loss.contrast_weight > 0:
            tapped = [network.unet.channels[level] for level in loss.taps]
            self.heads = code_heads(loss.code, tapped, loss.code_width)

    def forward(self, batch: Batch) -> Losses:
        """Compare with the real image in colour, and its regions in style."""
        loss = self.loss
        trace = self.network.trace(batch.composite, batch.mask)
        total, terms = pixel_losses(trace.image, batch.real, batch.mask, loss)
        if loss.contrast_weight > 0:
            output = self.network.unet.encode(trace.image, batch.mask)
            contrast = (
                self._output_against_composite(output, trace.features["encoded"], batch)
                if loss.reading == "A"
                else self._real_against_output(output, batch)
            )
            total = total + loss.contrast_weight * contrast
            terms["contrast"] = contrast
        return Losses(total, terms)

    def _output_against_composite(
        self, output: list[Tensor], composite: list[Tensor], batch: Batch
    ) -> Tensor:
        """Reading A: the output's foreground should be styled as the real background."""
        with torch.no_grad():
            real = self.network.unet.encode(batch.real, batch.mask)
        taps = self.loss.taps
        return output_contrast(
            self.heads,
            [output[tap] for tap in taps],
            [composite[tap] for tap in taps],
            [real[tap] for tap in taps],
            batch.mask,
            temperature=self.loss.temperature,
        )

    def _real_against_output(self, output: list[Tensor], batch: Batch) -> Tensor:
        """Reading B: real foreground like real background, unlike the output's foreground.

        Nothing is detached: the gradient reaches the generator through the negatives too.
        """
        losses = []
        real = self.network.unet.encode(batch.real, batch.mask)
        for head, level in zip(self.heads, self.loss.taps, strict=True):
            anchor = head(real[level], batch.mask)
            positive = head(real[level], 1 - batch.mask)
            negative = head(output[level], batch.mask)
            temperature = self.loss.temperature
            losses.append(
                region_contrast(
                    anchor, positive, negative, temperature=temperature, other_images=False
                )
            )
        return torch.stack(losses).mean()


RCL_ESF = Method(
    name="rcl_esf",
    paper=Paper(
        title="Image Harmonization with Region-wise Contrastive Learning",
        authors="Jingtang Liang, Chi-Man Pun",
        venue="arXiv 2022",
        arxiv="2205.14058",
    ),
    configs={
        "small": Config(
            shape=RclEsfShape(), loss=RclEsfLoss(), examples=CompositeView(), use=UNET_USE
        ),
        "paper": Config(
            shape=RclEsfShape(channels=(64, 128, 256, 512), blocks=1, stem_stride=2, head="blend"),
            loss=RclEsfLoss(),
            examples=CompositeView(),
            use=UNET_USE,
        ),
    },
    network=RclEsf,
    objective=RclEsfObjective,
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=60_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

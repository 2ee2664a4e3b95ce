"""GiftNet: foreground features transformed under global guidance, and relation distillation.

Re-implemented from the published idea; what is certain and what is ours is told in
docs/methods/giftnet.md.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from samelight.lab.data.views import CompositeView
from samelight.lab.losses.pixel import foreground_absolute_error, foreground_squared_error
from samelight.lab.losses.relation import relation_distance
from samelight.lab.methods.contract import (
    Batch,
    Losses,
    Method,
    Network,
    Objective,
    Paper,
    Trace,
    Traits,
)
from samelight.lab.nn.transform import TRANSFORMS, GlobalCode, GlobalMap
from samelight.lab.nn.unet import UNet
from samelight.lab.training.config import Recipe, Stage


@dataclass(frozen=True, kw_only=True)
class GiftNetConfig:
    """Shape of the network and weights of the loss terms."""

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
    transform: str = "affine"
    """Reading (b) "affine" or (a) "modulated" of the feature transformation."""
    code_pool: str = "regions"
    """What the global code sees: "regions" or "global"."""
    code_width: int = 256
    size_px: int = 256
    """Side of the input at inference."""
    global_map: bool = True
    """Whether the code also predicts one affine map for the whole foreground."""
    squared_weight: float = 12.0
    """Weight of the squared error: makes both pixel terms alike at an error of 1/12."""
    absolute_weight: float = 1.0
    relation_weight: float = 0.1
    """Weight of relation distillation; 0 skips the teacher's pass."""
    relation_after_steps: int = 4_000
    """Steps before relation distillation begins: a teacher that knows nothing has nothing to say,
    and its pass costs a fifth of the time."""


class GiftNet(Network):
    """U-Net whose skips are transformed inside the mask under a global code."""

    def __init__(self, config: GiftNetConfig) -> None:
        super().__init__()
        self.unet = UNet(
            channels=config.channels,
            blocks=config.blocks,
            decoder_blocks=config.decoder_blocks,
            stem_stride=config.stem_stride,
            head=config.head,
        )
        self.code = GlobalCode(config.channels, config.code_width, config.code_pool)
        self.transforms = nn.ModuleList(
            TRANSFORMS[config.transform](width, config.code_width) for width in config.channels
        )
        self.global_map = GlobalMap(config.code_width) if config.global_map else None
        self.traits = Traits(size_px=config.size_px, multiple_of=self.unet.multiple_of)

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Harmonize and keep the transformed encoder levels as `transformed`."""
        levels = self.unet.encode(composite, mask)
        code = self.code(composite, levels, mask)
        pairs = zip(self.transforms, levels, strict=True)
        transformed = [transform(level, code, mask) for transform, level in pairs]
        image = self.unet.decode(transformed, composite, mask)
        if self.global_map is not None:
            image = image + mask * self.global_map(composite, code)
        return Trace(image, {"transformed": transformed})


class GiftNetObjective(Objective):
    """Pixel error of the output, and relation distillation from the real image."""

    def __init__(self, network: GiftNet, config: GiftNetConfig) -> None:
        super().__init__()
        self.network: GiftNet = network
        self.config = config
        self.steps: Tensor
        # A buffer, so that a resumed run knows how far it is.
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def after_step(self) -> None:
        """Count the steps until relation distillation begins."""
        self.steps += 1

    def forward(self, batch: Batch) -> Losses:
        """Compare with the real image in colour and, through the same encoder, in relations."""
        config = self.config
        trace = self.network.trace(batch.composite, batch.mask)
        squared = foreground_squared_error(trace.image, batch.real, batch.mask)
        absolute = foreground_absolute_error(trace.image, batch.real, batch.mask)
        total = config.squared_weight * squared + config.absolute_weight * absolute
        relation = torch.zeros_like(squared)
        if config.relation_weight > 0 and self.steps >= config.relation_after_steps:
            with torch.no_grad():
                teacher = self.network.unet.encode(batch.real, batch.mask)
            relation = relation_distance(trace.features["transformed"], teacher, batch.mask)
            total = total + config.relation_weight * relation
        terms = {"squared": squared, "absolute": absolute, "relation": relation}
        return Losses(total, terms)


GIFTNET = Method(
    name="giftnet",
    paper=Paper(
        title="Deep Image Harmonization with Globally Guided Feature Transformation "
        "and Relation Distillation",
        authors="Li Niu, Linfeng Tan, Xinhao Tao, Junyan Cao, Fengjun Guo, Teng Long, Liqing Zhang",
        venue="ICCV 2023",
        arxiv="2308.00356",
    ),
    configs={
        "small": GiftNetConfig(),
        "paper": GiftNetConfig(
            channels=(32, 64, 128, 256),
            stem_stride=1,
            head="blend",
            transform="modulated",
            code_pool="global",
            global_map=False,
        ),
    },
    network=GiftNet,
    objective=GiftNetObjective,
    view=CompositeView(),
    recipe=Recipe(
        stages=(
            Stage(size_px=128, images=240_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

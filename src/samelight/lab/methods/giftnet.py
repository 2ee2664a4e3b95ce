"""GiftNet: foreground features transformed under global guidance, and relation distillation.

Re-implemented from the published idea; what is certain and what is ours is told in
docs/methods/giftnet.md.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

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
from samelight.lab.losses.relation import relation_distance
from samelight.lab.methods.shared import UNET_USE, PixelLoss, UNetShape, make_unet, pixel_losses
from samelight.lab.nn.transform import TRANSFORMS, GlobalCode, GlobalMap


@dataclass(frozen=True, kw_only=True)
class GiftNetShape(UNetShape):
    """What the method adds to the U-Net."""

    transform: str = "affine"
    """Reading (b) "affine" or (a) "modulated" of the feature transformation, or "none"."""
    code_pool: str = "regions"
    """What the global code sees: "regions" or "global"."""
    code_width: int = 256
    global_map: bool = True
    """Whether the code also predicts one affine map for the whole foreground."""


@dataclass(frozen=True, kw_only=True)
class GiftNetLoss(PixelLoss):
    """What the method adds to the pixel error."""

    relation_weight: float = 0.1
    """Weight of relation distillation; 0 skips the teacher's pass."""
    relation_after_steps: int = 1_500
    """Steps before relation distillation begins: a teacher that knows nothing has nothing to say,
    and its pass costs a fifth of the time."""


class GiftNet(Network):
    """U-Net whose skips are transformed inside the mask under a global code."""

    def __init__(self, shape: GiftNetShape) -> None:
        super().__init__()
        self.unet = make_unet(shape)
        self.multiple_of = self.unet.multiple_of
        self.code = GlobalCode(shape.channels, shape.code_width, shape.code_pool)
        self.transforms = nn.ModuleList(
            TRANSFORMS[shape.transform](width, shape.code_width) for width in shape.channels
        )
        self.global_map = GlobalMap(shape.code_width) if shape.global_map else None

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Harmonize and keep the transformed encoder levels as `transformed`."""
        levels = self.unet.encode(composite, mask)
        code = self.code(composite, levels, mask)
        pairs = zip(self.transforms, levels, strict=True)
        transformed = [transform(level, code, mask) for transform, level in pairs]
        shift = None if self.global_map is None else self.global_map(code)
        image = self.unet.decode(transformed, composite, mask, shift)
        return Trace(image, {"transformed": transformed})


class GiftNetObjective(Objective):
    """Pixel error of the output, and relation distillation from the real image."""

    def __init__(self, network: GiftNet, loss: GiftNetLoss) -> None:
        super().__init__()
        self.network: GiftNet = network
        self.loss = loss
        self.steps: Tensor
        # A buffer, so that a resumed run knows how far it is.
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def after_step(self) -> None:
        """Count the steps until relation distillation begins."""
        self.steps += 1

    def forward(self, batch: Batch) -> Losses:
        """Compare with the real image in colour and, through the same encoder, in relations."""
        loss = self.loss
        trace = self.network.trace(batch.composite, batch.mask)
        total, terms = pixel_losses(trace.image, batch.real, batch.mask, loss)
        relation = torch.zeros_like(total)
        if loss.relation_weight > 0 and self.steps >= loss.relation_after_steps:
            with torch.no_grad():
                teacher = self.network.unet.encode(batch.real, batch.mask)
            relation = relation_distance(trace.features["transformed"], teacher, batch.mask)
            total = total + loss.relation_weight * relation
        return Losses(total, {**terms, "relation": relation})


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
        "small": Config(
            shape=GiftNetShape(), loss=GiftNetLoss(), examples=CompositeView(), use=UNET_USE
        ),
        "paper": Config(
            shape=GiftNetShape(
                channels=(32, 64, 128, 256),
                stem_stride=1,
                head="blend",
                transform="modulated",
                code_pool="global",
                global_map=False,
            ),
            loss=GiftNetLoss(),
            examples=CompositeView(),
            use=UNET_USE,
        ),
    },
    network=GiftNet,
    objective=GiftNetObjective,
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=220_000, learning_rate=6e-4, final_learning_rate=0.0),
        ),
    ),
)

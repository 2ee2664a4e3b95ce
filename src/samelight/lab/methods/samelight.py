"""Our own network: predicts the correction itself, from what things are and what light they are in.

docs/methods/samelight.md says what it took from the four published methods and what it did not.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from samelight.lab.contract import (
    Batch,
    CorrectionNetwork,
    Losses,
    Method,
    Objective,
    Predicted,
    Recipe,
    Stage,
    Traits,
)
from samelight.lab.data.views import LEAST_WINDOW, CompositeView
from samelight.lab.losses.contrastive import output_contrast
from samelight.lab.losses.relation import relation_distance
from samelight.lab.losses.style import self_consistent_contrast
from samelight.lab.methods.shared import PixelWeights, pixel_losses
from samelight.lab.nn.backbone import BACKBONE_STRIDE, BACKBONE_WIDTHS, Backbone
from samelight.lab.nn.codes import code_heads
from samelight.lab.nn.features import frozen_features
from samelight.lab.nn.histogram import SIDE, region_histograms
from samelight.lab.nn.norms import FUSIONS
from samelight.lab.nn.regions import region_moments, resize_mask
from samelight.lab.nn.tokens import TokenBlock, place_colours, region_means
from samelight.models.spec import Gate, View, WindowRule

MULTIPLE_OF = math.lcm(BACKBONE_STRIDE, SIDE)
"""What divides the side of a picture: averages over parts of pixels cannot be exported."""
MAX_LOG_ERROR = math.log(255)
"""Natural logarithm of the largest error there is, in levels."""
FIRST_GUESS = 30.0
"""Levels by which an untrained network expects foregrounds to be off: so that no gate closes."""
AROUND = 2.5
"""Width and height of what it is shown in use, in the object's: docs/full-resolution.md's table."""


@dataclass(frozen=True, kw_only=True)
class SamelightConfig(PixelWeights):
    """Shape of the network and of its loss."""

    stages: int = 5
    """Of the backbone; the last two tell the tokens what is where."""
    width: int = 160
    """Of a token."""
    blocks: int = 3
    """Layers in which the tokens look at one another; 0 leaves the statistics alone."""
    heads: int = 4
    code_width: int = 256
    bins: int = 16
    """Of a histogram; 0 leaves the histograms out."""
    guided: bool = True
    """Whether the code of the whole image is added to every token (after GiftNet)."""
    fuse: str = "none"
    """How tokens of the foreground take on the background's statistics after the first layer:
    "none", or a name of `nn.norms.FUSIONS`: "esf" (RCL-ESF), "bain" (SCS-Co), "rain"."""
    pretrained: bool = True
    """Whether the backbone begins with ImageNet's weights."""
    dropout: float = 0.2
    """Share of the code's, the tokens' and the summary's numbers that a training step leaves out:
    who knows a photo by heart need not look at its light."""
    flip: bool = True
    """In use it looks twice, at the picture and at its mirror image, and takes the mean."""
    gate: tuple[float, float] = (1.0, 38.0)
    """With `gate="auto"` a composite expected to be off by no more levels than the first is left
    alone; from the second on it is corrected in full; between them in proportion."""
    size_px: int = 512
    compare_px: int = 64
    """Side at which output and real image are compared: averaging commutes with an affine map."""
    untouched: float = 0.2
    """Share of examples in which nothing is to be done."""
    relit: float = 0.7
    """Share of photos relit as a whole before anything else (after SSH's two augmentations)."""
    before_relighting: float = 0.4
    """Share whose foreground stays as photographed, before a background that was relit."""
    least_window: float = 0.4
    """Sides of the smallest window of a photo that is an example."""
    around_object: float = 0.5
    """Share of the examples whose window lies around the object, as in use."""
    absolute_weight: float = 0.0
    """It asks for the median of what might be right, which is nearer to nothing than the mean."""
    error_weight: float = 0.1
    """Of the squared error of the expected errors' logarithms."""
    relation_weight: float = 0.0
    """Of the tokens' relation distillation (GiftNet's)."""
    region_contrast_weight: float = 0.0
    """Of the contrast of the output's foreground and the real background (RCL-ESF's)."""
    style_contrast_weight: float = 0.0
    """Of the self-consistent style contrast of the output (SCS-Co's), one negative."""


class Seen(NamedTuple):
    """What the network knows before it decides."""

    code: Tensor
    """(B,code_width), of the whole image."""
    tokens: Tensor
    """(B,width,h,w), of places."""


class Samelight(CorrectionNetwork):
    """Statistics of both regions and tokens that attend to one another, to one affine map."""

    def __init__(self, config: SamelightConfig) -> None:
        super().__init__()
        if config.fuse != "none" and (config.fuse not in FUSIONS or not config.blocks):
            raise ValueError(
                f'fuse is "{config.fuse}" with {config.blocks} layers: wanted "none", or one of '
                f"{', '.join(FUSIONS)} and at least one layer"
            )
        views = [View(size_px=config.size_px)]
        if config.flip:
            views.append(View(size_px=config.size_px, flip=True))
        self.traits = Traits(
            size_px=config.size_px,
            multiple_of=MULTIPLE_OF,
            views=tuple(views),
            window=WindowRule(around=AROUND, least=LEAST_WINDOW),
            gate=Gate(closed=config.gate[0], open=config.gate[1]),
        )
        self.bins, self.pretrained = config.bins, config.pretrained
        self.flip = config.flip
        self.backbone = Backbone(config.stages, pretrained=config.pretrained)
        widths = BACKBONE_WIDTHS[: config.stages]
        # Each level apart, or the loudest would drown the others and the colours.
        self.level_norms = nn.ModuleList(nn.LayerNorm(4 * width) for width in widths)
        seen = 4 * (3 + sum(widths)) + 6 * config.bins
        self.code = nn.Sequential(
            nn.Linear(seen, config.code_width),
            nn.GELU(),
            nn.Linear(config.code_width, config.code_width),
            nn.GELU(),
        )
        features = sum(widths[-2:])
        self.place_norm = nn.LayerNorm(features)
        self.place = nn.Linear(features + 7, config.width)
        self.told = nn.Linear(config.code_width, config.width) if config.guided else None
        self.blocks = nn.ModuleList(
            TokenBlock(config.width, config.heads) for _ in range(config.blocks)
        )
        self.fuse = None if config.fuse == "none" else FUSIONS[config.fuse](config.width)
        self.norm = nn.LayerNorm(config.width)
        summed_up = config.code_width + 2 * config.width
        guess = nn.Linear(64, 2)
        nn.init.constant_(guess.bias, math.log(FIRST_GUESS))
        self.error_head = nn.Sequential(nn.Linear(summed_up, 64), nn.GELU(), guess)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(summed_up, 12)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def pretrained_parameters(self) -> Iterable[nn.Parameter]:
        """The backbone's, if it begins trained."""
        return self.backbone.parameters() if self.pretrained else ()

    def predict(self, composite: Tensor, mask: Tensor) -> Predicted:
        """Predict one map for the whole foreground, (B,12,1,1), and how wrong it will be."""
        if self.training:
            return self.decide(self.look(composite, mask), mask)
        if self.flip:
            composite, mask = (torch.cat([part, part.flip(3)]) for part in (composite, mask))
        predicted = self.decide(self.look(composite, mask), mask)
        if self.flip:
            predicted = Predicted(*(torch.stack(part.chunk(2)).mean(0) for part in predicted))
        return predicted

    def look(self, composite: Tensor, mask: Tensor) -> Seen:
        """See what is there and in what light."""
        levels = self.backbone(composite)
        code = self.drop(self._code(composite, levels, mask))
        size = (levels[-1].shape[-2], levels[-1].shape[-1])
        features = torch.cat([levels[-1], resize_mask(levels[-2], size)], dim=1)
        features = features.permute(0, 2, 3, 1)
        colours = place_colours(composite, mask, size).permute(0, 2, 3, 1)
        places = torch.cat([self.place_norm(features).float(), colours], dim=3).flatten(1, 2)
        given = tokens = self.drop(self.place(places))
        if self.told is not None:
            tokens = tokens + self.told(code)[:, None]
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if self.fuse is not None and number == 0:
                fused = self.fuse(_as_map(tokens, size), _as_map(given, size), mask)
                tokens = tokens + fused.flatten(2).transpose(1, 2)
        return Seen(code, _as_map(self.norm(tokens), size))

    def decide(self, seen: Seen, mask: Tensor) -> Predicted:
        """Sum up what was seen of both regions, and say what is to be done."""
        share = resize_mask(mask, seen.tokens.shape[-2:]).flatten(2)
        regions = region_means(seen.tokens.flatten(2).transpose(1, 2), share)
        summary = self.drop(torch.cat([seen.code.float(), regions], dim=1))
        errors = self.error_head(summary).float().clamp(max=MAX_LOG_ERROR).exp()
        coefficients = self.head(summary).float()
        return Predicted(coefficients[:, :, None, None], errors)

    @torch.no_grad()
    def strengthen(self, factor: float) -> None:
        """Scale the last layer, which says how far from no change."""
        for parameter in self.head.parameters():
            parameter.mul_(factor)

    def _code(self, composite: Tensor, levels: list[Tensor], mask: Tensor) -> Tensor:
        """Sum up the image: statistics of both regions' colours and features, (B,code_width)."""
        seen = [region_moments(4 * (composite - 0.5), mask).row()]
        for norm, level in zip(self.level_norms, levels, strict=True):
            moments = region_moments(level, resize_mask(mask, level.shape[-2:]))
            seen.append(norm(moments.row()))
        if self.bins:
            seen.append(4 * region_histograms(composite, mask, self.bins).flatten(1))
        code: Tensor = self.code(torch.cat(seen, dim=1))
        return code


class SamelightObjective(Objective):
    """Pixel error of what the correction makes of the composite, small, and of the error head.

    The published methods' own terms are there to be tried (docs/methods/samelight.md).
    """

    def __init__(self, network: Samelight, config: SamelightConfig) -> None:
        super().__init__()
        self.network: Samelight = network
        self.config = config
        if config.region_contrast_weight > 0:
            widths = BACKBONE_WIDTHS[: config.stages]
            self.codes = code_heads("region", widths, config.code_width)
        if config.style_contrast_weight > 0:
            self.perceptual = frozen_features()

    def forward(self, batch: Batch) -> Losses:
        """Compare with the real image."""
        config = self.config
        seen = self.network.look(batch.composite, batch.mask)
        predicted = self.network.decide(seen, batch.mask)
        size = [min(config.compare_px, side) for side in batch.mask.shape[-2:]]
        small = Batch(*(resize_mask(part, size) for part in batch))
        image = self.network.rendered(predicted, small.composite, small.mask)
        total, terms = pixel_losses(image, small.real, small.mask, config)
        with torch.no_grad():
            pictures = (small.composite, image.clamp(0, 1))
            found = [levels_off(picture, small.real, small.mask) for picture in pictures]
            errors = torch.stack(found, dim=1)
        terms["error"] = (predicted.errors.log1p() - errors.log1p()).square().mean()
        total = total + config.error_weight * terms["error"]
        if config.relation_weight > 0:
            terms["relation"] = self._relation(seen, batch)
            total = total + config.relation_weight * terms["relation"]
        if config.region_contrast_weight > 0:
            terms["region"] = self._region(image, small)
            total = total + config.region_contrast_weight * terms["region"]
        if config.style_contrast_weight > 0:
            terms["style"] = self._style(image, small)
            total = total + config.style_contrast_weight * terms["style"]
        return Losses(total, terms)

    def _relation(self, seen: Seen, batch: Batch) -> Tensor:
        """Tokens of both regions should relate as the real image's do."""
        with torch.no_grad():
            teacher = self.network.look(batch.real, batch.mask)
        return relation_distance([seen.tokens], [teacher.tokens], batch.mask)

    def _region(self, image: Tensor, small: Batch) -> Tensor:
        """The output's foreground should be styled as the real background."""
        output = self.network.backbone(image)
        with torch.no_grad():
            composite, real = (
                self.network.backbone(small.composite),
                self.network.backbone(small.real),
            )
        return output_contrast(self.codes, output, composite, real, small.mask)

    def _style(self, image: Tensor, small: Batch) -> Tensor:
        """The output's style should be nearer to the real image's than to the composite's."""
        wrong = small.composite[:, None]
        contrasts = self_consistent_contrast(self.perceptual, image, small.real, small.mask, wrong)
        return contrasts.self_style + contrasts.consistency


def _as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """(B,h w,C) as (B,C,h,w)."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, *size)


def levels_off(image: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Root mean square error over each image's foreground, in levels of 255: (B,)."""
    square = (mask * (image - real)).square().mean(dim=1).sum(dim=(1, 2))
    area = mask.square().sum(dim=(1, 2, 3)).clamp(min=1e-6)
    return 255 * (square / area).sqrt()


SAMELIGHT = Method(
    name="samelight",
    paper=None,
    configs={
        "small": SamelightConfig(),
        # Less sure of what is wrong, it would leave too much alone.
        "tiny": SamelightConfig(
            width=96,
            blocks=0,
            code_width=160,
            flip=False,
            gate=(1.0, 20.0),
            size_px=256,
        ),
    },
    network=Samelight,
    objective=SamelightObjective,
    view=lambda config: CompositeView(
        untouched=config.untouched,
        relit=config.relit,
        before_relighting=config.before_relighting,
        least_window=config.least_window,
        around_object=config.around_object,
    ),
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=192_000, learning_rate=7e-4, final_learning_rate=7e-4),
            # Trained small alone it is timid when shown more: docs/methods/samelight.md.
            Stage(sizes_px=(192,), images=128_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

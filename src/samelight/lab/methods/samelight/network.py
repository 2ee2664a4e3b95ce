"""The network: statistics of both regions and tokens of places, to one correction."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from samelight.lab.contract import CorrectionNetwork, ErrorMap, Predicted
from samelight.lab.methods.samelight.config import SamelightShape
from samelight.lab.nn.backbone import BACKBONE_STRIDE, BACKBONE_WIDTHS, Backbone
from samelight.lab.nn.histogram import SIDE, region_histograms
from samelight.lab.nn.regions import region_moments, resize_mask
from samelight.lab.nn.tokens import TokenBlock, place_colours, region_means

MULTIPLE_OF = math.lcm(BACKBONE_STRIDE, SIDE)
"""What divides the side of a picture: averages over parts of pixels cannot be exported."""
MAX_LOG_ERROR = math.log(255)
"""Natural logarithm of the largest error there is, in levels."""
FIRST_GUESS = 30.0
"""Levels by which an untrained network expects foregrounds to be off: so that no gate closes."""


class Samelight(CorrectionNetwork):
    """Statistics of both regions and tokens that attend to one another, to one affine map."""

    multiple_of = MULTIPLE_OF

    def __init__(self, shape: SamelightShape) -> None:
        super().__init__()
        self.bins, self.pretrained = shape.bins, shape.pretrained
        self.backbone = Backbone(shape.stages, pretrained=shape.pretrained)
        widths = BACKBONE_WIDTHS[: shape.stages]
        # Each level apart, or the loudest would drown the others and the colours.
        self.level_norms = nn.ModuleList(nn.LayerNorm(4 * width) for width in widths)
        seen = 4 * (3 + sum(widths)) + 6 * shape.bins
        self.code = nn.Sequential(
            nn.Linear(seen, shape.code_width),
            nn.GELU(),
            nn.Linear(shape.code_width, shape.code_width),
            nn.GELU(),
        )
        features = sum(widths[-2:])
        self.place_norm = nn.LayerNorm(features)
        self.place = nn.Linear(features + 7, shape.width)
        self.told = nn.Linear(shape.code_width, shape.width) if shape.guided else None
        self.blocks = nn.ModuleList(
            TokenBlock(shape.width, shape.heads) for _ in range(shape.blocks)
        )
        self.norm = nn.LayerNorm(shape.width)
        summed_up = shape.code_width + 2 * shape.width
        log_errors = nn.Linear(64, 2)
        nn.init.constant_(log_errors.bias, math.log(FIRST_GUESS))
        self.error_head = nn.Sequential(nn.Linear(summed_up, 64), nn.GELU(), log_errors)
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(summed_up, 12)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def pretrained_parameters(self) -> Iterable[nn.Parameter]:
        """The backbone's, if it begins trained."""
        return self.backbone.parameters() if self.pretrained else ()

    def predict(self, composite: Tensor, mask: Tensor) -> Predicted:
        """Predict one map for the whole foreground, (B,12,1,1), and how wrong it will be."""
        levels = self.backbone(composite)
        code = self.drop(self._code(composite, levels, mask))
        tokens = self._tokens(composite, levels, mask, code)
        share = resize_mask(mask, levels[-1].shape[-2:]).flatten(2)
        summary = self.drop(torch.cat([code.float(), region_means(tokens, share)], dim=1))
        errors = self.error_head(summary).float().clamp(max=MAX_LOG_ERROR).exp()
        coefficients = self.head(summary).float()
        return Predicted(coefficients[:, :, None, None], errors)

    @torch.no_grad()
    def calibrate(self, maps: Sequence[ErrorMap]) -> None:
        """Put the maps into the error head's last layer, which speaks in logarithms."""
        last: nn.Linear = self.error_head[-1]  # type: ignore[assignment]
        for row, (slope, offset) in enumerate(maps):
            last.weight[row] *= slope
            last.bias[row] = slope * last.bias[row] + offset

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

    def _tokens(
        self, composite: Tensor, levels: list[Tensor], mask: Tensor, code: Tensor
    ) -> Tensor:
        """What each place shows, after it has seen the others: (B,places,width)."""
        size = (levels[-1].shape[-2], levels[-1].shape[-1])
        features = torch.cat([levels[-1], resize_mask(levels[-2], size)], dim=1)
        features = self.place_norm(features.permute(0, 2, 3, 1)).float()
        colours = place_colours(composite, mask, size).permute(0, 2, 3, 1)
        tokens = self.drop(self.place(torch.cat([features, colours], dim=3).flatten(1, 2)))
        if self.told is not None:
            tokens = tokens + self.told(code)[:, None]
        for block in self.blocks:
            tokens = block(tokens)
        normed: Tensor = self.norm(tokens)
        return normed

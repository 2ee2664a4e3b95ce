"""How often each brightness occurs in a region, as a smooth function of the image."""

import torch
from torch import Tensor

from samelight.lab.nn.regions import resize_mask

SIDE = 64
"""Pictures are averaged down to this first: finer ones say no more."""


def region_histograms(composite: Tensor, mask: Tensor, bins: int) -> Tensor:
    """Count both regions' values per channel, each value shared by its two nearest bins.

    Args:
        composite: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1], 1 = foreground.
        bins: at least 2; the first stands at 0 and the last at 1.

    Returns:
        (B,2,3,bins) float32: foreground, background; each sums to 1, or to 0 in an empty region.
    """
    with torch.autocast(composite.device.type, enabled=False):
        size = [min(SIDE, side) for side in composite.shape[-2:]]
        values = resize_mask(composite.float(), size).flatten(2)[..., None]
        cover = resize_mask(mask.float(), size).flatten(2)
        centres = torch.linspace(0, 1, bins, device=values.device)
        shares = (1 - (values - centres).abs() * (bins - 1)).clamp(min=0)
        weights = torch.cat([cover, 1 - cover], dim=1)
        weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=1)
        return torch.einsum("brp,bcpk->brck", weights, shares)

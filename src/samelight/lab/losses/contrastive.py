"""Region-wise contrast: InfoNCE between styles of whole regions, or of places in them."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from samelight.lab.nn.codes import Bag

TINY_WEIGHT = 1e-6


def region_contrast(
    anchor: Bag,
    positive: Bag,
    negative: Bag,
    *,
    temperature: float = 0.07,
    other_images: bool = True,
) -> Tensor:
    """InfoNCE: each anchor's code should be like the positive bag and unlike the negatives.

    The similarity of a code to a bag is log mean exp(q . k / temperature) over the bag, weighted;
    for a bag of one code this is the usual InfoNCE. Images whose anchor or positive region is empty
    do not count. With bags of places, all places count and none is drawn: no randomness (ours).

    Args:
        anchor: codes to be placed.
        positive: of the same image, what they should be like.
        negative: of the same image, what they should not be like.
        temperature: 0.07 as in CUT's PatchNCE.
        other_images: whether the other images' positive bags are negatives too.

    Returns:
        Scalar, at least 0.
    """
    with torch.autocast(anchor.codes.device.type, enabled=False):
        queries = anchor.codes.float() / temperature
        alike = _similarity(queries, positive)
        candidates = [alike, _similarity(queries, negative)]
        if other_images:
            candidates += _others(queries, positive)
        log_share = alike - torch.stack(candidates).logsumexp(dim=0)
        total = anchor.weights.sum(dim=1)
        per_image = -(log_share * anchor.weights).sum(dim=1) / (total + TINY_WEIGHT)
        counted = ((total > TINY_WEIGHT) & (positive.weights.sum(dim=1) > TINY_WEIGHT)).float()
        return (per_image * counted).sum() / counted.sum().clamp(min=1)


def output_contrast(
    heads: Iterable[nn.Module],
    output: Sequence[Tensor],
    composite: Sequence[Tensor],
    real: Sequence[Tensor],
    mask: Tensor,
    *,
    temperature: float = 0.07,
) -> Tensor:
    """The output's foreground should be styled as the real background: RCL-ESF's reading A.

    Negatives: the composite's foreground, and the other images' backgrounds. As in CUT, only the
    anchor carries a gradient.

    Args:
        heads: one for each level, features (B,C,h,w) and region (B,1,H,W) -> `Bag`.
        output: levels (B,C,h,w) of the output's features.
        composite: of the composite's.
        real: of the real image's.
        mask: (B,1,H,W) in [0,1].
        temperature: as for `region_contrast`.

    Returns:
        Scalar, at least 0: the mean over levels.
    """
    losses = []
    for head, seen, wrong, right in zip(heads, output, composite, real, strict=True):
        anchor = head(seen, mask)
        with torch.no_grad():
            positive = head(right, 1 - mask)
            negative = head(wrong, mask)
        losses.append(region_contrast(anchor, positive, negative, temperature=temperature))
    return torch.stack(losses).mean()


def _similarity(queries: Tensor, bag: Bag) -> Tensor:
    """Log mean exp of the products: queries (B,P,D), already over the temperature -> (B,P)."""
    products = queries @ bag.codes.float().transpose(1, 2)
    weights = bag.weights.float() + TINY_WEIGHT
    share = weights / weights.sum(dim=1, keepdim=True)
    return (products + share.log()[:, None]).logsumexp(dim=2)


def _others(queries: Tensor, bag: Bag) -> list[Tensor]:
    """Similarities to the bags of the batch's other images, each (B,P); none to an empty bag."""
    found = []
    for shift in range(1, len(queries)):
        other = Bag(bag.codes.roll(shift, 0), bag.weights.roll(shift, 0))
        empty = other.weights.sum(dim=1, keepdim=True) <= TINY_WEIGHT
        found.append(_similarity(queries, other).masked_fill(empty, -torch.inf))
    return found

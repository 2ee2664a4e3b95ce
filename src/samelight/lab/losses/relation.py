"""Relation distillation: the foreground should relate to the background as in the real image."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from samelight.lab.nn.regions import EPSILON, resize_mask

MAX_SIDE = 16
"""Feature maps are averaged down to this, so a level has at most 256 x 256 relations."""


def relation_distance(student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Mean absolute difference of foreground-background cosine similarities.

    Our reconstruction of GiftNet's relation distillation (docs/methods/giftnet.md): at each level
    R_ij = cos(F_i, F_j) for a foreground place i and a background place j, weighted by
    m_i (1 - m_j); averaged over places, images with both regions, and levels.

    Args:
        student: levels (B,C,h,w) of the composite, transformed.
        teacher: levels of the same shapes of the real image; no gradient flows into them.
        mask: (B,1,H,W) in [0,1].

    Returns:
        Scalar in [0,2].
    """
    distances = [_level(s, t.detach(), mask) for s, t in zip(student, teacher, strict=True)]
    return torch.stack(distances).mean()


def _level(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    with torch.autocast(student.device.type, enabled=False):
        size = (min(student.shape[-2], MAX_SIDE), min(student.shape[-1], MAX_SIDE))
        foreground = resize_mask(mask.float(), size).flatten(2)
        pairs = foreground.transpose(1, 2) * (1 - foreground)
        difference = (_cosines(student, size) - _cosines(teacher, size)).abs()
        weight = pairs.sum(dim=(1, 2))
        per_image = (difference * pairs).sum(dim=(1, 2)) / (weight + EPSILON)
        # An image whose foreground or background is empty has no relation to keep.
        counted = (weight > EPSILON).float()
        return (per_image * counted).sum() / counted.sum().clamp(min=1)


def _cosines(features: Tensor, size: tuple[int, int]) -> Tensor:
    places = F.normalize(resize_mask(features.float(), size).flatten(2), dim=1, eps=EPSILON)
    return places.transpose(1, 2) @ places

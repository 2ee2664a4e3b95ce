"""Self-consistent style contrast: nearer to the real image's style than to any wrong one's.

The ratio form, the L1 distance and the cross-Gram follow the public re-implementation of SCS-Co's
loss in PCT-Net; taking the ratio per image and letting the gradient through the negatives are ours.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

RATIO_EPSILON = 1e-8


def style_contrast(
    output: Tensor, real: Tensor, negatives: Tensor, *, detach_negatives: bool = False
) -> Tensor:
    """Distance to the real style relative to all distances: D+ / (D+ + sum_k D-_k).

    D is the mean absolute difference, per image.

    Args:
        output: (B,...) style of the output.
        real: (B,...) style of the real image.
        negatives: (B,K,...) styles that are wrong.
        detach_negatives: keep the gradient from pushing the output away from the negatives.

    Returns:
        Scalar in [0,1]: 0 when the output's style is the real one's, 1 when it is that of the only
        negative.
    """
    with torch.autocast(output.device.type, enabled=False):
        output, real, negatives = output.float(), real.float(), negatives.float()
        near = (output - real).abs().flatten(1).mean(dim=1)
        far = (output[:, None] - negatives).abs().flatten(2).mean(dim=2).sum(dim=1)
        if detach_negatives:
            far = far.detach()
        return (near / (near + far + RATIO_EPSILON)).mean()


def cross_gram(foreground: Tensor, background: Tensor) -> Tensor:
    """How a foreground's channels go with a background's: F B^T / (h w).

    Args:
        foreground: (B,C,h,w).
        background: (B,C,h,w).

    Returns:
        (B,C,C) float32.
    """
    with torch.autocast(foreground.device.type, enabled=False):
        inside, outside = foreground.float().flatten(2), background.float().flatten(2)
        return inside @ outside.transpose(1, 2) / inside.shape[2]


def cross_similarity(foreground: Tensor, background: Tensor) -> Tensor:
    """Inner product of every foreground place with every background place.

    What PCT-Net's code computes under the name of a Gram matrix; for the ablation.

    Args:
        foreground: (B,C,h,w).
        background: (B,C,h,w).

    Returns:
        (B,h w,h w) float32, divided by C.
    """
    with torch.autocast(foreground.device.type, enabled=False):
        inside, outside = foreground.float().flatten(2), background.float().flatten(2)
        return inside.transpose(1, 2) @ outside / inside.shape[1]


CONSISTENCIES = {"channels": cross_gram, "places": cross_similarity}
"""How foreground and background are related, by the name a configuration gives it."""

PerceptualFeatures = Callable[[Tensor, Tensor], Tensor]
"""Features of one region, as `nn.features.FrozenFeatures`: (B,3,H,W), (B,1,H,W) -> (B,C,h,w)."""


class StyleContrasts(NamedTuple):
    """Both sides of self-consistency, each a scalar in [0,1]."""

    self_style: Tensor
    consistency: Tensor


def self_consistent_contrast(
    perceptual: PerceptualFeatures,
    image: Tensor,
    real: Tensor,
    mask: Tensor,
    wrong: Tensor,
    *,
    consistency: str = "channels",
    detach_negatives: bool = False,
) -> StyleContrasts:
    """Contrast the output's foreground, alone and with the real background, with wrong ones.

    Args:
        perceptual: sees styles.
        image: (B,3,H,W) output, nominally in [0,1].
        real: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1].
        wrong: (B,K,3,H,W) in [0,1], the image with its foreground in wrong styles.
        consistency: a key of CONSISTENCIES.
        detach_negatives: as for `style_contrast`.
    """
    images, count = wrong.shape[:2]
    with torch.no_grad():
        masks = torch.cat([mask, 1 - mask, mask.repeat_interleave(count, dim=0)])
        seen = perceptual(torch.cat([real, real, wrong.flatten(0, 1)]), masks)
        right, around, negatives = seen[:images], seen[images : 2 * images], seen[2 * images :]
    output = perceptual(image, mask)
    self_style = style_contrast(
        output,
        right,
        negatives.reshape(images, count, *negatives.shape[1:]),
        detach_negatives=detach_negatives,
    )
    relate = CONSISTENCIES[consistency]
    wrong_relations = relate(negatives, around.repeat_interleave(count, dim=0))
    together = style_contrast(
        relate(output, around),
        relate(right, around),
        wrong_relations.reshape(images, count, *wrong_relations.shape[1:]),
        detach_negatives=detach_negatives,
    )
    return StyleContrasts(self_style, together)

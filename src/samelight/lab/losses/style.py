"""Self-consistent style contrast: nearer to the real image's style than to any wrong one's.

The ratio form, the L1 distance and the cross-Gram follow the public re-implementation of SCS-Co's
loss in PCT-Net; taking the ratio per image and letting the gradient through the negatives are ours.
"""

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

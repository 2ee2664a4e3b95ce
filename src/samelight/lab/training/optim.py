"""The optimizer and its rate."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from samelight.lab.contract import Recipe


def make_optimizer(
    module: nn.Module, recipe: Recipe, pretrained: Iterable[nn.Parameter] = ()
) -> torch.optim.AdamW:
    """AdamW; norms and biases, being vectors, are not decayed.

    Args:
        module: what is trained.
        recipe: how.
        pretrained: those of its parameters that begin trained: their group's
            `learning_rate_scale` is a share of the rate.
    """
    known = set(pretrained)
    groups = []
    trained = [p for p in module.parameters() if p.requires_grad]
    for begun, scale in ((False, 1.0), (True, recipe.pretrained_learning_rate_scale)):
        for matrix, decay in ((True, recipe.weight_decay), (False, 0.0)):
            chosen = [p for p in trained if (p in known) == begun and (p.ndim > 1) == matrix]
            if chosen:
                groups.append(
                    {
                        "params": chosen,
                        "weight_decay": decay,
                        "learning_rate_scale": scale,
                    }
                )
    return torch.optim.AdamW(groups, lr=0.0, betas=recipe.betas, fused=True)


def learning_rate(recipe: Recipe, images_seen: int) -> float:
    """The rate after so many images: warm-up, then each stage's half cosine."""
    warmup = min(1.0, (images_seen / recipe.batch + 1) / max(recipe.warmup_steps, 1))
    start = 0
    for stage in recipe.stages:
        if images_seen < start + stage.images or stage is recipe.stages[-1]:
            progress = min(1.0, (images_seen - start) / stage.images)
            falling = 0.5 * (1 + math.cos(math.pi * progress))
            span = stage.learning_rate - stage.final_learning_rate
            return warmup * (stage.final_learning_rate + span * falling)
        start += stage.images
    raise ValueError("a recipe needs at least one stage")

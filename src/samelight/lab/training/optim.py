"""The optimizer and its rate."""

import math

import torch
from torch import nn

from samelight.lab.training.config import Recipe


def make_optimizer(module: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; norms and biases, being vectors, are not decayed."""
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
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

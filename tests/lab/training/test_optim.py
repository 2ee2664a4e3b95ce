import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from samelight.lab.contract import Recipe, Stage
from samelight.lab.training.optim import learning_rate, make_optimizer

RECIPE = Recipe(
    stages=(
        Stage(sizes_px=(8,), images=1000, learning_rate=1e-3, final_learning_rate=2e-4),
        Stage(sizes_px=(16,), images=500, learning_rate=5e-4, final_learning_rate=0.0),
    ),
    batch=10,
    warmup_steps=4,
)


def test_the_rate_rises_over_the_first_steps():
    rising = [learning_rate(RECIPE, 10 * step) for step in range(5)]
    falling = [2e-4 + 8e-4 * 0.5 * (1 + math.cos(math.pi * step / 100)) for step in range(5)]
    shares = [0.25, 0.5, 0.75, 1, 1]
    wanted = [share * rate for share, rate in zip(shares, falling, strict=True)]
    assert rising == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("images", "rate"),
    [
        (250, 2e-4 + 8e-4 * (2 + math.sqrt(2)) / 4),  # a quarter: (1 + cos 45°) / 2
        (500, 6e-4),  # half way between the two
        (750, 2e-4 + 8e-4 * (2 - math.sqrt(2)) / 4),
        (1000, 5e-4),  # the next stage, with no second warm-up
        (1250, 2.5e-4),
        (1500, 0),
        (2000, 0),
    ],
)
def test_each_stage_is_half_a_cosine(images, rate):
    assert learning_rate(RECIPE, images) == pytest.approx(rate, abs=1e-12)


def test_a_stage_ends_at_its_final_rate():
    assert learning_rate(RECIPE, 999) == pytest.approx(2e-4, rel=1e-4)


def test_a_recipe_without_warm_up_starts_at_once():
    stage = Stage(sizes_px=(8,), images=10, learning_rate=1e-3, final_learning_rate=1e-3)
    assert learning_rate(Recipe(stages=(stage,), warmup_steps=0), 0) == pytest.approx(1e-3)


def test_a_recipe_needs_a_stage():
    with pytest.raises(ValueError, match="at least one stage"):
        learning_rate(Recipe(stages=()), 0)


def test_norms_biases_and_frozen_weights_are_not_decayed():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.Linear(8, 8))
    module[2].requires_grad_(False)
    optimizer = make_optimizer(module, RECIPE)
    decayed, kept = optimizer.param_groups
    assert [p.shape for p in decayed["params"]] == [module[0].weight.shape]
    assert len(kept["params"]) == 3  # the convolution's bias, the norm's weight and bias
    assert (decayed["weight_decay"], kept["weight_decay"]) == (RECIPE.weight_decay, 0)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert decayed["betas"] == RECIPE.betas


def test_no_decay_and_no_learning_rate_of_its_own_leave_nobody_out():
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    recipe = replace(RECIPE, weight_decay=0.0, pretrained_learning_rate_scale=1.0)
    groups = make_optimizer(module, recipe, module[0].parameters()).param_groups
    found = [id(p) for group in groups for p in group["params"]]
    assert sorted(found) == sorted(id(p) for p in module.parameters())


def test_what_begins_trained_goes_at_its_own_learning_rate():
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    optimizer = make_optimizer(module, RECIPE, module[0].parameters())
    found = {
        (group["learning_rate_scale"], group["weight_decay"]): [p.shape for p in group["params"]]
        for group in optimizer.param_groups
    }
    decay = RECIPE.weight_decay
    assert found == {
        (1.0, decay): [(4, 3)],
        (1.0, 0.0): [(4,)],
        (RECIPE.pretrained_learning_rate_scale, decay): [(3, 2)],
        (RECIPE.pretrained_learning_rate_scale, 0.0): [(3,)],
    }

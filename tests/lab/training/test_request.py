import dataclasses
from pathlib import Path

import pytest

from samelight.errors import UsageError
from samelight.lab.contract import Recipe, Stage
from samelight.lab.training.request import TrainRequest, resized_recipe, scaled_recipe

RECIPE = Recipe(
    stages=(
        Stage(sizes_px=(128,), images=3000, learning_rate=1e-3, final_learning_rate=1e-4),
        Stage(sizes_px=(192,), images=1000, learning_rate=5e-4, final_learning_rate=0.0),
    ),
    batch=10,
)


def request(**changes):
    return TrainRequest(method="giftnet", photos=Path("photos"), run=Path("run"), **changes)


def test_a_scaled_recipe_keeps_its_proportions_in_whole_batches():
    scaled = scaled_recipe(RECIPE, 400)
    assert [stage.images for stage in scaled.stages] == [300, 100]
    assert [stage.images for stage in scaled_recipe(RECIPE, 450).stages] == [340, 110]
    assert [stage.images for stage in scaled_recipe(RECIPE, 10).stages] == [10, 10]
    assert dataclasses.replace(scaled, stages=RECIPE.stages) == RECIPE


def test_a_resized_recipe_changes_nothing_but_the_size():
    resized = resized_recipe(RECIPE, 64)
    assert [stage.sizes_px for stage in resized.stages] == [(64,), (64,)]
    assert [stage.images for stage in resized.stages] == [3000, 1000]


def test_nothing_asked_for_is_the_usual_recipe():
    assert request().recipe(RECIPE) == RECIPE


def test_what_is_asked_for_is_in_the_recipe():
    recipe = request(batch=20, seed=7, images=400, size_px=64).recipe(RECIPE)
    assert (recipe.batch, recipe.seed) == (20, 7)
    # Scaled in batches of the new size.
    assert [stage.images for stage in recipe.stages] == [300, 100]
    assert {stage.sizes_px for stage in recipe.stages} == {(64,)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 0}, "--batch is 0"),
        ({"images": 0}, "--images is 0"),
        ({"start_part": "encoder"}, "--start-part encoder of which model"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, said):
    with pytest.raises(UsageError, match=said):
        request(**changes)

"""What somebody asks to be trained, and the recipe that follows from it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from samelight.errors import UsageError
from samelight.lab.contract import Recipe, Stage


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """What to train, on what, and where."""

    method: str
    photos: Path
    """Folder as `PhotoFolder` reads it."""
    run: Path
    """Folder of the run; a run in it is resumed."""
    config: str = "small"
    """Name of one of the method's configurations."""
    pairs: Path | None = None
    """Composites to score now and then, in iHarmony4's layout."""
    images: int | None = None
    """Replaces the recipe's number of images."""
    size_px: int | None = None
    """Replaces the recipe's sizes."""
    batch: int | None = None
    """Replaces the recipe's examples per step."""
    seed: int | None = None
    """Replaces the recipe's: other examples, in another order."""
    start_from: str | None = None
    """A shipped model or an exported file whose weights a new run begins with."""
    start_part: str | None = None
    """A module of the network, such as "backbone": only that begins with them."""
    in_memory: bool = True
    """Keep all photos decoded."""

    def __post_init__(self) -> None:
        """Refuse what could not be trained.

        Raises:
            UsageError: naming the option.
        """
        if self.batch is not None and self.batch < 1:
            raise UsageError(f"--batch is {self.batch}: wanted at least 1")
        if self.images is not None and self.images < 1:
            raise UsageError(f"--images is {self.images}: wanted at least 1")
        if self.start_part is not None and self.start_from is None:
            raise UsageError(
                f"--start-part {self.start_part} of which model? Name it with --start-from"
            )

    def recipe(self, usual: Recipe) -> Recipe:
        """The method's recipe, changed as is asked for."""
        recipe = usual
        if self.batch is not None:
            recipe = dataclasses.replace(recipe, batch=self.batch)
        if self.seed is not None:
            recipe = dataclasses.replace(recipe, seed=self.seed)
        if self.images is not None:
            recipe = scaled_recipe(recipe, self.images)
        if self.size_px is not None:
            recipe = resized_recipe(recipe, self.size_px)
        return recipe


def scaled_recipe(recipe: Recipe, images: int) -> Recipe:
    """The same recipe over another number of images, stages in proportion, in whole batches."""
    stages = []
    for stage in recipe.stages:
        share = round(stage.images * images / recipe.images / recipe.batch)
        stages.append(dataclasses.replace(stage, images=max(1, share) * recipe.batch))
    return dataclasses.replace(recipe, stages=tuple(stages))


def resized_recipe(recipe: Recipe, size_px: int) -> Recipe:
    """The same recipe with every stage at one size."""
    stages: list[Stage] = [dataclasses.replace(s, sizes_px=(size_px,)) for s in recipe.stages]
    return dataclasses.replace(recipe, stages=tuple(stages))

"""A training recipe: what is saved beside the weights, resolved, as JSON."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of training at one image size; the rate goes from one value to the other."""

    size_px: int
    """Side of the square training images."""
    images: int
    """Training examples seen in this stage."""
    learning_rate: float
    final_learning_rate: float
    """Reached at the stage's end along a half cosine."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a method is trained."""

    stages: tuple[Stage, ...]
    batch: int = 32
    """Examples per step, over all devices."""
    warmup_steps: int = 200
    """Steps over which the rate rises from zero at the very start."""
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-3
    pretrained_pace: float = 0.2
    """Share of the rate at which parameters that begin trained are changed."""
    clip_norm: float = 1.0
    """Largest gradient norm of a step."""
    ema_decay: float = 0.998
    """Decay of the weights' moving average, which is what is evaluated and exported."""
    seed: int = 0

    @property
    def images(self) -> int:
        """Training examples in all stages."""
        return sum(stage.images for stage in self.stages)

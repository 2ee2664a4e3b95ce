"""What a method is: a network and an objective.

The network is what is trained, exported and shipped. The objective owns the network and whatever
else training needs (a teacher, frozen perceptual features), decides which passes to make, and
returns losses; the training loop knows nothing else. A recipe is what is saved beside the weights,
resolved, as JSON.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from samelight.lab.nn.heads import recolour
from samelight.models.spec import Gate, WindowRule
from samelight.models.spec import View as SpecView
from samelight.types import FloatArray

if TYPE_CHECKING:
    from samelight.lab.data.photos import PhotoFolder


class Batch(NamedTuple):
    """What most methods train on, float32 in [0,1], sRGB-encoded RGB."""

    composite: Tensor
    """(B,3,H,W): the real image with its foreground recoloured."""
    real: Tensor
    """(B,3,H,W): what the output should be."""
    mask: Tensor
    """(B,1,H,W): 1 = foreground to change."""


class Losses(NamedTuple):
    """What an objective returns: the total has the gradient, the terms are for the log."""

    total: Tensor
    terms: dict[str, Tensor]


class Trace(NamedTuple):
    """An output with the features an objective looks at."""

    image: Tensor
    """(B,3,H,W), not clipped, so that the gradient survives at the range's ends."""
    features: dict[str, list[Tensor]]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a caller must know to run a network."""

    size_px: int
    """Side of the square input the shipped weights are run at."""
    multiple_of: int
    """Both sides of an input must be a multiple of this."""
    views: tuple[SpecView, ...] = ()
    """What it looks at in use, averaged inside; none named = the picture as it is."""
    window: WindowRule | None = None
    """The part of a photo it is shown in use; None = all of it."""
    gate: Gate | None = None
    """What `gate="auto"` does with its error estimate; None = it makes none."""


class Network(nn.Module, ABC):
    """Maps a composite and its mask to a harmonized image."""

    traits: Traits

    @abstractmethod
    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Run the network and keep the features named by the method's objective."""

    def pretrained_parameters(self) -> Iterable[nn.Parameter]:
        """Those that begin trained, and are to be changed with care: none, as a rule."""
        return ()

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        """Harmonize.

        Args:
            composite: (B,3,H,W) in [0,1], sRGB-encoded RGB.
            mask: (B,1,H,W) in [0,1], 1 = foreground.

        Returns:
            (B,3,H,W) in [0,1]; equals the composite wherever the mask is 0.
        """
        return self.trace(composite, mask).image.clamp(0, 1)


class Predicted(NamedTuple):
    """What a network that predicts a correction says."""

    coefficients: Tensor
    """(B,12,h,w) float32, less the identity: per cell the nine numbers of A - I, row by row, and
    three of b."""
    errors: Tensor
    """(B,2) float32, in levels of 255: root mean square error over the foreground that it expects
    of the composite left alone, and of its correction in full."""


class CorrectionNetwork(Network):
    """A network that predicts the correction itself: exported, it needs no fit."""

    @abstractmethod
    def predict(self, composite: Tensor, mask: Tensor) -> Predicted:
        """Predict a correction.

        Args:
            composite: (B,3,H,W) in [0,1], sRGB-encoded RGB.
            mask: (B,1,H,W) in [0,1], 1 = foreground.
        """

    @abstractmethod
    def strengthen(self, factor: float) -> None:
        """Make every correction from now on so many times as strong."""

    def trace(self, composite: Tensor, mask: Tensor) -> Trace:
        """Apply the correction inside the mask."""
        return Trace(self.rendered(self.predict(composite, mask), composite, mask), {})

    def rendered(self, predicted: Predicted, composite: Tensor, mask: Tensor) -> Tensor:
        """Carry out a correction inside a composite's mask, at whatever size: (B,3,H,W)."""
        return composite + mask * (recolour(composite, predicted.coefficients) - composite)


class Objective(nn.Module, ABC):
    """Turns a batch into losses for its network."""

    batch: ClassVar[Callable[..., tuple[Tensor, ...]]] = Batch
    """A named tuple of tensors with the fields that the method's view gives an example."""
    network: Network

    @abstractmethod
    def forward(self, batch: Any) -> Losses:  # noqa: ANN401
        """Compute the losses of one batch, of the type named above."""

    def after_step(self) -> None:
        """Called after each optimizer step; a moving-average teacher moves here."""


class View(Protocol):
    """Makes an example of a given size; all randomness comes from `rng`."""

    needs_masks: ClassVar[bool]
    """Whether at least one photo must have an object mask."""

    def __call__(
        self, photos: "PhotoFolder", size_px: int, rng: np.random.Generator
    ) -> tuple[FloatArray, ...]:
        """Draw photos and make one example: a named tuple of arrays (C,S,S)."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of training; the rate goes from one value to the other."""

    sizes_px: tuple[int, ...]
    """Sides of the square training images: each batch has one of them, drawn evenly. One that is
    named twice comes twice as often."""
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
    pretrained_learning_rate_scale: float = 0.2
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


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where a method was published."""

    title: str
    authors: str
    venue: str
    arxiv: str


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method, ready to train: a row of METHODS."""

    name: str
    paper: Paper | None
    """None for our own."""
    configs: Mapping[str, Any]
    """Configurations by name; "small" is what is shipped, "paper" the published size."""
    network: Callable[[Any], Network]
    """Makes a network from a configuration."""
    objective: Callable[[Any, Any], Objective]
    """Makes the objective that trains a network, from the same configuration."""
    view: Callable[[Any], View]
    """Makes, for a configuration, what makes one training example from photos."""
    recipe: Recipe
    """The default training recipe."""

"""What a method is: a network and an objective.

The network is what is trained, exported and shipped. The objective owns the network and whatever
else training needs (a teacher, frozen perceptual features), decides which passes to make, and
returns losses; the training loop knows nothing else. Configuration and recipe are what is saved
beside the weights, resolved, as JSON.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from samelight.errors import UsageError
from samelight.lab.nn.heads import recolour
from samelight.models import spec
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


class Network(nn.Module, ABC):
    """Maps a composite and its mask to a harmonized image."""

    multiple_of: int
    """Both sides of a picture must be a multiple of this."""

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


class ErrorMap(NamedTuple):
    """A straight line in logarithms: an expected error e, in levels, is exp(offset) * e ** slope.

    It may stand in a network's last layer, where it costs nothing.
    """

    slope: float
    """Above 0: what is expected to be worse stays so."""
    offset: float


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
    def calibrate(self, maps: Sequence[ErrorMap]) -> None:
        """Expect other errors from now on.

        Args:
            maps: what becomes of the error expected of the composite, and of the corrected one.
        """

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
class Use:
    """How a trained network is used: what its exported file says of itself."""

    views: tuple[spec.View, ...]
    """What it looks at: the picture it is given, as large as the largest of them, or the same
    averaged down or mirrored. The mean of what it says of each is its answer."""
    window: spec.WindowRule | None = None
    """The part of a photo that it is given; None = all of it."""
    gate: spec.Gate | None = None
    """What `gate="auto"` does; None = it does not estimate errors."""

    def __post_init__(self) -> None:
        """Refuse views that cannot be made of one picture."""
        sizes = [view.size_px for view in self.views]
        if min(sizes, default=0) < 1 or any(max(sizes) % size for size in sizes):
            raise UsageError(
                f"views of {', '.join(map(str, sizes)) or 'no'} px: wanted one or more, each a "
                "whole part of the largest, such as 512 and 256"
            )
        if len(set(self.views)) < len(self.views):
            raise UsageError("a view is named twice: name each once")

    @property
    def size_px(self) -> int:
        """Side of the picture it is given."""
        return max(view.size_px for view in self.views)


@dataclass(frozen=True, kw_only=True)
class Config:
    """A configuration of a method: four records, each for its own reader."""

    shape: Any
    """The network's: what `Method.network` reads."""
    loss: Any
    """What `Method.objective` reads."""
    examples: View
    """Makes one training example from photos."""
    use: Use


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method, ready to train: a row of METHODS."""

    name: str
    paper: Paper | None
    """None for our own."""
    configs: Mapping[str, Config]
    """Configurations by name; "small" is what is shipped, "paper" the published size. Their
    records are of the same types."""
    network: Callable[[Any], Network]
    """Makes a network of a shape."""
    objective: Callable[[Any, Any], Objective]
    """Makes what trains a network by a loss."""
    recipe: Recipe
    """The default training recipe."""

"""What a model file says about itself: how it wants to be used, and where it comes from.

Stored as JSON in the ONNX file's metadata under `SPEC_KEY`. Nothing about a model is guessed from
the shapes of its outputs, and no window or threshold is a constant of the core.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from samelight.errors import ModelError, UsageError

SPEC_KEY = "samelight"
SPEC_VERSION = 1

Answer = Literal["correction", "picture"]


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at the picture; the answers of all views are averaged, inside the graph."""

    size_px: int
    """Side of the square picture."""
    flip: bool = False
    """Whether it is seen mirrored."""


@dataclass(frozen=True, kw_only=True)
class WindowRule:
    """What part of a photo is shown: the object and what lies around it."""

    around: float
    """Width and height of the window, in the object's."""
    least: float
    """And at least, as a share of the photo's sides."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """When little is expected to be wrong, less is done; in levels of 255, root mean square."""

    closed: float
    """A composite expected to be off by no more is left alone."""
    open: float
    """From here on it is corrected in full; between them in proportion."""

    def __post_init__(self) -> None:
        """Refuse thresholds that are not in order."""
        if not self.closed < self.open < math.inf:
            raise UsageError(
                f"a gate from {self.closed:g} to {self.open:g}: wanted a lower and a higher error"
            )

    def weight(self, expected: float) -> float:
        """How much of the correction is done, in [0,1].

        Args:
            expected: how far the composite is expected to be off.
        """
        return min(1.0, max(0.0, (expected - self.closed) / (self.open - self.closed)))


@dataclass(frozen=True, kw_only=True)
class Training:
    """One run of training."""

    configuration: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    """A line per source of photos: name, number, licence."""
    started_from: str | None = None
    """The model whose weights it began with."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """How a model is used, and what it was made from."""

    method: str
    """Name of the method, as in `samelight train METHOD`."""
    answer: Answer
    """"correction": (1,12,h,w), coefficients less the identity; "picture": (1,3,S,S), harmonized,
    to which a correction is fitted."""
    size_px: int
    """Side of the square picture the graph takes."""
    views: tuple[View, ...]
    window: WindowRule | None = None
    """None = the whole photo is shown."""
    error_estimate: bool = False
    """Whether the graph also answers with `error_estimate`, (1,2): the root mean square errors
    over the foreground, in levels of 255, that it expects of the composite and of the corrected."""
    gate: Gate | None = None
    """What `gate="auto"` does; None = the model has none."""
    parameters: int = 0
    trainings: tuple[Training, ...] = ()
    """What led to the weights; of several runs they are the mean."""
    licence: str = "not stated"
    """Of the weights."""
    commit: str = "not known"
    """Of samelight, when the file was exported."""

    def to_json(self) -> str:
        """Write as one line of JSON."""
        return json.dumps({"version": SPEC_VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, name: str) -> "ModelSpec":
        """Read what `to_json` wrote.

        Args:
            text: the JSON.
            name: of the model, for messages.

        Raises:
            ModelError: if it is of another version, or incomplete.
        """
        try:
            stored = json.loads(text)
            version = stored.pop("version")
            if version != SPEC_VERSION:
                raise ModelError(
                    f"{name} was written by another samelight (model file version {version}, this "
                    f"one reads {SPEC_VERSION}): update samelight, or export it again"
                )
            views = tuple(View(**view) for view in stored.pop("views"))
            window, gate = stored.pop("window"), stored.pop("gate")
            return cls(
                views=views,
                window=None if window is None else WindowRule(**window),
                gate=None if gate is None else Gate(**gate),
                trainings=tuple(_training(**each) for each in stored.pop("trainings")),
                **stored,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"{name} says about itself what this samelight cannot read ({error}): "
                "export it again with `samelight export`"
            ) from error


def _training(*, data: list[str], **about: Any) -> Training:  # noqa: ANN401
    return Training(data=tuple(data), **about)

"""What files of earlier versions call things: exported weights, checkpoints and run.json."""

from collections.abc import Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")

METHODS = {"house": "samelight"}
"""Names of methods: old to new."""

PARAMETERS = {"trunk": "backbone", "doubt": "error_head", "critic": "perceptual"}
"""Modules of a network or objective, as their parameters' dotted names have them: old to new."""

FIELDS = {
    "mirrored": "flip",
    "restraint": "gate",
    "doubt_weight": "error_weight",
    "critic_weights": "perceptual_weights",
    "critic_size_px": "perceptual_size_px",
}
"""Fields of a method's configuration: old to new."""


def parameter_name(name: str) -> str:
    """Today's name of a parameter, such as backbone.stem.0.weight of trunk.stem.0.weight."""
    return ".".join(PARAMETERS.get(part, part) for part in name.split("."))


def with_todays_parameters(state: Mapping[str, Value]) -> dict[str, Value]:
    """Rename the parameters of a state that was saved."""
    return {parameter_name(name): value for name, value in state.items()}


def with_todays_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the fields of a configuration that was saved."""
    return {FIELDS.get(name, name): value for name, value in config.items()}

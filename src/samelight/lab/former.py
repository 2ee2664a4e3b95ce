"""What files of earlier versions call things: exported weights, checkpoints and run.json."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import msgspec

from samelight.errors import ModelError
from samelight.lab.contract import Config
from samelight.lab.methods import METHODS as TODAYS_METHODS
from samelight.models.registry import FORMER_NAMES

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
"""Fields of a configuration: old to new."""

GONE = {
    "absolute_weight": 0.0,
    "fuse": "none",
    "relation_weight": 0.0,
    "region_contrast_weight": 0.0,
    "style_contrast_weight": 0.0,
}
"""Fields that our own method once had, with the value at which they did nothing."""


def parameter_name(name: str) -> str:
    """Today's name of a parameter, such as backbone.stem.0.weight of trunk.stem.0.weight."""
    return ".".join(PARAMETERS.get(part, part) for part in name.split("."))


def with_todays_parameters(state: Mapping[str, Value]) -> dict[str, Value]:
    """Rename the parameters of a state that was saved."""
    return {parameter_name(name): value for name, value in state.items()}


def as_todays_run(about: Mapping[str, Any]) -> dict[str, Any]:
    """Bring what run.json holds to today's names, and its configuration to four records.

    Raises:
        ModelError: when it was trained with what is no longer there.
    """
    method = METHODS.get(about["method"], about["method"])
    start = about.get("start_from")
    today = {**about, "method": method, "start_from": start and FORMER_NAMES.get(start, start)}
    if "shape" not in about["config"] and method in TODAYS_METHODS:
        today["config"] = _four_records(about["config"], TODAYS_METHODS[method].configs["small"])
    return {**today, "recipe": _todays_recipe(about["recipe"])}


def _todays_recipe(recipe: Mapping[str, Any]) -> dict[str, Any]:
    today = dict(recipe)
    if "pretrained_pace" in today:
        today["pretrained_learning_rate_scale"] = today.pop("pretrained_pace")
    today["stages"] = [_todays_stage(dict(stage)) for stage in recipe["stages"]]
    return today


def _todays_stage(stage: dict[str, Any]) -> dict[str, Any]:
    if "size_px" not in stage:
        return stage
    one, several = stage.pop("size_px"), stage.pop("sizes", ())
    return {"sizes_px": several or [one], **stage}


def _four_records(flat: Mapping[str, Any], like: Config) -> dict[str, Any]:
    """Sort a configuration of one record into four, those of a configuration of the same method."""
    named = {FIELDS.get(name, name): value for name, value in flat.items()}
    # K, of which the composite itself was one.
    if "negatives" in named:
        named["negatives"] -= 1
    records: dict[str, Any] = {"use": _use(named, like)}
    for part in ("shape", "loss", "examples"):
        own = [f.name for f in fields(getattr(like, part)) if f.name in named]
        records[part] = {name: named.pop(name) for name in own}
    lost = [name for name, value in named.items() if GONE.get(name) != value]
    if lost:
        name = lost[0]
        raise ModelError(
            f"this run was trained with {name} {named[name]}, which is no longer there: "
            "use the samelight that it was trained with"
        )
    return records


def _use(named: dict[str, Any], like: Config) -> dict[str, Any]:
    """How a network was used, taken out of a configuration of one record."""
    size_px, flip, gate = (named.pop(name, None) for name in ("size_px", "flip", "gate"))
    views = [
        {"size_px": size_px, "flip": mirrored} for mirrored in ((False, True)[: 1 + bool(flip)])
    ]
    use: dict[str, Any] = {**msgspec.to_builtins(like.use), "views": views}
    if gate is not None:
        use["gate"] = {"closed": gate[0], "open": gate[1]}
    return use

"""What can be chosen about an edit: every option, its default, its range and its help.

Quick to import: a face needs it before it knows whether there is anything to do.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin

from samelight.errors import UsageError
from samelight.limits import MAX_EDGE_PX, MAX_STRENGTH, Provider
from samelight.models.registry import DEFAULT_MODEL


def _about(text: str, least: float = -math.inf, most: float = math.inf) -> dict[str, Any]:
    """What every face needs to know of an option: its help and its range."""
    return {"help": text, "least": least, "most": most}


@dataclass(frozen=True, kw_only=True)
class EditOptions:
    """All that can be chosen about an edit.

    This is the only place where an option, its default, its range and its help stand; the command
    line and the other faces are made from it.

    Raises:
        UsageError: for a value outside its range, or of another type.
    """

    model: str = field(
        default=DEFAULT_MODEL, metadata=_about("A name from `samelight models`, or an .onnx file.")
    )
    strength: float = field(
        default=1.0,
        metadata=_about("0 = nothing, 1 = the whole correction, up to 1.5.", 0, MAX_STRENGTH),
    )
    gate: Literal["off", "auto"] = field(
        default="off",
        metadata=_about("auto: do less, or nothing, where little is expected to be wrong."),
    )
    fit_mask: bool = field(
        default=False, metadata=_about("Resize a mask of another size to the photo.")
    )
    erode: int = field(
        default=0, metadata=_about("Pull the mask's edge in by this many pixels.", 0, MAX_EDGE_PX)
    )
    feather: float = field(
        default=0.0,
        metadata=_about("Fade in over this many pixels inside the mask's edge.", 0, MAX_EDGE_PX),
    )
    despill: bool = field(
        default=False,
        metadata=_about("Rid the rim of its old background's colour (extra: matting)."),
    )
    provider: Provider = field(default="cpu", metadata=_about("What runs the network."))
    threads: int | None = field(
        default=None,
        metadata=_about("Threads of the network; as many as there are cores, at most 4.", 1),
    )

    def __post_init__(self) -> None:
        """Check every value against its field."""
        for one in fields(self):
            value = getattr(self, one.name)
            checked = _checked(one.name, value, one.type, one.metadata)
            if checked is not value:
                object.__setattr__(self, one.name, checked)


def _checked(name: str, value: Any, kind: Any, limits: Any) -> Any:  # noqa: ANN401
    """Return a value as its option wants it, or refuse it."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise UsageError(f"{name} is {value!r}: choose one of {', '.join(get_args(kind))}")
        return value
    if kind is str:
        return str(value)
    if kind is bool:
        if not isinstance(value, bool):
            raise UsageError(f"{name} is {value!r}: wanted True or False")
        return value
    if value is None and kind == (int | None):
        return None
    whole = kind is not float
    try:
        number = int(value) if whole else float(value)
        right = number == value and not isinstance(value, (bool, str))
    except (TypeError, ValueError, OverflowError):
        right = False
    least, most = limits["least"], limits["most"]
    if not right or not least <= number <= most:
        wanted = "a whole number" if whole else "a number"
        span = f"from {least:g} to {most:g}" if most < math.inf else f"of at least {least:g}"
        raise UsageError(f"{name} is {value!r}: choose {wanted} {span}")
    return number

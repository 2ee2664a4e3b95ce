"""The fields of `EditOptions` as options of a command."""

import math
from collections.abc import Callable, Collection
from dataclasses import Field, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from samelight.options import EditOptions

Command = Callable[..., None]

ALL = tuple(field.name for field in fields(EditOptions))


def edit_options(names: Collection[str] = ALL) -> Callable[[Command], Command]:
    """Let a command take fields of `EditOptions`; it gets them all as its argument `options`.

    Args:
        names: of the fields; the others stay as they are by default.
    """
    chosen = [field for field in fields(EditOptions) if field.name in names]

    def extend(command: Command) -> Command:
        own = [one for one in signature(command).parameters.values() if one.name != "options"]

        @wraps(command)
        def extended(**given: Any) -> None:  # noqa: ANN401 - whatever the command takes
            options = EditOptions(**{field.name: given.pop(field.name) for field in chosen})
            command(**given, options=options)

        vars(extended)["__signature__"] = Signature([*own, *map(_parameter, chosen)])
        return extended

    return extend


def _parameter(field: "Field[Any]") -> Parameter:
    """A field as typer reads options from a signature."""
    least, most = (
        limit if math.isfinite(limit) else None
        for limit in (field.metadata["least"], field.metadata["most"])
    )
    name = "--" + field.name.replace("_", "-")
    option = typer.Option(name, help=field.metadata["help"], min=least, max=most)
    return Parameter(
        field.name,
        Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=Annotated[field.type, option],
    )

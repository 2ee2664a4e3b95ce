"""Configurations for tests: records changed by name, whichever has the field."""

from dataclasses import fields, replace
from typing import Any

from samelight.lab.contract import Config, Use
from samelight.models.spec import View


def changed(records: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    """The same records, each with the changes that are its own; every change is somebody's."""
    names = [{field.name for field in fields(record)} for record in records]
    assert changes.keys() <= set().union(*names)
    return tuple(
        replace(record, **{name: value for name, value in changes.items() if name in own})
        for record, own in zip(records, names, strict=True)
    )


def seen_at(*sizes_px: int) -> Use:
    """A use with one view of each size; a negative one is mirrored."""
    return Use(views=tuple(View(size_px=abs(size), flip=size < 0) for size in sizes_px))


def with_views(config: Config, *sizes_px: int) -> Config:
    """A configuration used at other sizes, its window and gate kept."""
    use = replace(config.use, views=seen_at(*sizes_px).views)
    return replace(config, use=use)

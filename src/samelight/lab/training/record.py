"""run.json: what a run trains on what, so that it can be resumed, exported and told of."""

import dataclasses
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from samelight import __version__
from samelight.errors import ModelError, OutputError
from samelight.io.files import write_whole
from samelight.lab.contract import Config, Method, Recipe
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.former import as_todays_run

FILE = "run.json"


@dataclass(frozen=True, kw_only=True)
class PhotoSource:
    """Photos of one origin."""

    source: str
    licence: str
    photos: int
    """How many."""

    def __str__(self) -> str:
        """As a model's file tells it."""
        return f"{self.source}: {self.photos} photos, {self.licence}"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What run.json holds; configuration and recipe as JSON has them."""

    method: str
    config: Mapping[str, Any]
    """The four records of a `Config`."""
    recipe: Mapping[str, Any]
    photos: tuple[PhotoSource, ...]
    start_from: str | None = None
    start_part: str | None = None
    samelight: str = __version__
    torch: str = str(torch.__version__)
    machine: str = platform.machine()


def record_of(
    method: Method,
    config: Config,
    recipe: Recipe,
    photos: PhotoFolder,
    start_from: str | None = None,
    start_part: str | None = None,
) -> RunRecord:
    """Say what a run that begins now will train on what."""
    sources = Counter((entry.source, entry.licence) for entry in photos.entries)
    return RunRecord(
        method=method.name,
        config=_plain(config),
        recipe=_plain(recipe),
        photos=tuple(
            PhotoSource(source=source, licence=licence, photos=count)
            for (source, licence), count in sorted(sources.items())
        ),
        start_from=start_from,
        start_part=start_part,
    )


def begin_or_resume(run: Path, wanted: RunRecord) -> None:
    """Write the record of a new run; compare it with that of a run that is to go on.

    Raises:
        OutputError: when the run's folder is a file.
        ModelError: when the folder holds a run of something else: it names what differs.
    """
    if run.exists() and not run.is_dir():
        raise OutputError(f"{run} is a file: wanted a folder for the run, choose another --out")
    run.mkdir(parents=True, exist_ok=True)
    path = run / FILE
    if not path.exists():
        content = msgspec.json.format(msgspec.json.encode(wanted), indent=2) + b"\n"
        write_whole(path, lambda name: _write(name, content))
        return
    found, asked = (dict(_settings(record)) for record in (read_record(run), wanted))
    different = [name for name in (*found, *asked) if found.get(name) != asked.get(name)]
    if different:
        name = different[0]
        raise ModelError(
            f"{run} holds a run with {name} {found.get(name)}, and {asked.get(name)} is asked for: "
            "ask for the same, or choose another --out"
        )


def read_record(run: Path) -> RunRecord:
    """Read the record of a run, also of one that an earlier version began.

    Raises:
        ModelError: when there is none, or none that can be read.
    """
    path = run / FILE
    if not path.exists():
        raise ModelError(f"{path} is missing: wanted the folder of a `samelight train` run")
    try:
        about = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(as_todays_run(about), RunRecord)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is not what `samelight train` writes ({error}): train again"
        ) from error


def read_config(method: Method, plain: Mapping[str, Any]) -> Config:
    """Make a configuration of the four records that a run has stored.

    Raises:
        ModelError: when a record has a field that the method does not know.
    """
    kinds = {f.name: type(getattr(method.configs["small"], f.name)) for f in _fields(Config)}
    try:
        for name, kind in kinds.items():
            strange = set(plain[name]) - {field.name for field in _fields(kind)}
            if strange:
                raise ModelError(
                    f"this run's {name} has {', '.join(sorted(strange))}, which {method.name} "
                    "does not know: use the samelight that it was trained with"
                )
        return Config(**{name: msgspec.convert(plain[name], kind) for name, kind in kinds.items()})
    except (msgspec.ValidationError, KeyError) as error:
        raise ModelError(f"this run's configuration cannot be read: {error}") from error


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:  # noqa: ANN401
    return dataclasses.fields(kind)


def _settings(record: RunRecord) -> Iterator[tuple[str, Any]]:
    """What must not change while a run goes on, each with its dotted name."""
    yield "method", record.method
    yield from _leaves("", record.config)
    yield from _leaves("", record.recipe)
    yield "start_from", record.start_from
    yield "start_part", record.start_part
    for source in record.photos:
        yield f"photos of {source.source} ({source.licence})", source.photos


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(f"{name}.{key}" if name else key, part)
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for number, part in enumerate(value, 1):
            yield from _leaves(f"{name} {number}", part)
    else:
        yield name, value


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A dataclass as JSON gives it back."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _write(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)

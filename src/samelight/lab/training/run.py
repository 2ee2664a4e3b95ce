"""A training run on disk: run.json says what is trained on what, and a resumed run must match."""

import dataclasses
import json
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from samelight import __version__
from samelight.errors import ModelError, OutputError, PhotoError, UsageError
from samelight.lab.contract import Method, Network, Recipe, Stage, Traits
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.export import Origin, start_from_exported
from samelight.lab.former import METHODS as FORMER_METHODS
from samelight.lab.former import with_todays_fields
from samelight.lab.methods import METHODS
from samelight.lab.training.checkpoint import load_weights
from samelight.lab.training.loop import RunOptions, Trainer
from samelight.lab.training.monitor import Monitor
from samelight.models.registry import find_model


def method_named(name: str) -> Method:
    """Look a method up.

    Raises:
        ModelError: listing the names there are.
    """
    if name not in METHODS:
        raise ModelError(f'no method "{name}": choose one of {", ".join(METHODS)}')
    return METHODS[name]


def write_run(
    run: Path,
    method: Method,
    config: Any,  # noqa: ANN401
    recipe: Recipe,
    photos: PhotoFolder,
    start_from: str | Path | None = None,
    start_part: str | None = None,
) -> None:
    """Write run.json, or check that the one there trains the same network.

    Raises:
        ModelError: when the folder holds a run of another method or configuration.
    """
    if run.exists() and not run.is_dir():
        raise OutputError(f"{run} is a file: wanted a folder for the run, choose another --out")
    run.mkdir(parents=True, exist_ok=True)
    wanted = {"method": method.name, "config": _plain(config)}
    path = run / "run.json"
    if path.exists():
        found = _read_run(path)
        if {key: found.get(key) for key in wanted} != wanted:
            raise ModelError(f"{run} holds a run of another configuration: choose another --out")
        # Where it began does not change when it goes on.
        start_from, start_part = found.get("start_from"), found.get("start_part")
    sources = Counter((entry.source, entry.licence) for entry in photos.entries)
    about = {
        **wanted,
        "recipe": _plain(recipe),
        "start_from": None if start_from is None else str(start_from),
        "start_part": start_part,
        "photos": [
            {"source": source, "licence": licence, "photos": count}
            for (source, licence), count in sorted(sources.items())
        ],
        "samelight": __version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    path.write_text(json.dumps(about, indent=2) + "\n")


def train_run(
    name: str,
    config_name: str,
    photos: Path,
    run: Path,
    options: RunOptions,
    *,
    pairs: Path | None = None,
    images: int | None = None,
    size_px: int | None = None,
    batch: int | None = None,
    seed: int | None = None,
    start_from: str | Path | None = None,
    start_part: str | None = None,
    in_memory: bool = True,
) -> None:
    """Train a method on a folder of photos, or go on with a run that was interrupted.

    Args:
        name: of the method.
        config_name: one of the method's: "small", for most also "paper".
        photos: folder as `PhotoFolder` reads it.
        run: folder of the run.
        options: devices, precision, workers.
        pairs: composites to score now and then, in iHarmony4's layout.
        images: replaces the recipe's number of images.
        size_px: replaces the recipe's sizes.
        batch: replaces the recipe's examples per step.
        seed: replaces the recipe's: other examples, in another order.
        start_from: a shipped model or an exported file whose weights a new run begins with.
        start_part: a module of the network, such as "backbone": only that begins with them.
        in_memory: keep all photos decoded.

    Raises:
        SamelightError: for an unknown method or configuration, or folders without pictures.
    """
    method = method_named(name)
    if config_name not in method.configs:
        choices = ", ".join(method.configs)
        raise ModelError(f'{name} has no configuration "{config_name}": choose one of {choices}')
    config = method.configs[config_name]
    recipe = method.recipe
    if batch is not None:
        recipe = dataclasses.replace(recipe, batch=batch)
    if seed is not None:
        recipe = dataclasses.replace(recipe, seed=seed)
    recipe = recipe if images is None else scaled_recipe(recipe, images)
    recipe = recipe if size_px is None else resized_recipe(recipe, size_px)
    torch.manual_seed(recipe.seed)
    network = method.network(config)
    for size in {size for stage in recipe.stages for size in stage.sizes_px}:
        _require_size(size, network.traits)
    if start_from is not None:
        start_from_exported(network, find_model(start_from)[0], start_part)
    triples = list_pairs(pairs) if pairs is not None else None
    folder = PhotoFolder(photos, in_memory=in_memory)
    view = method.view(config)
    if view.needs_masks and not folder.with_masks:
        raise PhotoError(f"no masks for the photos under {photos}: wanted masks/<photo>_<k>.png")
    write_run(run, method, config, recipe, folder, start_from, start_part)
    trainer = Trainer(method.objective(network, config), recipe, run, options)
    size = network.traits.size_px
    watch = Monitor(triples, size, run / "samples") if triples is not None else None
    trainer.fit(folder, view, watch)


def load_run(run: Path, size_px: int | None = None) -> tuple[Method, Network]:
    """Rebuild a run's network with its averaged weights.

    Args:
        run: the run's folder.
        size_px: side of the picture the network is to be shown; None = as configured.

    Raises:
        ModelError: when the folder holds no finished checkpoint.
        UsageError: when the size does not suit the network.
    """
    path, weights = run / "run.json", run / "weights.safetensors"
    for needed in (path, weights):
        if not needed.exists():
            raise ModelError(f"{needed} is missing: wanted the folder of a `samelight train` run")
    about = _read_run(path)
    method = method_named(about["method"])
    kind = type(method.configs["small"])
    config = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in about["config"].items()})
    network = method.network(config)
    load_weights(weights, network)
    if size_px is not None:
        _require_size(size_px, network.traits)
        network.traits = dataclasses.replace(network.traits, size_px=size_px)
    return method, network.eval()


def average_runs(runs: Sequence[Path], size_px: int | None = None) -> tuple[Method, Network]:
    """Rebuild a network with the mean of several runs' weights.

    Where one run began with the other's weights, the mean is often better on pictures that neither
    saw than either of them (Wortsman et al., Model soups, ICML 2022).

    Args:
        runs: folders of one method and configuration; the first one's settings count.
        size_px: as for `load_run`.

    Raises:
        ModelError: when a folder holds no finished checkpoint.
        UsageError: when the runs' networks are not alike, or the size does not suit them.
    """
    (method, network), *others = [load_run(run, size_px) for run in runs]
    states = [network.state_dict(), *(other.state_dict() for _, other in others)]
    for run, state in zip(runs, states, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in states[0].items()}:
            raise UsageError(
                f"the network of {run} is not shaped as that of {runs[0]}: average runs of one "
                "method and configuration"
            )
    with torch.no_grad():
        for name, values in network.state_dict(keep_vars=True).items():
            if values.is_floating_point():
                values.copy_(torch.stack([state[name] for state in states]).mean(dim=0))
    return method, network


def origin_of(run: Path) -> Origin:
    """What an exported file should tell of a run: of its method, settings, photos and start."""
    about = _read_run(run / "run.json")
    return Origin(
        method=about["method"],
        configuration=about["config"],
        recipe=about["recipe"],
        training_data=tuple(
            f"{row['source']}: {row['photos']} photos, {row['licence']}" for row in about["photos"]
        ),
        started_from=about["start_from"],
    )


def scaled_recipe(recipe: Recipe, images: int) -> Recipe:
    """The same recipe over another number of images, stages in proportion, in whole batches."""
    stages = []
    for stage in recipe.stages:
        share = round(stage.images * images / recipe.images / recipe.batch)
        stages.append(dataclasses.replace(stage, images=max(1, share) * recipe.batch))
    return dataclasses.replace(recipe, stages=tuple(stages))


def resized_recipe(recipe: Recipe, size_px: int) -> Recipe:
    """The same recipe with every stage at one size."""
    stages: list[Stage] = [dataclasses.replace(s, sizes_px=(size_px,)) for s in recipe.stages]
    return dataclasses.replace(recipe, stages=tuple(stages))


def _read_run(path: Path) -> dict[str, Any]:
    """Read run.json, also one of an earlier version, by today's names."""
    about: dict[str, Any] = json.loads(path.read_text())
    method = about.get("method", "")
    about["method"] = FORMER_METHODS.get(method, method)
    about["config"] = with_todays_fields(about.get("config", {}))
    return about


def _require_size(size_px: int, traits: Traits) -> None:
    if size_px <= 0 or size_px % traits.multiple_of:
        raise UsageError(
            f"images of {size_px} px do not suit the network: choose a multiple of "
            f"{traits.multiple_of}"
        )


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A dataclass as JSON would give it back."""
    return json.loads(json.dumps(dataclasses.asdict(value)))

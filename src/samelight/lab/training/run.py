"""Train what is asked for: from a request to a run on disk."""

import sys
from collections.abc import Sequence

import torch

from samelight.errors import ModelError, PhotoError
from samelight.lab.contract import Config, Method, Network, Recipe, Use
from samelight.lab.data.donors import cached_neighbours
from samelight.lab.data.pairs import Pair, list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from samelight.lab.inference import require_size
from samelight.lab.methods import METHODS
from samelight.lab.training.loop import Evaluate, RunOptions, Trainer
from samelight.lab.training.monitor import Monitor, make_composites, read_composites
from samelight.lab.training.record import begin_or_resume, record_of
from samelight.lab.training.request import TrainRequest
from samelight.lab.training.start import start_from_model
from samelight.models.registry import find_model
from samelight.models.spec import View

HELD_OUT = 96
"""Composites of held-out photos on which a run is validated."""
HELD_OUT_SEED = 3_000_000
"""Apart from the seeds that trainings and studies take."""


def method_named(name: str) -> Method:
    """Look a method up.

    Raises:
        ModelError: listing the names there are.
    """
    if name not in METHODS:
        raise ModelError(f'no method "{name}": choose one of {", ".join(METHODS)}')
    return METHODS[name]


def config_named(method: Method, name: str) -> Config:
    """Look a method's configuration up.

    Raises:
        ModelError: listing the names there are.
    """
    if name not in method.configs:
        choices = ", ".join(method.configs)
        raise ModelError(f'{method.name} has no configuration "{name}": choose one of {choices}')
    return method.configs[name]


def train_run(request: TrainRequest, options: RunOptions) -> None:
    """Train a method on a folder of photos, or go on with a run that was interrupted.

    Args:
        request: what to train on what.
        options: devices, precision, workers.

    Raises:
        SamelightError: for an unknown method or configuration, folders without pictures, or a run
            that was begun with other settings.
    """
    method = method_named(request.method)
    config = config_named(method, request.config)
    recipe = request.recipe(method.recipe)
    torch.manual_seed(recipe.seed)
    network = method.network(config.shape)
    for size_px in {size_px for stage in recipe.stages for size_px in stage.sizes_px}:
        require_size(network, size_px)
    if request.start_from is not None:
        path, _ = find_model(request.start_from)
        start_from_model(network, method.name, path, request.start_part)
    objective = method.objective(network, config.loss)
    pairs = list_pairs(request.pairs) if request.pairs is not None else []
    photos = PhotoFolder(request.photos, part="training", in_memory=request.in_memory)
    if config.examples.needs_masks and not photos.objects:
        raise PhotoError(
            f"no masks for the photos under {request.photos}: wanted masks/<photo>_<k>.png"
        )
    start = request.start_from, request.start_part
    begin_or_resume(request.run, record_of(method, config, recipe, photos, *start))
    for note in photos.notes:
        _say(note.text)
    if config.examples.needs_masks:
        _say(f"{len(photos.objects)} objects in {len(photos)} photos: alike ones are found once")
        photos.neighbours = cached_neighbours(photos, request.run / "donors.npz")
    trainer = Trainer(objective, recipe, request.run, options)
    trainer.fit(photos, config.examples, _watch(request, config, recipe, pairs))


def _watch(
    request: TrainRequest, config: Config, recipe: Recipe, pairs: Sequence[Pair]
) -> Evaluate:
    """Score a network on composites of held-out photos, and on those that were asked for."""
    monitors: dict[str, Monitor] = {}
    if pairs:
        composites = read_composites(pairs, config.use.size_px)
        monitors[""] = Monitor(composites, config.use, request.run / "samples")
    held_out = PhotoFolder(request.photos, part="held_out")
    if held_out.objects:
        sizes = sorted(recipe.stages[-1].sizes_px)
        use = Use(views=(View(size_px=sizes[len(sizes) // 2]),))
        composites = make_composites(
            held_out, CompositeView(), use.size_px, count=HELD_OUT, seed=HELD_OUT_SEED
        )
        monitors["held_out_"] = Monitor(composites, use, request.run / "held_out")
    else:
        _say("no object of a held-out photo to validate on: one photo in 25 is held out")

    def evaluate(network: Network, images_seen: int) -> dict[str, float]:
        return {
            prefix + name: figure
            for prefix, monitor in monitors.items()
            for name, figure in monitor(network, images_seen).items()
        }

    return evaluate


def _say(text: str) -> None:
    """Tell a line on stderr, where the run's progress is told."""
    sys.stderr.write(f"{text}\n")

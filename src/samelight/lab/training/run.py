"""Train what is asked for: from a request to a run on disk."""

import torch

from samelight.errors import ModelError, PhotoError
from samelight.lab.contract import Config, Method
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.inference import require_size
from samelight.lab.methods import METHODS
from samelight.lab.training.loop import RunOptions, Trainer
from samelight.lab.training.monitor import Monitor
from samelight.lab.training.record import begin_or_resume, record_of
from samelight.lab.training.request import TrainRequest
from samelight.lab.training.start import start_from_model
from samelight.models.registry import find_model


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
    triples = list_pairs(request.pairs) if request.pairs is not None else None
    photos = PhotoFolder(request.photos, in_memory=request.in_memory)
    if config.examples.needs_masks and not photos.objects:
        raise PhotoError(
            f"no masks for the photos under {request.photos}: wanted masks/<photo>_<k>.png"
        )
    start = request.start_from, request.start_part
    begin_or_resume(request.run, record_of(method, config, recipe, photos, *start))
    trainer = Trainer(method.objective(network, config.loss), recipe, request.run, options)
    watch = Monitor(triples, config.use, request.run / "samples") if triples is not None else None
    trainer.fit(photos, config.examples, watch)

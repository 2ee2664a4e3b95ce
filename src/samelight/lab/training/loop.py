"""Train any objective: the loop knows batches, losses and steps, and no method."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from samelight.errors import UsageError
from samelight.lab.contract import Network, Objective, Recipe, View
from samelight.lab.data.loader import ExampleStream, examples_loader
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.training.checkpoint import load_checkpoint, save_checkpoint
from samelight.lab.training.ema import MovingAverage
from samelight.lab.training.memory import keep_freed_memory
from samelight.lab.training.optim import learning_rate, make_optimizer
from samelight.lab.training.progress import Progress

PRECISIONS = ("bf16-mixed", "32-true")
ACCELERATORS = ("auto", "cpu", "cuda")

Evaluate = Callable[[Network, int], dict[str, float]]
"""Called with the averaged network and the images seen; returns figures for the log."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, as opposed to what to train."""

    workers: int = 2
    """Processes that make examples."""
    precision: Any = "bf16-mixed"
    """Fabric's precision: "bf16-mixed" or "32-true"."""
    accelerator: str = "auto"
    devices: int = 1
    save_every: int = 20_000
    """Images between checkpoints and evaluations."""

    def __post_init__(self) -> None:
        """Refuse what the engine would answer with a traceback."""
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision {self.precision!r}: choose one of {PRECISIONS}")
        if self.accelerator not in ACCELERATORS:
            raise UsageError(f"device {self.accelerator!r}: choose one of {ACCELERATORS}")
        if self.workers < 0 or self.devices < 1 or self.save_every < 1:
            raise UsageError(
                f"{self.workers} workers, {self.devices} devices, checkpoints every "
                f"{self.save_every} images: wanted at least 0, 1 and 1"
            )


class Trainer:
    """Trains an objective by a recipe and leaves checkpoints in a folder.

    Args:
        objective: owns the network that is trained.
        recipe: stages, rates and the rest.
        run: folder of the run; a checkpoint in it is resumed.
        options: devices, precision, workers.
    """

    def __init__(
        self, objective: Objective, recipe: Recipe, run: Path, options: RunOptions
    ) -> None:
        if recipe.batch % options.devices:
            raise UsageError(
                f"a batch of {recipe.batch} cannot be shared by {options.devices} devices: "
                "choose a number that divides it"
            )
        keep_freed_memory()
        self.recipe, self.run, self.options = recipe, run, options
        self.fabric = Fabric(
            accelerator=options.accelerator, devices=options.devices, precision=options.precision
        )
        self.fabric.launch()
        objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.inner = objective
        pretrained = objective.network.pretrained_parameters()
        optimizer = make_optimizer(objective, recipe, pretrained)
        # The objective is wrapped, not the network: its passes then meet the same gradients' sum
        # on every rank, whatever passes it makes.
        self.objective, self.optimizer = self.fabric.setup(objective, optimizer)
        self.average = MovingAverage(objective.network, recipe.ema_decay)
        self.images_seen = 0
        if (run / "checkpoint.pt").exists():
            self.images_seen = load_checkpoint(run, objective, self.optimizer, self.average)

    def fit(self, photos: PhotoFolder, view: View, evaluate: Evaluate | None = None) -> None:
        """Train to the end of the recipe."""
        # One process writes; with several devices the losses told are its share's.
        progress = None
        if self.fabric.is_global_zero:
            progress = Progress(self.run, self.recipe.images, self.images_seen)
        with progress or nullcontext():
            start = 0
            for stage in self.recipe.stages:
                stream = ExampleStream(
                    photos,
                    view,
                    seed=self.recipe.seed,
                    sizes_px=stage.sizes_px,
                    batch=self.recipe.batch,
                    first=start,
                )
                numbers = range(max(start, self.images_seen), start + stage.images)
                self._fit_stage(stream, numbers, progress, evaluate)
                start += stage.images
                # A last batch that is not full is not trained on; the next stage starts on time.
                self.images_seen = max(self.images_seen, start)
            self._save(progress, evaluate)

    def _fit_stage(
        self,
        stream: ExampleStream,
        numbers: range,
        progress: Progress | None,
        evaluate: Evaluate | None,
    ) -> None:
        for batch in self._batches(stream, numbers):
            terms = self._step(batch)
            before = self.images_seen
            self.images_seen += self.recipe.batch
            if progress is not None:
                progress.step(self.images_seen, terms)
            every = self.options.save_every
            if before // every != self.images_seen // every:
                self._save(progress, evaluate)

    def _batches(self, stream: ExampleStream, numbers: range) -> Iterator[tuple[torch.Tensor, ...]]:
        ranks, rank = self.fabric.world_size, self.fabric.global_rank
        # Whole batches only: a rank with one step more would wait for the others for ever.
        stop = numbers.stop - len(numbers) % self.recipe.batch
        own = range(numbers.start + rank, stop, ranks)
        per_rank = self.recipe.batch // ranks
        for tensors in examples_loader(stream, own, batch=per_rank, workers=self.options.workers):
            yield self.inner.batch(*(_laid_out(t.to(self.fabric.device)) for t in tensors))

    def _step(self, batch: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
        rate = learning_rate(self.recipe, self.images_seen)
        for group in self.optimizer.param_groups:
            # Earlier checkpoints call it a pace, the first ones have none.
            scale = group.get("learning_rate_scale", group.get("pace", 1.0))
            group["lr"] = rate * scale
        losses = self.objective(batch)
        self.fabric.backward(losses.total)
        norm = self.fabric.clip_gradients(
            self.objective,
            self.optimizer,
            max_norm=self.recipe.clip_norm,
            error_if_nonfinite=False,
        )
        # One step with a gradient that is not finite would spoil the run; such a batch is skipped.
        if norm is None or torch.isfinite(norm):
            self.optimizer.step()
            self.inner.after_step()
            self.average.update(self.inner.network)
        self.optimizer.zero_grad()
        terms = {name: value.detach() for name, value in losses.terms.items()}
        return {"total": losses.total.detach(), **terms, "rate": torch.tensor(rate)}

    def _save(self, progress: Progress | None, evaluate: Evaluate | None) -> None:
        if progress is None:
            return
        began = time.perf_counter()
        save_checkpoint(self.run, self.inner, self.optimizer, self.average, self.images_seen)
        if evaluate is not None:
            progress.figures(self.images_seen, evaluate(self.average.network, self.images_seen))
        progress.pause(time.perf_counter() - began)


def _laid_out(tensor: torch.Tensor) -> torch.Tensor:
    """Put pictures in memory pixel by pixel, as the convolutions want them."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

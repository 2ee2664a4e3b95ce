"""Examples by number: the n-th example depends on the seed and n alone, whoever makes it."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from samelight.lab.contract import View
from samelight.lab.data.photos import PhotoFolder
from samelight.types import FloatArray


class ExampleStream(Dataset[tuple[FloatArray, ...]]):
    """A map from an example's number to the example.

    Args:
        photos: what the examples are made of.
        view: makes one.
        seed: of all that is drawn.
        sizes_px: sides of an example; those of one batch have one of them, drawn evenly.
        batch: so many examples that follow one another are one batch.
        first: number of an example with which a batch begins.
    """

    def __init__(
        self,
        photos: PhotoFolder,
        view: View,
        *,
        seed: int,
        sizes_px: Sequence[int],
        batch: int,
        first: int = 0,
    ) -> None:
        self.photos, self.view, self.seed = photos, view, seed
        self.sizes_px, self.batch, self.first = sizes_px, batch, first

    def __getitem__(self, number: int) -> tuple[FloatArray, ...]:
        """Make example `number`."""
        rng = np.random.default_rng((self.seed, number))
        return self.view(self.photos, self._size_of(number), rng)

    def _size_of(self, number: int) -> int:
        beginning = number - (number - self.first) % self.batch
        rng = np.random.default_rng((self.seed, beginning // self.batch, 1))
        return self.sizes_px[int(rng.integers(len(self.sizes_px)))]


def examples_loader(
    stream: ExampleStream, numbers: range, *, batch: int, workers: int
) -> Iterator[list[torch.Tensor]]:
    """Iterate over the examples of a range in order, in full batches.

    Args:
        stream: where they come from.
        numbers: the examples' numbers; resuming starts the range later.
        batch: examples per step.
        workers: processes; 0 makes them in this one.
    """
    # libvips hangs in a process that was forked: who reads files has to begin afresh.
    context = "spawn" if workers and not stream.photos.in_memory else None
    return iter(
        DataLoader(
            stream,
            batch_size=batch,
            sampler=numbers,
            num_workers=workers,
            drop_last=True,
            prefetch_factor=4 if workers else None,
            multiprocessing_context=context,
            worker_init_fn=_give_way,
        )
    )


def _give_way(worker: int) -> None:
    """Let the training threads go first.

    With few cores they would all wait for the one that a worker interrupts.
    """
    if hasattr(os, "nice"):
        os.nice(10)

"""The smallest network and objective that the lab can train, and examples that need no photos."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from samelight.lab.contract import Losses, Network, Objective, Recipe, Stage, Trace
from samelight.lab.data.views import Example


class TinyNetwork(Network):
    """One 1x1 convolution inside the mask."""

    multiple_of = 1

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(4, 3, 1)

    def trace(self, composite, mask):
        change = self.mix(torch.cat([composite, mask], dim=1))
        return Trace(composite + mask * change, {})


class TinyObjective(Objective):
    """Squared error; `spoiled` counts down to a batch whose loss is not a number."""

    def __init__(self, network: Network, spoiled: int = -1) -> None:
        super().__init__()
        self.network = network
        self.spoiled = spoiled
        self.stepped = 0

    def after_step(self):
        self.stepped += 1

    def forward(self, batch):
        trace = self.network.trace(batch.composite, batch.mask)
        error = (trace.image - batch.real).square().mean()
        total = error * float("nan") if self.spoiled == 0 else error
        self.spoiled -= 1
        return Losses(total, {"error": error})


@dataclass(frozen=True)
class RandomView:
    """Noise, with a real image that one 1x1 convolution can reach."""

    def __call__(self, photos, size_px, rng):
        composite = rng.random((3, size_px, size_px), dtype=np.float32)
        mask = (rng.random((1, size_px, size_px)) < 0.5).astype(np.float32)
        return Example(composite, composite + mask * (0.3 - 0.5 * composite), mask)


def tiny_recipe(*images: int, batch: int = 4) -> Recipe:
    """One stage per number of images."""
    stages = [
        Stage(sizes_px=(8,), images=count, learning_rate=0.05, final_learning_rate=0.01)
        for count in images
    ]
    return Recipe(stages=tuple(stages), batch=batch, warmup_steps=2, ema_decay=0.9)


def state_of(path: Path) -> dict[str, torch.Tensor]:
    """The weights in a file."""
    from safetensors.torch import load_file

    return load_file(path)

"""Checkpoints that resume exactly, and the averaged weights on their own."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import nn

from samelight.lab.contract import Network
from samelight.lab.former import with_todays_parameters
from samelight.lab.training.ema import MovingAverage


def save_checkpoint(
    run: Path,
    objective: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage[Network],
    images_seen: int,
) -> None:
    """Write checkpoint.pt (to resume) and weights.safetensors (averaged, to export)."""
    state = {
        "objective": objective.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.network.state_dict(),
        "average_steps": average.steps,
        "images_seen": images_seen,
    }
    partial = run / "checkpoint.pt.partial"
    torch.save(state, partial)
    partial.replace(run / "checkpoint.pt")
    save_weights(run / "weights.safetensors", average.network)


def load_checkpoint(
    run: Path,
    objective: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage[Network],
) -> int:
    """Restore everything `save_checkpoint` wrote; return the images seen."""
    state = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")
    objective.load_state_dict(with_todays_parameters(state["objective"]))
    optimizer.load_state_dict(state["optimizer"])
    average.network.load_state_dict(with_todays_parameters(state["average"]))
    average.steps = state["average_steps"]
    return int(state["images_seen"])


def save_weights(path: Path, network: nn.Module) -> None:
    """Write a network's weights as safetensors, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(save({k: v.contiguous() for k, v in network.state_dict().items()}))
    partial.replace(path)


def load_weights(path: Path, network: nn.Module) -> None:
    """Read a network's weights from safetensors."""
    network.load_state_dict(with_todays_parameters(load_file(path)))

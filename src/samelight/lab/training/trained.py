"""What runs have led to: a network, how it is used, and where it comes from."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from samelight.errors import ModelError, UsageError
from samelight.lab.contract import Network, Use
from samelight.lab.training.checkpoint import load_weights
from samelight.lab.training.record import RunRecord, read_config, read_record
from samelight.lab.training.run import method_named
from samelight.models.spec import Training


class Trained(NamedTuple):
    """A network with the averaged weights of one run, or the mean of several runs'."""

    method: str
    network: Network
    """In evaluation mode."""
    use: Use
    trainings: tuple[Training, ...]
    """One for each run."""


def load_runs(runs: Sequence[Path]) -> Trained:
    """Rebuild the network of a run, or of several with the mean of their weights.

    Where one run began with the other's weights, the mean is often better on pictures that neither
    saw than either of them (Wortsman et al., Model soups, ICML 2022).

    Args:
        runs: folders of one method and shape; how it is used is as the first one says.

    Raises:
        ModelError: when a folder holds no finished checkpoint.
        UsageError: when the runs' networks are not alike.
    """
    first, *others = [_load_run(run) for run in runs]
    states = [trained.network.state_dict() for trained in (first, *others)]
    for run, state in zip(runs, states, strict=True):
        if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in states[0].items()}:
            raise UsageError(
                f"the network of {run} is not shaped as that of {runs[0]}: average runs of one "
                "method and configuration"
            )
    means = {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        for name, value in states[0].items()
        if value.is_floating_point()
    }
    first.network.load_state_dict(means, strict=False)
    trainings = tuple(training for each in (first, *others) for training in each.trainings)
    return first._replace(trainings=trainings)


def _load_run(run: Path) -> Trained:
    record = read_record(run)
    weights = run / "weights.safetensors"
    if not weights.exists():
        raise ModelError(f"{weights} is missing: wanted the folder of a `samelight train` run")
    method = method_named(record.method)
    config = read_config(method, record.config)
    network = method.network(config.shape)
    load_weights(weights, network)
    return Trained(method.name, network.eval(), config.use, (_training(record),))


def _training(record: RunRecord) -> Training:
    """What an exported file should tell of a run."""
    part = f", its {record.start_part} alone" if record.start_part else ""
    return Training(
        configuration=record.config,
        recipe=record.recipe,
        data=tuple(map(str, record.photos)),
        started_from=f"{record.start_from}{part}" if record.start_from else None,
    )

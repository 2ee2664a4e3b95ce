"""How large a picture the network should see: docs/methods/giftnet.md has the table.

`python studies/input_size.py PAIRS` runs a shipped network's weights over composites in
iHarmony4's layout at several sizes, scored at that size, and tells the milliseconds of one pass.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from samelight.lab.contract import Network, Use
from samelight.lab.data.pairs import list_pairs
from samelight.lab.methods import METHODS
from samelight.lab.training.monitor import Monitor, read_composites
from samelight.lab.training.start import start_from_model
from samelight.models.registry import DEFAULT_MODEL, find_model, list_models
from samelight.models.spec import View

SIZES = (128, 192, 256, 320, 384, 512)


def main() -> None:
    """Print one row per size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL, choices=list(list_models()))
    parser.add_argument("--config", default="small", help="of the model's network")
    arguments = parser.parse_args()
    method = METHODS[list_models()[arguments.model].method]
    network = method.network(method.configs[arguments.config].shape).eval()
    start_from_model(network, method.name, find_model(arguments.model)[0])
    pairs = list_pairs(arguments.pairs)
    _say("side", "ms a pass (PyTorch)", "fMSE / composite", "improved")
    for side in SIZES:
        with TemporaryDirectory() as strips:
            use = Use(views=(View(size_px=side),))
            figures = Monitor(read_composites(pairs, side), use, Path(strips))(network, 0)
        _say(
            str(side),
            f"{1000 * _seconds(network, side):.0f}",
            f"{figures['fmse_ratio']:.3f}",
            f"{figures['improved']:.1%}",
        )


@torch.no_grad()
def _seconds(network: Network, side: int) -> float:
    composite, mask = torch.rand(1, 3, side, side), torch.ones(1, 1, side, side)
    times = []
    for _ in range(12):
        start = time.perf_counter()
        network(composite, mask)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def _say(*cells: str) -> None:
    sys.stdout.write(" | ".join(cells) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

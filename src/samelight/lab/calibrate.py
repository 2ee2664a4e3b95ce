"""How strong corrections should be at the size a network is shown: measured after training (ours).

A network that is trained on small pictures and shown larger ones sees more, but was never told how
far it may trust that: it does too little, by much the same factor everywhere.
"""

from pathlib import Path

import numpy as np
import torch

from samelight.errors import UsageError
from samelight.lab.contract import CorrectionNetwork, Network
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView

SEED = 1_000_000
"""Apart from the seeds that trainings take."""
TRUST = 0.5
"""How far to go towards what these photos ask for: it may know them, and errs more on others."""


def calibrate_network(network: Network, photos: Path) -> float:
    """Make a network's corrections stronger, half as far as composites of photos ask for.

    Args:
        network: which predicts corrections.
        photos: folder as `PhotoFolder` reads it.

    Returns:
        How many times as strong they are now.

    Raises:
        UsageError: for a network that paints pictures.
    """
    if not isinstance(network, CorrectionNetwork):
        raise UsageError(
            "--calibrate is for networks that predict a correction: leave it out for this one"
        )
    best = best_strength(network, PhotoFolder(photos), CompositeView(around_object=1.0))
    factor = 1 + TRUST * (best - 1)
    network.strengthen(factor)
    return factor


@torch.no_grad()
def best_strength(
    network: CorrectionNetwork, photos: PhotoFolder, view: CompositeView, *, examples: int = 400
) -> float:
    """The factor of all corrections that would leave the least squared error.

    Args:
        network: shown pictures of the size it was made for.
        photos: to make composites of; those of the training will do.
        view: makes them.
        examples: how many.

    Returns:
        1 if the network is neither timid nor bold. Each example counts by its foreground's mean,
        as fMSE does.
    """
    asked = given = 0.0
    for number in range(examples):
        rng = np.random.default_rng((SEED, number))
        example = view(photos, network.traits.size_px, rng)
        composite, real, mask = (torch.from_numpy(part)[None] for part in example)
        change = network.trace(composite, mask).image - composite
        area = float(mask.sum())
        asked += float((change * (real - composite)).sum()) / area
        given += float(change.square().sum()) / area
    return asked / given

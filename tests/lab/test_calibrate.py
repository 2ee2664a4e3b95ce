import numpy as np
import pytest
import torch

from samelight.errors import UsageError
from samelight.lab.calibrate import best_strength, calibrate_network
from samelight.lab.contract import CorrectionNetwork, Predicted, Traits
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView, Example
from samelight.lab.methods import METHODS
from tests.lab.pictures import write_photos

SIZE = 32


class Brightens(CorrectionNetwork):
    """Adds the same to every channel, whatever it is shown."""

    def __init__(self, lift):
        super().__init__()
        self.traits = Traits(size_px=SIZE, multiple_of=1)
        self.lift = lift

    def predict(self, composite, mask):
        coefficients = torch.zeros(len(composite), 12, 1, 1)
        coefficients[:, 9:] = self.lift
        return Predicted(coefficients, torch.ones(len(composite), 2))

    def strengthen(self, factor):
        self.lift *= factor


class Darkened:
    """Composites that are too dark by one of two amounts, each over its own area."""

    needs_masks = False

    def __call__(self, photos, size_px, rng):
        amount, rows = ((0.1, 4), (0.3, 16))[rng.integers(2)]
        mask = np.zeros((1, size_px, size_px), np.float32)
        mask[:, :rows] = 1
        composite = np.full((3, size_px, size_px), 0.3, np.float32)
        return Example(composite, composite + amount * mask, mask)


def test_the_best_strength_is_that_of_least_squares():
    # Both amounts count alike, whatever their area: 0.05 should be 0.2 in the mean.
    found = best_strength(Brightens(0.05), None, Darkened(), examples=2000)
    assert found == pytest.approx(4, rel=0.03)


def test_a_timid_network_goes_half_of_the_way_that_its_photos_ask_for(tmp_path):
    photos = write_photos(tmp_path)
    network, folder = Brightens(0.01), PhotoFolder(photos)
    view = CompositeView(around_object=1.0)  # as in use
    before = best_strength(network, folder, view)
    factor = calibrate_network(network, photos)
    assert factor == pytest.approx((1 + before) / 2)
    assert network.lift == pytest.approx(0.01 * factor)
    after = best_strength(network, folder, view)
    assert after == pytest.approx(before / factor, rel=1e-3)


def test_a_network_that_paints_is_refused(tmp_path):
    method = METHODS["giftnet"]
    with pytest.raises(UsageError, match="leave it out"):
        calibrate_network(method.network(method.configs["small"]), tmp_path)

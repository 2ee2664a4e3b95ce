import numpy as np
import pytest
import torch
from PIL import Image

from samelight.lab.data.pairs import list_pairs
from samelight.lab.training.monitor import Monitor
from tests.lab.pictures import write_pairs
from tests.lab.records import seen_at
from tests.lab.tiny import TinyNetwork


def network(gain):
    """Multiplies the foreground by a gain."""
    tiny = TinyNetwork()
    with torch.no_grad():
        tiny.mix.weight.zero_()
        tiny.mix.bias.zero_()
        for channel in range(3):
            tiny.mix.weight[channel, channel] = gain - 1
    return tiny


@pytest.fixture
def monitor(tmp_path):
    pairs = list_pairs(write_pairs(tmp_path / "pairs", 11))
    return Monitor(pairs, seen_at(24), tmp_path / "samples")


def test_doing_nothing_scores_1_and_improves_nothing(monitor):
    figures = monitor(network(1.0), 0)
    assert figures == {"fmse_ratio": pytest.approx(1), "improved": 0}


def test_undoing_the_change_scores_near_0(monitor):
    figures = monitor(network(1 / 0.6), 0)  # write_pairs darkens by 0.6
    assert figures["fmse_ratio"] < 0.02
    assert figures["improved"] == 1


def test_making_it_worse_scores_above_1(monitor):
    assert monitor(network(0.5), 0)["fmse_ratio"] > 1.5


def test_the_strip_has_a_row_of_composites_of_outputs_and_of_reals(monitor, tmp_path):
    monitor(network(0.0), 1234)
    with Image.open(tmp_path / "samples" / "00001234.jpg") as image:
        strip = np.asarray(image).astype(float) / 255
    assert strip.shape == (3 * 24, 8 * 24, 3)
    middle = [strip[24 * row + 12, 12].mean() for row in range(3)]
    assert middle[1] < 0.1 < middle[0] < middle[2]
    corner = [strip[24 * row + 1, 1] for row in range(3)]
    assert np.ptp(corner, axis=0).max() < 0.1

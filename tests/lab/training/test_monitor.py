import numpy as np
import pytest
import torch
from PIL import Image

from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from samelight.lab.training.monitor import Monitor, make_composites, read_composites
from tests.lab.pictures import write_pairs, write_photos
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
    return Monitor(read_composites(pairs, 24), seen_at(24), tmp_path / "samples")


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


def test_composites_are_made_again_alike_and_differ_by_their_seed(tmp_path):
    photos = PhotoFolder(write_photos(tmp_path))
    first, again, other = (
        make_composites(photos, CompositeView(), 32, count=3, seed=seed) for seed in (1, 1, 2)
    )
    assert [tuple(part.shape) for part in first] == [(3, 3, 32, 32), (3, 3, 32, 32), (3, 1, 32, 32)]
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first.composite, other.composite)


def test_composites_are_read_whole_and_squeezed(tmp_path):
    (pair,) = list_pairs(write_pairs(tmp_path, 1))
    batch = read_composites([pair], 24)
    with Image.open(pair.real) as image:
        small = np.asarray(image.resize((24, 24), Image.Resampling.BILINEAR), np.float32) / 255
    np.testing.assert_allclose(batch.real[0].permute(1, 2, 0), small, atol=1e-6)
    assert batch.mask.shape == (1, 1, 24, 24)
    assert batch.mask.max() == 1

import numpy as np
import pytest

from samelight.color import rgb_to_lab
from samelight.lab.evaluation.peers import PEERS, identity, reinhard, reinhard_half


@pytest.fixture
def composite():
    """A dull object on a brighter, livelier background; all moves stay inside the range."""
    rng = np.random.default_rng(0)
    image = rng.uniform(0.45, 0.65, (20, 30, 3)).astype(np.float32)
    image[:, :15] = rng.uniform(0.3, 0.4, (20, 15, 3))
    return image


@pytest.fixture
def mask():
    mask = np.zeros((20, 30), np.float32)
    mask[:, :15] = 1
    return mask


def test_reinhard_gives_the_foreground_the_backgrounds_mean_and_deviation(composite, mask):
    lab = rgb_to_lab(reinhard(composite, mask))
    inside, outside = lab[mask > 0], lab[mask == 0]
    np.testing.assert_allclose(inside.mean(0), outside.mean(0), atol=0.1)
    np.testing.assert_allclose(inside.std(0), outside.std(0), atol=0.1)


def test_half_the_strength_is_half_the_way_in_lab(composite, mask):
    before, half, full = (
        rgb_to_lab(peer(composite, mask)) for peer in (identity, reinhard_half, reinhard)
    )
    np.testing.assert_allclose(half, (before + full) / 2, atol=0.05)
    assert abs(full - before).max() > 5


def test_peers_go_by_their_names():
    assert {
        "identity": identity,
        "reinhard": reinhard,
        "reinhard-half": reinhard_half,
    } == PEERS


@pytest.mark.parametrize("name", PEERS)
def test_the_background_is_untouched(name, composite, mask):
    mask[:, 14] = 0.3
    output = PEERS[name](composite, mask)
    assert output.shape == composite.shape
    assert np.array_equal(output[mask == 0], composite[mask == 0])
    assert output.min() >= 0
    assert output.max() <= 1


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("coverage", [0, 1])
def test_with_one_region_only_there_is_nothing_to_do(name, composite, mask, coverage):
    assert np.array_equal(PEERS[name](composite, np.full_like(mask, coverage)), composite)


def test_a_soft_mask_blends(composite, mask):
    full = reinhard(composite, mask)
    mask[:, 14] = 0.6  # still counted as foreground
    soft = reinhard(composite, mask)
    wanted = composite[:, 14] + 0.6 * (full[:, 14] - composite[:, 14])
    np.testing.assert_allclose(soft[:, 14], wanted, atol=1e-5)


def test_a_foreground_of_one_colour_stays_finite(composite, mask):
    composite[:, :15] = 0.3
    assert np.isfinite(reinhard(composite, mask)).all()


def test_out_of_range_colours_are_clipped(mask):
    image = np.zeros((20, 30, 3), np.float32)
    image[:, 15:] = np.random.default_rng(0).integers(0, 2, (20, 15, 3))
    image[:10, :15] = 0.02
    output = reinhard(image, mask)
    assert output.min() >= 0
    assert output.max() <= 1

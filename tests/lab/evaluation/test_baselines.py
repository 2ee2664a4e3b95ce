import numpy as np
import pytest

from samelight.color.spaces import rgb_to_lab
from samelight.lab.evaluation.baselines import BASELINES

identity, reinhard, reinhard_half = (
    BASELINES[name] for name in ("identity", "reinhard", "reinhard-half")
)


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
        rgb_to_lab(baseline(composite, mask)) for baseline in (identity, reinhard_half, reinhard)
    )
    np.testing.assert_allclose(half, (before + full) / 2, atol=0.05)
    assert abs(full - before).max() > 5


def test_every_baseline_brings_the_foreground_nearer_to_the_background(composite, mask):
    before = abs(composite[mask > 0].mean(0) - composite[mask == 0].mean(0)).max()
    for name, baseline in BASELINES.items():
        output = baseline(composite, mask)
        after = abs(output[mask > 0].mean(0) - composite[mask == 0].mean(0)).max()
        assert after < (0.6 * before if name != "identity" else before + 1e-6), name


@pytest.mark.parametrize("name", BASELINES)
def test_the_background_is_untouched(name, composite, mask):
    mask[:, 14] = 0.3
    output = BASELINES[name](composite, mask)
    assert output.shape == composite.shape
    assert np.array_equal(output[mask == 0], composite[mask == 0])
    assert output.min() >= 0
    assert output.max() <= 1


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("coverage", [0, 1])
def test_with_one_region_only_there_is_nothing_to_do(name, composite, mask, coverage):
    assert np.array_equal(BASELINES[name](composite, np.full_like(mask, coverage)), composite)


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


def dense_poisson(channel, inside):
    """Every equation written out: inside neighbours keep their difference, outside ones meet."""
    places = [tuple(place) for place in np.argwhere(inside)]
    number = {place: k for k, place in enumerate(places)}
    matrix, right = np.zeros((len(places),) * 2), np.zeros(len(places))
    for (row, column), k in number.items():
        for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if not (0 <= near[0] < inside.shape[0] and 0 <= near[1] < inside.shape[1]):
                continue
            matrix[k, k] += 1
            if near in number:
                matrix[k, number[near]] -= 1
                right[k] += channel[row, column] - channel[near]
            else:
                right[k] += channel[near]
    solved = channel.copy()
    solved[inside] = np.linalg.solve(matrix, right)
    return solved


@pytest.mark.parametrize("side", [12, 60])
def test_poisson_equals_the_equations_written_out(side):
    rng = np.random.default_rng(1)
    image = rng.uniform(0.3, 0.7, (side, side + 3, 3)).astype(np.float32)
    down, across = np.mgrid[:side, : side + 3] / side - 0.45
    inside = down**2 + across**2 < 0.1
    inside[: side // 3, :3] = True  # a second piece, at the border
    found = BASELINES["poisson"](image, inside.astype(np.float32))
    for channel in range(3):
        wanted = dense_poisson(image[..., channel].astype(float), inside).clip(0, 1)
        np.testing.assert_allclose(found[..., channel], wanted, atol=2e-3)


def test_poisson_removes_a_constant_offset():
    image = np.full((30, 40, 3), 0.5, np.float32)
    image[8:20, 10:25] += 0.2
    mask = (image[..., 0] > 0.6).astype(np.float32)
    np.testing.assert_allclose(BASELINES["poisson"](image, mask), 0.5, atol=1e-3)

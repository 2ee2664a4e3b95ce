import numpy as np
import pytest

from samelight.errors import UsageError
from samelight.mask.edges import erode_coverage, feather_coverage


def square(dtype=np.float32):
    mask = np.zeros((60, 80), dtype)
    mask[20:41, 30:51] = 1 if dtype == np.float32 else np.iinfo(dtype).max
    return mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("width", [1, 3, 7])
def test_eroding_a_square_takes_its_rim(dtype, width):
    eroded = erode_coverage(square(dtype), width)
    assert eroded.dtype == dtype
    wanted = np.zeros((60, 80), bool)
    wanted[20 + width : 41 - width, 30 + width : 51 - width] = True
    assert np.array_equal(eroded > 0, wanted)


def test_eroding_is_the_smallest_value_within_a_radius(rng):
    mask = rng.random((25, 31), dtype=np.float32)
    eroded = erode_coverage(mask, 4)
    yy, xx = np.mgrid[:25, :31]
    for y, x in [(0, 0), (12, 15), (24, 30), (3, 29)]:
        near = (yy - y) ** 2 + (xx - x) ** 2 <= 16
        assert eroded[y, x] == mask[near].min()


@pytest.mark.parametrize("width", [2, 4, 10.5])
def test_feathering_fades_inside_the_edge(width):
    mask = square()
    feathered = feather_coverage(mask, width)
    assert (feathered[mask == 0] == 0).all()
    assert (feathered <= mask).all()
    assert feathered[20, 40] < 0.75
    profile = feathered[20:31, 40]
    assert (np.diff(profile) >= -1e-6).all()
    assert profile[0] < profile[-1]


def test_a_photos_border_is_no_edge():
    mask = np.ones((40, 40), np.float32)
    np.testing.assert_array_equal(erode_coverage(mask, 5), mask)
    np.testing.assert_allclose(feather_coverage(mask, 5), mask, atol=1e-6)


@pytest.mark.parametrize("change", [erode_coverage, feather_coverage])
def test_nothing_asked_or_nothing_there(change):
    mask = square()
    assert change(mask, 0) is mask
    assert not change(np.zeros((5, 5), np.float32), 3).any()
    thin = np.zeros((9, 9), np.uint8)
    thin[4] = 255
    assert change(thin, 3).max() < 255


@pytest.mark.parametrize("change", [erode_coverage, feather_coverage])
@pytest.mark.parametrize("width", [-1, 201, float("nan")])
def test_widths_out_of_range_are_refused(change, width):
    with pytest.raises(UsageError, match="from 0 to 200"):
        change(square(), width)

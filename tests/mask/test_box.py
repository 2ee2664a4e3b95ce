import numpy as np
import pytest

from samelight.mask.box import bounding_box


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("margin", "rows", "columns"),
    [(0, slice(2, 5), slice(6, 7)), (1, slice(1, 6), slice(5, 8)), (3, slice(0, 8), slice(3, 8))],
)
def test_the_box_holds_all_of_the_foreground_and_a_margin_inside_the_picture(
    dtype, margin, rows, columns
):
    mask = np.zeros((9, 8), dtype)
    mask[2, 6] = mask[4, 6] = 1
    assert bounding_box(mask, margin) == (rows, columns)


def test_the_faintest_coverage_counts():
    mask = np.zeros((4, 4), np.float32)
    mask[3, 0] = 1e-6
    assert bounding_box(mask) == (slice(3, 4), slice(0, 1))


@pytest.mark.parametrize("margin", [0, 5])
@pytest.mark.parametrize("shape", [(3, 4), (0, 4)])
def test_an_empty_mask_has_an_empty_box(shape, margin):
    assert bounding_box(np.zeros(shape, np.uint8), margin) == (slice(0, 0), slice(0, 0))

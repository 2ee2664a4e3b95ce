import numpy as np
import pytest
from PIL import Image

from samelight.correction.fit import pooling_matrix
from samelight.render.taps import interpolation_taps


def test_interpolation_places_cells_as_half_pixel_resizing_does(rng):
    cells = rng.random(5, dtype=np.float32)
    taps = interpolation_taps(20, 5)
    values = cells[taps.near] * (1 - taps.share) + cells[taps.far] * taps.share
    resized = Image.fromarray(cells[None]).resize((20, 1), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(values, np.asarray(resized)[0], atol=1e-6)


@pytest.mark.parametrize(("pixels", "cells"), [(1, 1), (3, 8), (100, 1), (7, 7)])
def test_taps_stay_inside_the_grid(pixels, cells):
    taps = interpolation_taps(pixels, cells)
    assert taps.near.min() >= 0
    assert taps.far.max() < cells
    assert (np.diff(taps.near) >= 0).all()
    assert taps.share.min() >= 0
    assert taps.share.max() <= 1


@pytest.mark.parametrize(("pixels", "cells"), [(1, 1), (3, 8), (256, 32)])
def test_pooling_is_a_mean(pixels, cells):
    matrix = pooling_matrix(pixels, cells, sigma_cells=1.0)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    assert (matrix >= 0).all()

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.errors import UsageError
from samelight.render.apply import render

WHITE = {np.uint8: 255, np.uint16: 65535, np.float32: 1}


def random_pixels(rng, shape, dtype):
    values = rng.random((*shape, 3))
    return (values * WHITE[dtype]).astype(dtype)


def random_correction(rng, shape):
    grid = np.tile(np.eye(3, 4), (*shape, 1, 1)) + rng.normal(0, 0.2, (*shape, 3, 4))
    return Correction(grid.astype(np.float32))


def test_a_hand_worked_two_by_two():
    affine = np.array([[0.5, 0, 0, 0.2], [0, 0.5, 0, 0.2], [0, 0, 2, 0]], dtype=np.float32)
    pixels = np.array([[[100, 200, 40], [7, 8, 9]], [[10, 10, 10], [0, 250, 255]]], dtype=np.uint8)
    mask = np.array([[1, 0], [0.5, 1]], dtype=np.float32)
    # 0.5 * 100 + 51 = 101;  0.5 * 10 + 51 = 56, half way from 10 is 33;  2 * 255 is clipped.
    wanted = [[[101, 151, 80], [7, 8, 9]], [[33, 33, 15], [51, 176, 255]]]
    assert render(pixels, mask, Correction(affine[None, None])).tolist() == wanted


def test_between_two_cells_the_change_is_linear():
    grid = Correction.identity((1, 2)).grid.copy()
    grid[0, 1, :, 3] = 0.4
    black = np.zeros((1, 4, 3), np.float32)
    rendered = render(black, np.ones((1, 4), np.float32), Correction(grid))
    np.testing.assert_allclose(rendered[0, :, 0], [0, 0.1, 0.3, 0.4], atol=1e-6)


def slow_reference(pixels, mask, correction):
    """One pixel at a time, in double precision, straight from the definition."""
    white = WHITE[pixels.dtype.type]
    height, width = mask.shape
    cells = np.array(correction.grid.shape[:2])
    grid = correction.grid.astype(np.float64)
    rendered = np.empty(pixels.shape)
    for y, x in np.ndindex(height, width):
        place = (np.array([y, x]) + 0.5) / (height, width) * cells - 0.5
        place = place.clip(0, cells - 1)
        top, left = np.floor(place).astype(int)
        bottom, right = min(top + 1, cells[0] - 1), min(left + 1, cells[1] - 1)
        down, across = place - (top, left)
        upper = (1 - across) * grid[top, left] + across * grid[top, right]
        lower = (1 - across) * grid[bottom, left] + across * grid[bottom, right]
        affine = (1 - down) * upper + down * lower
        before = pixels[y, x] / white
        after = np.clip(affine[:, :3] @ before + affine[:, 3], 0, 1)
        rendered[y, x] = (before + mask[y, x] * (after - before)) * white
    return rendered


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("cells", [(1, 1), (3, 5), (40, 2)])
def test_agrees_with_a_loop_over_pixels(dtype, cells, rng):
    pixels = random_pixels(rng, (23, 31), dtype)
    mask = rng.random((23, 31), dtype=np.float32)
    mask[mask < 0.3] = 0
    correction = random_correction(rng, cells)
    wanted = slow_reference(pixels, mask, correction)
    tolerance = 1e-5 if dtype == np.float32 else 0.51
    rendered = render(pixels, mask, correction)
    assert rendered.dtype == dtype
    assert abs(rendered - wanted).max() < tolerance


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_background_is_the_same_to_the_bit(dtype, rng):
    pixels = random_pixels(rng, (300, 200), dtype)
    mask = np.where(rng.random((300, 200)) < 0.5, 0, rng.random((300, 200))).astype(np.float32)
    rendered = render(pixels, mask, random_correction(rng, (8, 8)))
    background = mask == 0
    assert rendered[background].tobytes() == pixels[background].tobytes()
    assert not np.array_equal(rendered, pixels)


def test_identity_keeps_integers_exactly(rng):
    pixels = random_pixels(rng, (50, 70), np.uint16)
    rendered = render(pixels, np.ones((50, 70), np.float32), Correction.identity((7, 3)))
    assert np.array_equal(rendered, pixels)


def test_empty_mask_copies(rng):
    pixels = random_pixels(rng, (20, 20), np.uint8)
    rendered = render(pixels, np.zeros((20, 20), np.float32), random_correction(rng, (2, 2)))
    assert np.array_equal(rendered, pixels)
    assert rendered is not pixels


def test_a_photo_larger_than_a_tile_has_no_seams(rng):
    correction = random_correction(rng, (4, 4))
    flat = np.full((900, 700, 3), 128, np.uint8)
    rendered = render(flat, np.ones((900, 700), np.float32), correction).astype(int)
    assert abs(np.diff(rendered, axis=0)).max() <= 2
    assert abs(np.diff(rendered, axis=1)).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3), (2, 40_000)])
@pytest.mark.parametrize("cells", [(1, 1), (32, 32)])
def test_photos_of_any_proportions(shape, cells, rng):
    gray = np.full((*shape, 3), 100, np.uint8)
    halve = Correction(Correction.identity(cells).grid * np.float32(0.5))
    assert (render(gray, np.ones(shape, np.float32), halve) == 50).all()


def test_arguments_that_do_not_belong_together_are_refused():
    with pytest.raises(UsageError, match=r"\(4, 5\)"):
        render(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.float32), Correction.identity())
    with pytest.raises(UsageError, match="int32"):
        render(np.zeros((4, 4, 3), np.int32), np.zeros((4, 4), np.float32), Correction.identity())

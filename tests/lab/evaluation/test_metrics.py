import math

import numpy as np
import pytest
from skimage.metrics import (
    mean_squared_error,
    peak_signal_noise_ratio,
    structural_similarity,
)

from samelight.lab.evaluation.metrics import (
    foreground_mse_255,
    foreground_ssim,
    mse_255,
    psnr_db,
    ssim,
    ssim_map,
)


def two_by_two():
    """Off by (3, 4, 0) in one pixel and by 12 in one value of another."""
    real = np.full((2, 2, 3), 100, np.uint8)
    output = real.copy()
    output[0, 0] = 103, 96, 100
    output[1, 1, 2] = 112
    return output, real


def test_a_hand_worked_two_by_two():
    output, real = two_by_two()
    error = (9 + 16 + 144) / 12
    assert mse_255(output, real) == pytest.approx(error)
    assert psnr_db(output, real) == pytest.approx(20 * math.log10(255) - 10 * math.log10(error))
    mask = np.array([[1, 0], [0, 0.5]], np.float32)
    # (9 + 16 + 144 / 2) / (3 * 1.5)
    assert foreground_mse_255(output, real, mask) == pytest.approx(97 / 4.5, rel=1e-5)


def test_they_agree_with_scikit_image(rng):
    output, real = (rng.integers(0, 256, (23, 31, 3), dtype=np.uint8) for _ in range(2))
    assert mse_255(output, real) == pytest.approx(mean_squared_error(output, real))
    wanted = peak_signal_noise_ratio(real, output, data_range=255)
    assert psnr_db(output, real) == pytest.approx(wanted, abs=1e-6)


def test_8_bit_values_do_not_wrap_around():
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert mse_255(black, white) == 255**2
    assert psnr_db(black, white) == pytest.approx(0)


def test_equal_images_and_empty_masks():
    output, real = two_by_two()
    assert psnr_db(real, real) == math.inf
    assert foreground_mse_255(real, real, np.ones((2, 2), np.float32)) == 0
    assert foreground_mse_255(output, real, np.zeros((2, 2), np.float32)) == 0


def test_over_a_full_mask_it_is_the_plain_error(rng):
    output, real = (rng.integers(0, 256, (9, 7, 3), dtype=np.uint8) for _ in range(2))
    full = np.ones((9, 7), np.float32)
    assert foreground_mse_255(output, real, full) == pytest.approx(mse_255(output, real))


def test_ssim_agrees_with_scikit_image(rng):
    real = rng.integers(0, 256, (41, 70, 3), dtype=np.uint8)
    output = np.clip(real.astype(int) + rng.integers(-30, 30, real.shape), 0, 255).astype(np.uint8)
    wanted, wanted_map = structural_similarity(
        output, real, channel_axis=-1, data_range=255, full=True
    )
    found = ssim_map(output, real)
    np.testing.assert_allclose(found, wanted_map.mean(axis=-1), atol=1e-4)
    assert ssim(found) == pytest.approx(wanted, abs=1e-6)
    dark = (real // 64).astype(np.uint8)  # small variances, where float32 is weakest
    wanted = structural_similarity(dark + 1, dark, channel_axis=-1, data_range=255)
    assert ssim(ssim_map(dark + 1, dark)) == pytest.approx(wanted, abs=1e-4)


def test_foreground_ssim_is_the_maps_mean_under_the_mask():
    similarity = np.array([[1.0, 0.5], [0.2, 0.0]])
    mask = np.array([[1, 0.5], [0, 0]], np.float32)
    assert foreground_ssim(similarity, mask) == pytest.approx((1 + 0.25) / 1.5, rel=1e-6)
    assert foreground_ssim(similarity, 0 * mask) == 1

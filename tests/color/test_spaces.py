import numpy as np
import pytest

from samelight.color.spaces import lab_to_rgb, linear_to_srgb, rgb_to_lab, srgb_to_linear


def test_srgb_curve_by_hand():
    # IEC 61966-2-1: the straight part, the middle gray, the ends.
    np.testing.assert_allclose(
        srgb_to_linear([0.0, 0.02, 0.5, 1.0]), [0, 0.02 / 12.92, 0.214041, 1], atol=1e-6
    )


def test_srgb_curve_round_trip():
    encoded = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(encoded)), encoded, atol=1e-6)


def test_lab_of_known_colours():
    lab = rgb_to_lab([[1, 1, 1], [0, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(lab, [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], atol=0.01)


def test_gray_has_no_tint():
    gray = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, axis=1)
    assert abs(rgb_to_lab(gray)[:, 1:]).max() < 1e-4


def test_lab_agrees_with_scikit_image(rng):
    color = pytest.importorskip("skimage.color")
    rgb = rng.random((40, 30, 3), dtype=np.float32)
    lab = rgb_to_lab(rgb)
    np.testing.assert_allclose(lab, color.rgb2lab(rgb), atol=0.02)
    np.testing.assert_allclose(lab_to_rgb(lab), color.lab2rgb(lab), atol=1e-3)


def test_lab_round_trip(rng):
    rgb = rng.random((40, 30, 3), dtype=np.float32)
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-4)


def test_colours_outside_srgb_are_kept_finite():
    vivid = lab_to_rgb([[50, 120, -120], [0, -80, 80], [110, 0, 0]])
    assert np.isfinite(vivid).all()
    assert vivid.min() < 0
    assert vivid.max() > 1


@pytest.mark.parametrize("convert", [srgb_to_linear, linear_to_srgb, rgb_to_lab, lab_to_rgb])
def test_results_are_float32_of_the_same_shape_and_inputs_stay(convert, rng):
    values = rng.random((2, 5, 3), dtype=np.float32)
    kept = values.copy()
    converted = convert(values)
    assert converted.dtype == np.float32
    assert converted.shape == values.shape
    assert np.array_equal(values, kept)

import numpy as np
import pytest

from samelight.color.polynomial import (
    TERMS_11,
    TERMS_17,
    Polynomial,
    fit_polynomial,
    polynomial_terms,
    render_polynomial,
)
from samelight.color.spaces import linear_to_srgb, srgb_to_linear
from samelight.errors import UsageError


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (TERMS_17, [2, 3, 5, 6, 10, 15, 4, 9, 25, 30, 12, 45, 50, 8, 27, 125, 1]),
        (TERMS_11, [2, 3, 5, 6, 10, 15, 4, 9, 25, 30, 1]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_terms_of_a_hand_worked_colour(terms, wanted, dtype):
    found = polynomial_terms(np.array([[[2, 3, 5]], [[0, 0, 0]]], dtype), terms)
    assert found.dtype == dtype
    assert found.tolist() == [[wanted], [[0] * (len(terms) - 1) + [1]]]


def test_a_known_polynomial_is_found_again(rng):
    source = rng.random((64, 64, 3), dtype=np.float32)
    known = np.eye(17, 3) * 0.7
    known += rng.normal(0, 0.01, (17, 3))
    known[16] = 0.05
    target = linear_to_srgb(polynomial_terms(srgb_to_linear(source), TERMS_17) @ known)
    fitted = fit_polynomial(source, target, np.ones((64, 64), np.float32))
    assert abs(fitted.apply(source) - target.clip(0, 1)).max() < 5e-3


def test_few_colours_leave_the_rest_alone():
    source = np.full((64, 64, 3), 0.5, np.float32)
    target = np.full((64, 64, 3), 0.6, np.float32)
    fitted = fit_polynomial(source, target, np.ones((64, 64), np.float32))
    np.testing.assert_allclose(fitted.apply(source), target, atol=1e-2)
    assert abs(fitted.coefficients).max() < 2


def test_an_empty_mask_and_no_change_are_identity(rng):
    source = rng.random((32, 32, 3), dtype=np.float32)
    for mask in (np.zeros((32, 32), np.float32), np.ones((32, 32), np.float32)):
        fitted = fit_polynomial(source, source, mask)
        np.testing.assert_allclose(fitted.apply(source), source, atol=1e-4)


def test_strength_is_linear_in_linear_light(rng):
    half = Polynomial(np.eye(17, 3) * 0.5)
    light = srgb_to_linear(half.with_strength(1.5).apply(np.full((1, 3), 0.5, np.float32)))
    np.testing.assert_allclose(light, 0.25 * srgb_to_linear([0.5] * 3)[None], rtol=1e-4)
    with pytest.raises(UsageError):
        half.with_strength(2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_rendering_keeps_the_background_and_blends(rng, dtype):
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (rng.random((150, 40, 3)) * white).astype(dtype)
    mask = np.where(rng.random((150, 40)) < 0.5, 0, rng.random((150, 40))).astype(np.float32)
    polynomial = Polynomial(np.eye(17, 3) * 0.5)
    rendered = render_polynomial(pixels, mask, polynomial)
    assert rendered.dtype == dtype
    assert rendered[mask == 0].tobytes() == pixels[mask == 0].tobytes()
    unit = pixels / white
    wanted = unit + mask[..., None] * (polynomial.apply(unit.astype(np.float32)) - unit)
    assert abs(rendered / white - wanted).max() < (
        1e-5 if dtype == np.float32 else 0.51 / white + 1e-6
    )


def test_sizes_that_differ_are_refused():
    picture = np.zeros((8, 8, 3), np.float32)
    with pytest.raises(UsageError, match=r"\(8, 9\)"):
        fit_polynomial(picture, picture, np.zeros((8, 9), np.float32))
    with pytest.raises(UsageError, match="cannot render"):
        render_polynomial(picture, np.zeros((8, 9), np.float32), Polynomial.identity())

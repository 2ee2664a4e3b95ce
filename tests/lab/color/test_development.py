import math

import numpy as np
import pytest

from samelight.color.spaces import LUMA
from samelight.lab.color.development import (
    SHOULDER,
    SUBJECT_LUMA,
    Development,
    bend_to_white,
    draw_development,
    expose_as_subject,
)


def linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def encoded(value):
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def colour(*values):
    return np.array([values], np.float32)


def test_exposure_multiplies_linear_light_by_powers_of_2():
    found = Development(exposure=-1.0)(colour(0.9, 0.5, 0.03))
    wanted = [encoded(linear(value) / 2) for value in (0.9, 0.5, 0.03)]
    np.testing.assert_allclose(found[0], wanted, atol=1e-5)
    half = Development(exposure=-1.0)(colour(0.9, 0.5, 0.03), 0.5)
    wanted = [encoded(linear(value) / math.sqrt(2)) for value in (0.9, 0.5, 0.03)]
    np.testing.assert_allclose(half[0], wanted, atol=1e-5)


def test_white_balance_moves_red_against_blue_and_green_alone():
    # Dark enough to stay below the shoulder.
    found = Development(warmth=0.3, tint=-0.1)(colour(0.5, 0.5, 0.5))
    wanted = [encoded(math.exp(g) * linear(0.5)) for g in (0.3, -0.1, -0.3)]
    np.testing.assert_allclose(found[0], wanted, atol=1e-5)


def test_what_exposure_pushes_over_white_is_bent_and_not_clipped():
    ramp = np.repeat(np.linspace(0, 1, 200, dtype=np.float32)[:, None], 3, axis=1)
    found = Development(exposure=1.5)(ramp)
    assert found.max() == pytest.approx(1, abs=1e-5)
    assert (np.diff(found, axis=0) > 0).all()


@pytest.mark.parametrize("white", [1.05, 1.5, 3.0])
def test_the_shoulder_brings_white_to_1_and_leaves_what_is_below_it(white):
    below = np.linspace(0, SHOULDER, 9, dtype=np.float32)
    assert np.array_equal(bend_to_white(below, white), below)
    assert bend_to_white(np.float32([white]), white) == pytest.approx([1], abs=1e-6)
    # It joins without a kink: next to the shoulder the slope is 1.
    step = bend_to_white(np.float32([SHOULDER + 0.001]), white) - SHOULDER
    assert step == pytest.approx([0.001], rel=0.02)


@pytest.mark.parametrize("white", [0.4, 1.0])
def test_the_shoulder_is_the_identity_without_a_gain(white):
    values = np.linspace(0, 1.2, 9, dtype=np.float32)
    assert np.array_equal(bend_to_white(values, white), values)


def test_gamma_contrast_and_black_by_hand():
    np.testing.assert_allclose(
        Development(gamma=math.log(2))(colour(0.5, 0.2, 1.0))[0], [0.25, 0.04, 1], atol=1e-6
    )
    np.testing.assert_allclose(
        Development(contrast=math.log(2), pivot=0.4)(colour(0.5, 0.4, 0.1))[0],
        [0.6, 0.4, -0.2],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        Development(black=0.1)(colour(0.0, 0.5, 1.0))[0], [0.1, 0.55, 1], atol=1e-6
    )


def test_shadows_and_highlights_lift_their_quarter_most_and_neither_end():
    values = np.linspace(0, 1, 101, dtype=np.float32)[:, None]
    for slider, quarter in (("shadows", 0.25), ("highlights", 0.75)):
        lift = (Development(**{slider: 0.05})(np.repeat(values, 3, axis=1)) - values)[:, 0]
        assert values[lift.argmax(), 0] == pytest.approx(quarter)
        assert lift.max() == pytest.approx(0.05, abs=1e-6)
        assert lift[[0, -1]] == pytest.approx([0, 0], abs=1e-6)


def test_saturation_keeps_the_luma():
    found = Development(saturation=math.log(0.5))(colour(0.8, 0.4, 0.2))
    gray = 0.2126 * 0.8 + 0.7152 * 0.4 + 0.0722 * 0.2
    wanted = [gray + 0.5 * (value - gray) for value in (0.8, 0.4, 0.2)]
    np.testing.assert_allclose(found[0], wanted, atol=1e-6)


def test_sliders_at_rest_change_nothing(rng):
    colours = rng.random((20, 3), dtype=np.float32)
    assert np.array_equal(Development()(colours), colours)


def test_at_least_one_slider_is_moved_and_a_smaller_scale_moves_them_less():
    at_rest = vars(Development())
    for seed in range(40):
        strong, mild = (draw_development(np.random.default_rng(seed), s) for s in (1.0, 0.4))
        moved = {name for name, value in vars(strong).items() if value != at_rest[name]}
        assert moved > {"pivot"}
        for name in moved - {"pivot"}:
            assert vars(mild)[name] == pytest.approx(0.4 * vars(strong)[name])


@pytest.mark.parametrize("brightness", [0.25, 0.5, 0.9])
def test_a_subject_is_exposed_to_a_middle_tone(brightness, rng):
    region = (brightness + rng.normal(0, 0.03, (300, 3))).clip(0, 1).astype(np.float32)
    for seed in range(20):
        drawn = expose_as_subject(region, np.random.default_rng(seed))
        luma = (Development(exposure=drawn.exposure)(region) @ LUMA).mean()
        least, most = SUBJECT_LUMA
        # The bright ones are bent by the shoulder; the spread of the region does the rest.
        assert least - 0.03 < luma < most + 0.03


def test_a_subject_in_the_dark_is_not_exposed_without_end():
    drawn = expose_as_subject(np.zeros((50, 3), np.float32), np.random.default_rng(0))
    assert drawn.exposure == 2.5

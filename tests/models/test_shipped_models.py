"""What every shipped network must do, seen from outside; no torch."""

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.harmonizer import Harmonizer
from samelight.models.registry import list_models

SHIPPED = sorted(list_models())
SIDE = 256

pytestmark = pytest.mark.skipif(not SHIPPED, reason="this build ships no models")


LEAST_MOVE = 8
"""Levels by which two lights must set one object apart."""
TIMID = {"ssh.photos-128": 2}
"""What its card owns up to: the right way, and hardly."""


@pytest.fixture(params=SHIPPED or ["none"])
def name(request):
    return request.param


@pytest.fixture
def harmonizer(name):
    return Harmonizer(name)


def gradient(light, shade):
    """From one colour in the upper left to another in the lower right, with a little texture."""
    down, across = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
    share = ((down + across) / 2)[..., None]
    texture = 0.03 * np.sin(40 * down + 25 * across)[..., None]
    colours = (1 - share) * np.array(light) + share * np.array(shade) + texture
    return np.rint(colours.clip(0, 1) * 255).astype(np.uint8)


def disc(radius=0.28):
    down, across = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) - 0.5
    return (down**2 + across**2 < radius**2).astype(np.float32)


OBJECT = gradient((0.62, 0.58, 0.55), (0.34, 0.32, 0.31))
BACKGROUNDS = {
    "warm": gradient((0.95, 0.72, 0.42), (0.45, 0.27, 0.12)),
    "cold": gradient((0.45, 0.68, 0.95), (0.12, 0.24, 0.45)),
    "bright": gradient((0.98, 0.97, 0.96), (0.72, 0.71, 0.70)),
    "dark": gradient((0.22, 0.21, 0.20), (0.04, 0.04, 0.04)),
}


def composite(background, mask):
    return np.where(mask[..., None] > 0, OBJECT, BACKGROUNDS[background])


def change(harmonizer, background):
    """Mean change of the object's red, green and blue, in 8-bit levels."""
    mask = disc()
    before = composite(background, mask)
    after = harmonizer.harmonize(before, mask)
    return (after[mask > 0].astype(float) - before[mask > 0]).mean(axis=0)


def test_the_answer_depends_on_the_mask(harmonizer):
    mask = disc()
    photo = composite("warm", mask)
    forward, inverted = (harmonizer.predict(photo, m) for m in (mask, 1 - mask))
    assert abs(forward.grid - inverted.grid).max() > 0.02
    nothing = harmonizer.predict(photo, np.zeros_like(mask))
    assert np.array_equal(nothing.grid, Correction.identity().grid)
    assert abs(forward.grid - nothing.grid).max() > 0.02


def test_one_object_before_two_lights_is_moved_two_ways(name, harmonizer):
    warm, cold = change(harmonizer, "warm"), change(harmonizer, "cold")
    # Red against blue: more of it in the evening than under the sky.
    assert (warm[0] - warm[2]) - (cold[0] - cold[2]) > TIMID.get(name, LEAST_MOVE)


def test_one_object_in_bright_and_in_dim_light_is_moved_two_ways(harmonizer):
    assert change(harmonizer, "bright").mean() - change(harmonizer, "dark").mean() > LEAST_MOVE


def test_a_mask_of_everything_gives_a_finite_picture(harmonizer):
    photo = composite("cold", disc())
    full = np.ones((SIDE, SIDE), np.float32)
    assert np.isfinite(harmonizer.predict(photo, full).grid).all()
    after = harmonizer.harmonize(photo, full)
    assert after.shape == photo.shape
    assert after.std() > 1
    # With nothing left to compare with, no wild change.
    assert abs(after.astype(float) - photo).mean() < 60


@pytest.mark.parametrize("pixels", [1, 9])
def test_a_speck_gives_a_finite_correction(harmonizer, pixels):
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[100, 100 : 100 + pixels] = 1
    assert np.isfinite(harmonizer.predict(composite("warm", disc()), mask).grid).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_photo_gives_a_finite_correction(harmonizer, value):
    flat = np.full((SIDE, SIDE, 3), value, np.uint8)
    assert np.isfinite(harmonizer.predict(flat, disc()).grid).all()


def test_the_background_keeps_its_bytes(harmonizer):
    mask = disc()
    before = composite("warm", mask)
    after = harmonizer.harmonize(before, mask)
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert not np.array_equal(after, before)

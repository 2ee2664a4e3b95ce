"""What every shipped network must do, seen from outside; no torch."""

import numpy as np
import pytest

from samelight import harmonize
from samelight.correction.field import Correction
from samelight.harmonizer import Harmonizer
from samelight.mask.mask import Mask
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
def predict(name):
    return lambda pixels, mask: Harmonizer(name).predict(pixels, Mask.of(mask)).correction


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


def change(name, background):
    """Mean change of the object's red, green and blue, in 8-bit levels."""
    mask = disc()
    before = composite(background, mask)
    after = harmonize(before, mask, model=name)
    return (after[mask > 0].astype(float) - before[mask > 0]).mean(axis=0)


def test_the_answer_depends_on_the_mask(predict):
    mask = disc()
    photo = composite("warm", mask)
    forward, inverted = (predict(photo, m) for m in (mask, 1 - mask))
    assert abs(forward.grid - inverted.grid).max() > 0.02
    nothing = predict(photo, np.zeros_like(mask))
    assert np.array_equal(nothing.grid, Correction.identity().grid)
    assert abs(forward.grid - nothing.grid).max() > 0.02


def test_one_object_before_two_lights_is_moved_two_ways(name):
    warm, cold = change(name, "warm"), change(name, "cold")
    # Red against blue: more of it in the evening than under the sky.
    assert (warm[0] - warm[2]) - (cold[0] - cold[2]) > TIMID.get(name, LEAST_MOVE)


def test_one_object_in_bright_and_in_dim_light_is_moved_two_ways(name):
    assert change(name, "bright").mean() - change(name, "dark").mean() > LEAST_MOVE


def test_a_mask_of_everything_gives_a_finite_picture(name, predict):
    photo = composite("cold", disc())
    full = np.ones((SIDE, SIDE), np.float32)
    assert np.isfinite(predict(photo, full).grid).all()
    after = harmonize(photo, full, model=name)
    assert after.shape == photo.shape
    assert after.std() > 1
    # With nothing left to compare with, no wild change.
    assert abs(after.astype(float) - photo).mean() < 60


@pytest.mark.parametrize("pixels", [1, 9])
def test_a_speck_gives_a_finite_correction(predict, pixels):
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[100, 100 : 100 + pixels] = 1
    assert np.isfinite(predict(composite("warm", disc()), mask).grid).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_photo_gives_a_finite_correction(predict, value):
    flat = np.full((SIDE, SIDE, 3), value, np.uint8)
    assert np.isfinite(predict(flat, disc()).grid).all()


def test_the_background_keeps_its_bytes(name):
    mask = disc()
    before = composite("warm", mask)
    after = harmonize(before, mask, model=name)
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert not np.array_equal(after, before)

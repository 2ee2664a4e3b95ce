import numpy as np

from samelight.color.profile import from_srgb, to_srgb
from samelight.correction.convert import convert_correction
from samelight.correction.field import Correction
from samelight.render.apply import render
from tests.profiles import ADOBE_RGB, DISPLAY_P3, rgb_profile

P3, ADOBE = rgb_profile(DISPLAY_P3), rgb_profile(ADOBE_RGB, 2.19921875)


def test_a_converted_correction_looks_the_same(rng):
    grid = Correction.identity((2, 2)).grid + rng.normal(0, 0.05, (2, 2, 3, 4)).astype(np.float32)
    grid *= np.float32(0.9)
    source = rng.uniform(0.2, 0.8, (32, 32, 3)).astype(np.float32)
    mask = np.ones((32, 32), np.float32)
    wanted = render(source, mask, Correction(grid))
    for profile in (P3, ADOBE):
        there = convert_correction(Correction(grid), profile)
        assert there.icc == profile
        found = to_srgb(render(from_srgb(source, profile), mask, there), profile)
        assert abs(found - wanted).mean() < 0.01
        back = convert_correction(there, None)
        assert abs(render(source, mask, back) - wanted).mean() < 0.01


def test_doing_nothing_stays_nothing():
    there = convert_correction(Correction.identity((2, 2)), P3)
    np.testing.assert_allclose(there.grid, Correction.identity((2, 2)).grid, atol=1e-4)
    same = Correction.identity()
    assert convert_correction(same, None) is same

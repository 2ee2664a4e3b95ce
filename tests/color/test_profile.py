import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from samelight.color.profile import from_srgb, to_srgb, usable_profile
from tests.profiles import ADOBE_RGB, DISPLAY_P3, gray_profile, rgb_profile

PROFILES = {"p3": rgb_profile(DISPLAY_P3), "adobe": rgb_profile(ADOBE_RGB, 2.19921875)}


@pytest.mark.parametrize("name", PROFILES)
def test_agrees_with_pillows_colour_management(rng, name):
    pixels = rng.integers(60, 190, (20, 20, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[name]))
    by_pillow = ImageCms.profileToProfile(
        Image.fromarray(pixels), profile, ImageCms.createProfile("sRGB"), renderingIntent=1
    )
    ours = to_srgb((pixels / 255).astype(np.float32), PROFILES[name])
    # Pillow works at 8 bits, which is coarse where sRGB's curve is steep: near 0.
    difference = abs(ours * 255 - np.asarray(by_pillow))
    assert difference.mean() < 0.5
    assert np.percentile(difference, 98) < 2


@pytest.mark.parametrize("name", PROFILES)
def test_there_and_back(rng, name):
    srgb = rng.random((20, 20, 3), dtype=np.float32)
    back = to_srgb(from_srgb(srgb, PROFILES[name]), PROFILES[name])
    assert abs(back - srgb).mean() < 1e-3


def test_profiles_that_do_not_describe_rgb_are_not_used():
    assert usable_profile(PROFILES["p3"]) == PROFILES["p3"]
    for block in (None, b"", b"profile", gray_profile(2.2), PROFILES["p3"][:140]):
        assert usable_profile(block) is None

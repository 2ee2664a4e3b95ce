import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from samelight.color.code_points import Cicp, profile_of_cicp, profile_of_gamma, require_known
from samelight.color.spaces import linear_to_srgb, srgb_to_linear
from samelight.errors import PhotoError

FULL = 1
P3, BT2020, SRGB, BT709, LINEAR = 12, 9, 13, 1, 8
# Linear Display P3 to linear sRGB, as CSS Color 4 gives it.
P3_TO_SRGB = np.array(
    [[1.2249401, -0.2249404, 0], [-0.0420569, 1.0420571, 0], [-0.0196376, -0.0786361, 1.0982735]]
)


def shown(colours, profile):
    """Colours in sRGB as Little CMS shows them, 0 to 255."""
    image = Image.fromarray(np.array([colours], np.uint8))
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(
        image, source, ImageCms.createProfile("sRGB"), renderingIntent=1
    )
    return np.asarray(converted)[0].astype(int)


def test_srgb_is_no_profile():
    assert profile_of_cicp(Cicp(1, SRGB, 0, FULL)) is None
    assert profile_of_cicp(Cicp(2, 2, 2, FULL)) is None
    assert profile_of_gamma(None, None) is None
    assert profile_of_gamma(0.45455, (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)) is None


def test_display_p3_is_that_of_the_standard():
    colours = np.array([(200, 100, 50), (100, 150, 120), (128, 128, 128), (255, 255, 255)])
    linear = srgb_to_linear((colours / 255).astype(np.float32)) @ P3_TO_SRGB.T
    wanted = 255 * linear_to_srgb(linear.clip(0, 1).astype(np.float32))
    profile = profile_of_cicp(Cicp(P3, SRGB, 0, FULL))
    assert abs(shown(colours, profile) - wanted).max() <= 1


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 8, 9, 11, 12, 22])
@pytest.mark.parametrize("transfer", [1, 4, 5, 7, 8, 13])
def test_every_known_white_is_white_and_gray_stays_gray(primaries, transfer):
    profile = profile_of_cicp(Cicp(primaries, transfer, 0, FULL))
    if profile is None:
        assert (primaries, transfer) == (1, SRGB)
        return
    white, gray = shown([(255, 255, 255), (90, 90, 90)], profile)
    assert white.min() >= 254
    assert np.ptp(gray) <= 1


def test_bt709s_curve_by_hand():
    """H.273: V = 1.099 L ^ 0.45 - 0.099, so that V = 0.5 is L = 0.2597, in sRGB 0.5464."""
    (gray,) = shown([(128, 128, 128)], profile_of_cicp(Cicp(1, BT709, 0, FULL)))
    light = ((128 / 255 + 0.0993) / 1.0993) ** (1 / 0.45)
    assert abs(gray[0] - 255 * linear_to_srgb(np.array([light], np.float32))[0]) <= 1


def test_a_gamma_of_one_is_linear_light():
    (gray,) = shown([(55, 55, 55)], profile_of_gamma(1.0, None))
    assert abs(gray[0] - 255 * linear_to_srgb(np.array([55 / 255], np.float32))[0]) <= 1


@pytest.mark.parametrize("numbers", [(0,) * 8, (0.3, 0.3) * 4, (0.3, 0) * 4, (0, 1e-5) * 4])
def test_numbers_that_make_no_colour_space(numbers):
    assert profile_of_gamma(1.0, numbers) is None
    assert profile_of_gamma(0.0, None) is None


def test_what_no_profile_can_say_is_refused():
    with pytest.raises(PhotoError, match="high dynamic range"):
        require_known(Cicp(BT2020, 16, 0, FULL), "photo.png")
    with pytest.raises(PhotoError, match="unknown kind"):
        require_known(Cicp(BT2020, 99, 0, FULL), "photo.png")
    require_known(Cicp(BT2020, 14, 0, FULL), "photo.png")

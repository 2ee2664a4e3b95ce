import json

import numpy as np

from samelight.color.spaces import lab_to_rgb
from samelight.correction.describe import explain_change, explain_correction
from samelight.correction.field import Correction
from tests.profiles import DISPLAY_P3, rgb_profile


def lab_picture(*lab):
    return lab_to_rgb(np.tile(np.array(lab, np.float32), (8, 8, 1)))


def test_what_was_done_is_said_with_its_size():
    before, after = lab_picture(60, 5, 10), lab_picture(52, 5, 16)
    told = explain_change(before, after, np.ones((8, 8), np.float32))
    assert told["lightness"] == -8
    assert told["warmth"] == 6
    assert told["delta_e"] == 10
    assert told["foreground_percent"] == 100
    assert told["summary"].startswith("darker by 8.0 L*, warmer by 6.0 b*")
    assert "more saturated" in told["summary"]
    json.dumps(told)


def test_only_the_foreground_counts():
    before = lab_picture(50, 0, 0)
    after = before.copy()
    after[:4] = 1
    mask = np.zeros((8, 8), np.float32)
    mask[4:] = 1
    assert explain_change(before, after, mask)["summary"] == "no visible change"
    assert "empty" in explain_change(before, after, np.zeros_like(mask))["summary"]


def test_a_correction_of_a_wide_space_is_told_in_real_colours(rng):
    source = rng.random((16, 16, 3), dtype=np.float32)
    mask = np.ones((16, 16), np.float32)
    darker = Correction(Correction.identity().grid * np.float32(0.8))
    wide = Correction(darker.grid, icc=rgb_profile(DISPLAY_P3))
    for correction in (darker, wide):
        assert explain_correction(correction, source, mask)["lightness"] < -5

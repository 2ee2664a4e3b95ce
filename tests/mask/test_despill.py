import sys

import numpy as np
import pytest

from samelight.errors import UsageError
from samelight.mask.despill import despill, rim_width_px


def test_without_the_extra_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(UsageError, match='the extra "matting"'):
        despill(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))


def test_the_rim_grows_with_the_photo():
    assert rim_width_px((100, 200)) == 2
    assert rim_width_px((4000, 6000)) == 8


def test_a_green_rim_turns_red_and_nothing_else_changes(monkeypatch):
    """On a stand-in for the library, which takes the colours deep inside for the object's."""

    class Stub:
        @staticmethod
        def estimate_foreground_ml(rgb, coverage):
            deep = coverage > 0.99
            mean = rgb[deep].mean(axis=0) if deep.any() else rgb.mean(axis=(0, 1))
            return np.where(deep[..., None], rgb, mean)

    monkeypatch.setitem(sys.modules, "pymatting", Stub)
    pixels = np.full((60, 60, 3), (0, 200, 0), np.uint8)
    pixels[20:40, 20:40] = (200, 0, 0)
    pixels[20, 20:40] = (100, 100, 0)
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 255
    mended = despill(pixels, mask, 2)
    assert mended[20, 30, 0] > 180
    assert mended[20, 30, 1] < 20
    assert np.array_equal(mended[mask == 0], pixels[mask == 0])
    assert np.array_equal(mended[26:34, 26:34], pixels[26:34, 26:34])


def test_with_the_library(rng):
    pytest.importorskip("pymatting")
    pixels = np.full((64, 64, 3), (0, 200, 0), np.uint8)
    pixels[16:48, 16:48] = (200, 0, 0)
    pixels[16, 16:48] = (100, 100, 0)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    mended = despill(pixels, mask, 2)
    assert mended[16, 32, 0] > pixels[16, 32, 0]
    assert np.array_equal(mended[mask == 0], pixels[mask == 0])

"""The conventions on which everything else silently relies."""

import numpy as np
import pytest
from PIL import Image

from samelight import Correction, harmonize
from samelight.io.photo import Photo, read_photo, write_photo
from samelight.mask.mask import Mask
from samelight.render.apply import render


def test_convention_mask_one_means_foreground(tiny_model):
    gray = np.full((64, 64, 3), 100, np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    harmonized = harmonize(gray, mask, model=tiny_model)
    assert (harmonized[:, :32] == 100).all()
    assert (harmonized[:, 40:] != 100).all()


def test_convention_white_in_a_mask_file_is_one(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "mask.png")
    assert Mask.of(tmp_path / "mask.png").as_float().tolist() == [[0, 1]]
    assert Mask.of(np.array([[False, True]])).as_float().tolist() == [[0, 1]]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_convention_channels_are_red_green_blue(tmp_path, suffix):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    write_photo(tmp_path / f"red{suffix}", Photo(red))
    with Image.open(tmp_path / f"red{suffix}") as image:
        assert abs(np.asarray(image.convert("RGB"))[8, 8].astype(int) - [255, 0, 0]).max() < 8
    pixels = read_photo(tmp_path / f"red{suffix}").pixels
    assert abs(pixels[8, 8].astype(int) - [255, 0, 0]).max() < 8


def test_convention_the_first_axis_goes_down(tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "wide.png")
    assert read_photo(tmp_path / "wide.png").pixels.shape == (20, 30, 3)


def test_convention_a_grid_row_makes_one_output_channel():
    grid = np.zeros((1, 1, 3, 4), np.float32)
    grid[..., 0, 2] = 1  # red out of blue
    blue = np.array([[[0, 0, 200]]], np.uint8)
    rendered = render(blue, np.ones((1, 1), np.float32), Correction(grid))
    assert rendered.tolist() == [[[200, 0, 0]]]


def test_convention_colours_are_srgb_encoded_when_corrected():
    half = Correction(np.eye(3, 4, dtype=np.float32)[None, None] * np.float32(0.5))
    gray = np.full((1, 1, 3), 200, np.uint8)
    assert render(gray, np.ones((1, 1), np.float32), half).tolist() == [[[100, 100, 100]]]

import numpy as np
import pytest
import tifffile

from samelight.io.alpha import associated, unassociated
from samelight.io.photo import read_photo, write_photo


def test_every_possible_colour_comes_back_at_8_bits():
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    colour = np.minimum(colour, alpha)
    pixels = np.dstack([colour] * 3)
    plain, is_possible = unassociated(pixels, alpha)
    assert is_possible
    assert np.array_equal(associated(plain, alpha), pixels)


def test_colours_come_back_at_16_bits(rng):
    alpha = rng.integers(0, 65536, (300, 400), dtype=np.uint16)
    alpha[:2] = [[65534], [1]]
    pixels = (rng.random((300, 400, 3)) * (alpha[..., None] + 0.99)).astype(np.uint16)
    plain, is_possible = unassociated(pixels, alpha)
    assert is_possible
    assert np.array_equal(associated(plain, alpha), pixels)


def test_by_hand():
    plain, is_possible = unassociated(
        np.array([[[64, 32, 0], [9, 0, 0]]], np.uint8), np.array([[128, 0]], np.uint8)
    )
    assert plain.tolist() == [[[128, 64, 0], [255, 0, 0]]]
    assert not is_possible


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_associated_alpha_stays_associated_and_the_bytes_stay(tmp_path, rng, dtype):
    most = np.iinfo(dtype).max
    alpha = rng.integers(0, most, (20, 30), dtype=dtype, endpoint=True)
    pixels = (rng.random((20, 30, 3)) * alpha[..., None]).astype(dtype)
    stored = np.dstack([pixels, alpha])
    tifffile.imwrite(tmp_path / "in.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    photo = read_photo(tmp_path / "in.tif")
    assert not photo.notes
    write_photo(tmp_path / "out.tif", photo)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        page = file.pages[0]
        assert page.tags["ExtraSamples"].value == (1,)
    back = read_photo(tmp_path / "out.tif")
    assert np.array_equal(associated(back.pixels, back.alpha), pixels)
    write_photo(tmp_path / "out.png", photo)
    assert np.array_equal(read_photo(tmp_path / "out.png").pixels, photo.pixels)


def test_colours_brighter_than_their_alpha_are_said(tmp_path):
    glow = np.full((4, 4, 4), 200, np.uint8)
    glow[..., 3] = 100
    tifffile.imwrite(tmp_path / "in.tif", glow, photometric="rgb", extrasamples=["assocalpha"])
    assert [note.kind for note in read_photo(tmp_path / "in.tif").notes] == ["photo-alpha"]

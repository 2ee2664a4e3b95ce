import numpy as np
import pytest
from PIL import Image

from samelight.errors import MaskError, PhotoError
from samelight.lab.pictures import (
    cut_out,
    is_visible,
    list_pictures,
    picture_shape,
    read_mask_picture,
    read_picture,
    unit_range,
)
from samelight.render.resample import WHOLE, Window


def test_a_gray_picture_of_16_bits_keeps_its_grays(tmp_path):
    ramp = (np.arange(256, dtype=np.uint16) * 257)[None].repeat(3, axis=0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    for found in (
        read_picture(tmp_path / "ramp.png")[..., 0],
        read_mask_picture(tmp_path / "ramp.png"),
    ):
        assert found.dtype == np.uint8
        assert np.array_equal(found, np.arange(256)[None].repeat(3, axis=0))


def test_pictures_come_upright_and_are_measured_so(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0] = 200
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    found = read_picture(tmp_path / "turned.png")
    assert found.shape == (6, 4, 3)
    assert picture_shape(tmp_path / "turned.png") == (6, 4)
    # The first row is now the last column.
    assert (found[:, -1] == 200).all()
    assert (found[:, 0] == 0).all()


def test_colours_come_as_they_are_without_alpha(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png"), pixels[..., :3])


def test_only_visible_pictures_are_listed_in_order(tmp_path):
    for name in ("b.JPG", "a.png", "._a.png", ".hidden.webp", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in list_pictures(tmp_path)] == ["a.png", "b.JPG"]
    assert list_pictures(tmp_path / "nowhere") == []
    assert is_visible(tmp_path / "table.CUBE", (".cube",))
    assert not is_visible(tmp_path / "._table.cube", (".cube",))


def test_files_that_are_no_pictures_are_named(tmp_path):
    (tmp_path / "torn.png").write_text("dear diary")
    for read, error in (
        (read_picture, PhotoError),
        (picture_shape, PhotoError),
        (read_mask_picture, MaskError),
    ):
        with pytest.raises(error, match=r"torn\.png is not a picture"):
            read(tmp_path / "torn.png")


def test_a_window_is_cut_out_and_squeezed():
    """A ramp tells which part of it is seen."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None], 100, axis=0)
    found = cut_out(ramp, Window(0.25, 0.5, 0.75, 1.0), 20)
    assert found.shape == (20, 20)
    np.testing.assert_allclose(found[0], np.linspace(52, 147, 20), atol=1.5)
    assert cut_out(np.dstack([ramp] * 3), WHOLE, 7).shape == (7, 7, 3)


def test_unit_range():
    found = unit_range(np.array([[0, 51, 255]], np.uint8))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0.2, 1]])

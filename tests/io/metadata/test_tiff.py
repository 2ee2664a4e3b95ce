import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from samelight.io.metadata.tiff_tags import add_tiff_exif, read_tiff_exif
from samelight.io.photo import Photo, read_photo, write_photo

MAKE, EXIF_FOLDER, EXPOSURE, LENS = 0x010F, 0x8769, 0x829A, 0xA434


def exif_block():
    exif = Image.Exif()
    exif[MAKE] = "a camera of many letters"
    exif[0x0112] = 1
    exif.get_ifd(EXIF_FOLDER)[EXPOSURE] = IFDRational(1, 250)
    exif.get_ifd(EXIF_FOLDER)[LENS] = "a lens"
    return exif.tobytes()


def check(exif):
    assert exif[MAKE].rstrip("\0") == "a camera of many letters"
    assert float(exif.get_ifd(EXIF_FOLDER)[EXPOSURE]) == pytest.approx(1 / 250)
    assert exif.get_ifd(EXIF_FOLDER)[LENS].rstrip("\0") == "a lens"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_files_carry_exif_both_ways(tmp_path, rng, dtype):
    pixels = rng.integers(0, 255, (33, 47, 3)).astype(dtype)
    write_photo(tmp_path / "photo.tif", Photo(pixels, exif=exif_block()))
    if dtype == np.uint8:
        with Image.open(tmp_path / "photo.tif") as image:
            check(image.getexif())
            assert np.array_equal(np.asarray(image), pixels)
    back = read_photo(tmp_path / "photo.tif")
    assert np.array_equal(back.pixels, pixels)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + back.exif)
    check(exif)
    write_photo(tmp_path / "photo.jpg", back)
    with Image.open(tmp_path / "photo.jpg") as image:
        check(image.getexif())


def test_big_endian_files_are_read(tmp_path):
    order = Image.Exif()
    order.endian = ">"
    order[MAKE] = "a camera of many letters"
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.tif", exif=order)
    block = read_tiff_exif(tmp_path / "photo.tif")
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    assert exif[MAKE].rstrip("\0") == "a camera of many letters"


def test_a_file_that_says_nothing(tmp_path):
    write_photo(tmp_path / "photo.tif", Photo(np.zeros((4, 4, 3), np.uint8)))
    assert read_photo(tmp_path / "photo.tif").exif is None


@pytest.mark.parametrize("block", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff"])
def test_a_block_that_cannot_be_read_is_left_out(tmp_path, block):
    write_photo(tmp_path / "photo.tif", Photo(np.zeros((4, 4, 3), np.uint8)))
    before = (tmp_path / "photo.tif").read_bytes()
    add_tiff_exif(tmp_path / "photo.tif", block)
    assert (tmp_path / "photo.tif").read_bytes() == before

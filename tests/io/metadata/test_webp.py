import numpy as np
import pytest
from PIL import Image

from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo, write_photo
from tests.profiles import DISPLAY_P3, rgb_profile

EXIF = Image.Exif()
EXIF[0x010F] = "maker"
BLOCK = EXIF.tobytes().removeprefix(b"Exif\0\0")


@pytest.fixture
def smooth():
    ramp = np.linspace(0, 255, 33).astype(np.uint8)
    return np.repeat(np.tile(ramp, (21, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize("exif", [None, BLOCK])
@pytest.mark.parametrize("xmp", [None, b"<x/>"])
@pytest.mark.parametrize("icc", [None, rgb_profile(DISPLAY_P3)])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_every_combination_is_a_file_that_pillow_reads(tmp_path, smooth, exif, xmp, icc, has_alpha):
    alpha = smooth[..., 0] if has_alpha else None
    path = tmp_path / "photo.webp"
    write_photo(path, Photo(smooth, alpha, icc, Metadata(exif, xmp)))
    with Image.open(path) as image:
        assert image.size == (33, 21)
        assert image.mode == ("RGBA" if has_alpha else "RGB")
        image.load()
        assert image.info.get("xmp") == xmp
        assert image.info.get("icc_profile") == icc
        assert image.getexif().get(0x010F) == EXIF.get(0x010F if exif else 0)
    assert read_photo(path).metadata == Metadata(exif, xmp)


def test_the_prefix_of_jpeg_is_forgiven(tmp_path, smooth):
    Image.fromarray(smooth).save(tmp_path / "photo.webp", exif=EXIF.tobytes())
    assert read_photo(tmp_path / "photo.webp").metadata.exif == BLOCK


def test_a_resolution_goes_into_exif(tmp_path, smooth):
    photo = Photo(smooth, metadata=Metadata(pixels_per_mm=(10.0, 12.0)))
    write_photo(tmp_path / "photo.webp", photo)
    assert read_photo(tmp_path / "photo.webp").metadata.pixels_per_mm == pytest.approx((10, 12))
    write_photo(tmp_path / "photo.avif", photo)
    assert read_photo(tmp_path / "photo.avif").metadata.pixels_per_mm == pytest.approx((10, 12))

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms, ImageOps

from samelight.errors import OutputError, PhotoError
from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo, to_uint8, write_photo

ORIENTATION, MAKE = 0x0112, 0x010F
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def save_with_metadata(path, pixels, orientation, **options):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKE] = "samelight"
    Image.fromarray(pixels).save(path, exif=exif, icc_profile=ICC, **options)


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_lossless_formats_keep_every_bit(tmp_path, rng, suffix, dtype, has_alpha):
    most = np.iinfo(dtype).max
    pixels = rng.integers(0, most, (20, 30, 3), dtype=dtype, endpoint=True)
    alpha = rng.integers(0, most, (20, 30), dtype=dtype, endpoint=True) if has_alpha else None
    path = tmp_path / f"photo{suffix}"
    write_photo(path, Photo(pixels, alpha))
    back = read_photo(path)
    assert back.pixels.dtype == dtype
    assert np.array_equal(back.pixels, pixels)
    assert (back.alpha is not None) == has_alpha
    if has_alpha:
        assert np.array_equal(back.alpha, alpha)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossy_formats_are_near_at_8_bits(tmp_path, suffix, dtype):
    ramp = np.linspace(0, np.iinfo(dtype).max, 64).astype(dtype)
    pixels = np.repeat(np.tile(ramp, (64, 1))[..., None], 3, axis=2)
    write_photo(tmp_path / f"photo{suffix}", Photo(pixels))
    back = read_photo(tmp_path / f"photo{suffix}").pixels
    assert back.dtype == np.uint8
    assert abs(back.astype(int) - to_uint8(pixels)).max() <= 6


def test_jpeg_keeps_full_colour_resolution(tmp_path):
    red_or_blue = np.zeros((32, 32, 3), np.uint8)
    red_or_blue[:, ::2, 0] = 255
    red_or_blue[:, 1::2, 2] = 255
    write_photo(tmp_path / "stripes.jpg", Photo(red_or_blue))
    back = read_photo(tmp_path / "stripes.jpg").pixels.astype(int)
    assert abs(back - red_or_blue).mean() < 8


def test_jpeg_lays_transparency_over_white(tmp_path):
    clear = np.zeros((16, 16), np.uint8)
    write_photo(tmp_path / "clear.jpg", Photo(np.zeros((16, 16, 3), np.uint8), clear))
    assert read_photo(tmp_path / "clear.jpg").pixels.min() >= 250


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_does(tmp_path, pixels, orientation):
    path = tmp_path / "turned.png"
    save_with_metadata(path, pixels, orientation)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(read_photo(path).pixels, upright)


@pytest.mark.parametrize("source", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("result", [".jpg", ".png", ".webp"])
def test_metadata_is_carried_and_the_photo_turned_once(tmp_path, pixels, source, result):
    save_with_metadata(tmp_path / f"in{source}", pixels, 6)
    photo = read_photo(tmp_path / f"in{source}")
    assert photo.pixels.shape == (30, 20, 3)
    write_photo(tmp_path / f"out{result}", photo)
    with Image.open(tmp_path / f"out{result}") as image:
        assert image.size == (20, 30)
        assert image.getexif()[ORIENTATION] == 1
        assert image.getexif()[MAKE].rstrip("\0") == "samelight"
        assert image.info["icc_profile"] == ICC
    assert read_photo(tmp_path / f"out{result}").pixels.shape == (30, 20, 3)


def test_tiff_carries_the_profile(tmp_path, pixels):
    write_photo(tmp_path / "photo.tif", Photo(pixels, icc=ICC))
    assert read_photo(tmp_path / "photo.tif").icc == ICC


def test_xmp_is_carried(tmp_path, pixels):
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        write_photo(tmp_path / f"photo{suffix}", Photo(pixels, metadata=Metadata(xmp=packet)))
        xmp = read_photo(tmp_path / f"photo{suffix}").metadata.xmp
        assert xmp is not None
        assert packet in xmp


def test_exif_that_cannot_be_parsed_is_dropped_not_fatal(tmp_path, pixels):
    for block in (b"", b"garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"II*\0" + b"\xff" * 70_000):
        write_photo(tmp_path / "photo.jpg", Photo(pixels, metadata=Metadata(block)))
        assert read_photo(tmp_path / "photo.jpg").pixels.shape == pixels.shape


def test_gray_and_palette_become_rgb(tmp_path, pixels):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "gray.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / "gray16.png")
    Image.fromarray(pixels).quantize(16).save(tmp_path / "palette.png")
    gray = read_photo(tmp_path / "gray.png").pixels
    assert np.array_equal(gray, np.repeat(pixels[..., :1], 3, axis=2))
    gray16 = read_photo(tmp_path / "gray16.png").pixels
    assert np.array_equal(gray16, np.repeat(pixels[..., :1].astype(np.uint16) * 257, 3, axis=2))
    with Image.open(tmp_path / "palette.png") as image:
        assert np.array_equal(
            read_photo(tmp_path / "palette.png").pixels, np.asarray(image.convert("RGB"))
        )


def test_cmyk_becomes_srgb(tmp_path):
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    cyan.save(tmp_path / "cyan.jpg")
    photo = read_photo(tmp_path / "cyan.jpg")
    red, green, blue = photo.pixels[8, 8].astype(int)
    assert photo.icc is None
    assert red < green
    assert red < blue


def test_brackets_in_a_name_are_no_options(tmp_path, pixels):
    path = tmp_path / "photo[page=7].png"
    write_photo(path, Photo(pixels))
    assert np.array_equal(read_photo(path).pixels, pixels)


def test_missing_file():
    with pytest.raises(PhotoError, match="is not a file"):
        read_photo("nowhere.jpg")


def test_text_called_jpg(tmp_path):
    (tmp_path / "text.jpg").write_text("dear diary")
    with pytest.raises(PhotoError, match="is not a picture"):
        read_photo(tmp_path / "text.jpg")


def test_other_formats_are_named(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "photo.gif")
    with pytest.raises(PhotoError, match="is a gif file"):
        read_photo(tmp_path / "photo.gif")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_truncated_files(tmp_path, rng, suffix, capfd):
    pixels = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    write_photo(whole, Photo(pixels))
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(PhotoError):
        read_photo(cut)
    assert capfd.readouterr().err == ""


def test_floating_point_files_are_refused(tmp_path):
    pyvips.Image.black(8, 8, bands=3).cast("float").tiffsave(str(tmp_path / "float.tif"))
    with pytest.raises(PhotoError, match="8 or 16 bits"):
        read_photo(tmp_path / "float.tif")


@pytest.mark.parametrize("name", ["photo.bmp", "photo", "missing/photo.png", "file.txt/photo.png"])
def test_places_that_cannot_be_written(tmp_path, pixels, name):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_photo(tmp_path / name, Photo(pixels))


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, pixels, monkeypatch):
    path = tmp_path / "photo.png"
    path.write_bytes(b"old")

    def fail(self, target, **options):
        raise pyvips.Error("the disc is full")

    monkeypatch.setattr(pyvips.Image, "pngsave_target", fail, raising=False)
    with pytest.raises(OutputError, match="the disc is full"):
        write_photo(path, Photo(pixels))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_reduction_to_8_bits():
    eight = np.arange(256, dtype=np.uint8).reshape(1, -1).repeat(3, axis=0)
    assert np.array_equal(to_uint8(eight.astype(np.uint16) * 257), eight)
    assert np.array_equal(to_uint8(eight.astype(np.float32) / 255), eight)

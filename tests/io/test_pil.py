"""A picture opened by Pillow is the photo that its file is."""

import numpy as np
import pytest
import pyvips
from PIL import Image

from samelight.errors import PhotoError
from samelight.io.photo import Photo, read_photo
from samelight.io.pil import photo_of_array, photo_of_pil, pil_of_photo
from tests.profiles import ADOBE_RGB, DISPLAY_P3, gray_profile, rgb_profile

P3 = rgb_profile(DISPLAY_P3)


@pytest.fixture
def colours(rng):
    return Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))


def cmyk_profile():
    pixel = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")
    return bytes(pixel.icc_transform("cmyk", input_profile="srgb").get("icc-profile-data"))


def of_mode(colours, mode):
    if mode == "I;16":
        return Image.fromarray(np.asarray(colours.convert("L")).astype(np.uint16) * 257)
    if mode in ("RGBA", "LA"):
        colours = colours.convert(mode)
        colours.putalpha(colours.getchannel(0))
    return colours.convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix", "profile"),
    [
        ("1", ".png", None),
        ("L", ".png", None),
        ("L", ".tif", gray_profile(1.8)),
        ("L", ".tif", P3),
        ("LA", ".png", None),
        ("LA", ".png", gray_profile(1.8)),
        ("I;16", ".png", None),
        ("I;16", ".tif", gray_profile(1.0)),
        ("P", ".png", None),
        ("P", ".png", rgb_profile(ADOBE_RGB)),
        ("RGB", ".png", P3),
        ("RGB", ".tif", gray_profile(1.8)),
        ("RGBA", ".tif", P3),
        ("CMYK", ".tif", None),
        ("CMYK", ".tif", cmyk_profile()),
        ("CMYK", ".tif", P3),
    ],
)
def test_what_pillow_opened_and_what_the_path_gives_are_the_same(
    tmp_path, colours, mode, suffix, profile
):
    path = tmp_path / f"photo{suffix}"
    of_mode(colours, mode).save(path, icc_profile=profile)
    wanted = read_photo(path)
    with Image.open(path) as image:
        photo = photo_of_pil(image)
    assert photo.pixels.dtype == wanted.pixels.dtype
    assert np.array_equal(photo.pixels, wanted.pixels)
    assert (photo.alpha is None) == (wanted.alpha is None)
    if photo.alpha is not None:
        assert np.array_equal(photo.alpha, wanted.alpha)
    assert photo.icc == wanted.icc
    assert [note.kind for note in photo.notes] == [note.kind for note in wanted.notes]


def test_gray_of_16_bits_is_not_white(colours):
    deep = of_mode(colours, "I;16")
    assert np.array_equal(photo_of_pil(deep).pixels[..., 1], np.asarray(deep))
    swapped = Image.frombytes("I;16B", deep.size, np.asarray(deep).astype(">u2").tobytes())
    assert np.array_equal(photo_of_pil(swapped).pixels[..., 1], np.asarray(deep))


def test_a_profile_stays_only_with_pixels_that_it_describes(colours):
    cmyk = colours.convert("CMYK")
    cmyk.info["icc_profile"] = cmyk_profile()
    assert photo_of_pil(cmyk).icc is None
    rgb = colours.copy()
    rgb.info["icc_profile"] = cmyk_profile()
    photo = photo_of_pil(rgb)
    assert photo.icc is None
    assert [note.kind for note in photo.notes] == ["photo-profile"]
    assert "icc_profile" not in pil_of_photo(photo, rgb.info).info
    rgb.info["icc_profile"] = P3
    assert pil_of_photo(photo_of_pil(rgb), rgb.info).info["icc_profile"] == P3


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "PA", "La", "RGBa", "RGBX"])
def test_other_ways_to_write_rgb_and_gray(colours, mode):
    opaque = colours.convert({"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB"))
    given = opaque.convert(mode)
    back = given.convert("LA").convert("RGB") if mode == "La" else given.convert("RGB")
    assert np.array_equal(photo_of_pil(given).pixels, np.asarray(back))


@pytest.mark.parametrize(
    ("mode", "way_out"),
    [("I", "scale it to 16 bits"), ("F", "scale it"), ("LAB", "convert it to RGB with")],
)
def test_modes_without_a_known_white_are_refused(mode, way_out):
    with pytest.raises(PhotoError, match=f"is of mode {mode}, which is not taken: {way_out}"):
        photo_of_pil(Image.new(mode, (4, 4)))


def test_transparency_of_one_colour_becomes_alpha(colours, tmp_path):
    palette = colours.quantize(8)
    palette.save(tmp_path / "photo.png", transparency=3)
    with Image.open(tmp_path / "photo.png") as image:
        photo = photo_of_pil(image)
        assert np.array_equal(photo.alpha == 0, np.asarray(image) == 3)
    assert np.array_equal(photo.alpha, read_photo(tmp_path / "photo.png").alpha)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.1, 1.1])
def test_floats_that_are_no_colours(wrong):
    with pytest.raises(PhotoError, match=r"no numbers|outside \[0,1\]"):
        photo_of_array(np.full((4, 4, 3), wrong, np.float32))


def test_sixteen_bits_come_back_as_eight():
    deep = Photo(np.full((4, 4, 3), 0x8081, np.uint16), np.full((4, 4), 0xFFFF, np.uint16))
    image = pil_of_photo(deep, {"dpi": (300, 300), "other": 1})
    assert image.mode == "RGBA"
    assert image.getpixel((0, 0)) == (128, 128, 128, 255)
    assert image.info == {"dpi": (300, 300)}

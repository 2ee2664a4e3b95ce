from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image

import samelight
from samelight import EditOptions, harmonize
from samelight.api import EditKeywords
from samelight.errors import MaskError, ModelError, PhotoError, SamelightWarning, UsageError
from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture
def mask():
    mask = np.zeros((90, 120), np.float32)
    mask[20:70, 30:90] = 1
    return mask


def test_the_same_kind_comes_out_as_goes_in(tiny_model, pixels, mask, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    array = harmonize(pixels, mask, model=tiny_model)
    assert isinstance(array, np.ndarray)
    from_pil = harmonize(
        Image.fromarray(pixels), Image.open(tmp_path / "mask.png"), model=tiny_model
    )
    assert np.array_equal(np.asarray(from_pil), array)
    for source in (tmp_path / "photo.png", str(tmp_path / "photo.png"), Photo(pixels)):
        photo = harmonize(source, str(tmp_path / "mask.png"), model=tiny_model)
        assert np.array_equal(photo.pixels, array)


def test_a_path_comes_back_with_all_that_the_file_had(tiny_model, mask, tmp_path, rng):
    deep = rng.integers(0, 65536, (90, 120, 3), dtype=np.uint16)
    exif = Image.Exif()
    exif[0x010F] = "maker"
    tagged = Image.new("RGB", (120, 90))
    tagged.save(tmp_path / "tags.jpg", exif=exif)
    block = read_photo(tmp_path / "tags.jpg").metadata.exif
    photo = Photo(deep, metadata=Metadata(block, b"<x/>"))
    photo.save(tmp_path / "deep.png")
    harmonize(tmp_path / "deep.png", mask, model=tiny_model).save(tmp_path / "after.png")
    after = read_photo(tmp_path / "after.png")
    assert after.pixels.dtype == np.uint16
    assert np.array_equal(after.pixels[mask == 0], deep[mask == 0])
    assert b"maker" in after.metadata.exif
    assert after.metadata.xmp == b"<x/>"


def test_pil_images_keep_alpha_and_metadata(tiny_model, pixels, mask, rng):
    alpha = rng.integers(0, 256, mask.shape, dtype=np.uint8)
    image = Image.fromarray(np.dstack([pixels, alpha]))
    image.info |= {"icc_profile": b"profile", "exif": b"Exif\0\0"}
    harmonized = harmonize(image, mask, model=tiny_model)
    assert harmonized.mode == "RGBA"
    assert np.array_equal(np.asarray(harmonized)[..., 3], alpha)
    assert harmonized.info["icc_profile"] == b"profile"
    assert harmonized.info["exif"] == b"Exif\0\0"


def test_a_turned_photo_comes_back_upright(tiny_model, pixels, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    harmonized = harmonize(tmp_path / "turned.png", np.ones((120, 90), bool), model=tiny_model)
    assert harmonized.pixels.shape == (120, 90, 3)
    harmonized.save(tmp_path / "after.png")
    with Image.open(tmp_path / "after.png") as after:
        assert after.getexif()[0x0112] == 1


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((90, 120), np.uint8),
        np.zeros((90, 120, 4), np.uint8),
        np.zeros((90, 120, 3), np.int32),
        np.zeros((90, 120, 3)),
        np.full((90, 120, 3), 255, np.float32),
        np.full((90, 120, 3), np.nan, np.float32),
        None,
        [[0]],
        b"photo",
    ],
)
def test_what_is_no_photo_is_one_line(tiny_model, mask, image):
    with pytest.raises(PhotoError, match=r"wanted|divide|replace") as caught:
        harmonize(image, mask, model=tiny_model)
    assert "\n" not in str(caught.value)


def test_notes_are_kept_or_said(tiny_model, mask, tmp_path, rng):
    gray = Image.fromarray(rng.integers(0, 256, mask.shape, dtype=np.uint8))
    gray.save(tmp_path / "gray.png")
    binary = mask.astype(np.uint8)
    photo = harmonize(tmp_path / "gray.png", binary, model=tiny_model)
    assert [note.kind for note in photo.notes] == ["photo-gray", "mask-binary"]
    with pytest.warns(SamelightWarning) as said:
        harmonize(gray, binary, model=tiny_model)
    assert [str(one.message) for one in said] == [
        "the image is gray: it was converted to RGB, so that it can take on colour",
        photo.notes[1].text,
    ]
    assert {one.filename for one in said} == {__file__}
    with pytest.warns(SamelightWarning, match="holds 0 and 1 only"):
        harmonize(np.zeros((*mask.shape, 3), np.uint8), binary, model=tiny_model)


def test_what_is_wrong_is_named(tiny_model, pixels, mask):
    with pytest.raises(MaskError, match=r"resize the mask"):
        harmonize(pixels, mask[:-1], model=tiny_model)
    with pytest.raises(UsageError, match="strength"):
        harmonize(pixels, mask, model=tiny_model, strength=2)
    with pytest.raises(ModelError, match="moonlight"):
        harmonize(pixels, mask, model="moonlight")
    with pytest.raises(UsageError, match="no option 'bold': choose from model, strength"):
        harmonize(pixels, mask, bold=True)  # type: ignore[call-overload]


def test_the_keywords_are_the_options():
    wanted = get_type_hints(EditOptions)
    assert get_type_hints(EditKeywords) == {
        one.name: wanted[one.name] for one in fields(EditOptions)
    }


def test_the_package_exports_what_it_says():
    for name in samelight.__all__:
        assert getattr(samelight, name) is not None
    with pytest.raises(AttributeError, match="moonlight"):
        _ = samelight.moonlight

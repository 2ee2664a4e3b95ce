from dataclasses import fields, replace

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.edit import EditOptions, edit
from samelight.errors import MaskError, UsageError
from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo
from samelight.mask.mask import Mask
from samelight.render.apply import render
from samelight.types import Note
from tests.profiles import DISPLAY_P3, rgb_profile


@pytest.fixture
def photo(rng):
    return Photo(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8))


@pytest.fixture
def mask():
    values = np.zeros((90, 120), np.uint8)
    values[20:70, 30:90] = 255
    return Mask(values)


@pytest.fixture
def options(correcting_model):
    return EditOptions(model=correcting_model)


def change(result, photo):
    return result.pixels.astype(float) - photo.pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_answer_of_the_network_reaches_the_full_size(tiny_model, photo, mask, dtype):
    unit = photo.pixels / 255
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    image = (unit * white).astype(dtype)
    after = edit(Photo(image), mask, EditOptions(model=tiny_model)).pixels
    assert after.dtype == dtype
    background = mask.coverage == 0
    assert after[background].tobytes() == image[background].tobytes()
    inner = (slice(25, 65), slice(35, 85))
    assert abs(after[inner] / white - (0.8 * unit[inner] + 0.1)).mean() < 0.01


def test_all_of_the_correction_is_done_by_default(photo, mask, options):
    result = edit(photo, mask, options)
    assert result.applied == 1
    assert result.prediction is not None
    assert np.array_equal(
        result.pixels, render(photo.pixels, mask.coverage, result.prediction.correction)
    )
    assert result.error_estimate == (12, 4)
    assert not result.notes
    assert set(result.seconds) == {"mask", "predict", "render"}


def test_the_gate_lets_through_what_its_thresholds_say_and_tells(photo, mask, options):
    result = edit(photo, mask, replace(options, gate="auto"))
    assert result.applied == 0.25
    full = edit(photo, mask, options).correction
    quarter = full.with_strength(0.25).grid
    np.testing.assert_allclose(result.correction.grid, quarter, atol=1e-7)
    assert [note.kind for note in result.notes] == ["gate-closed"]
    assert "25 %" in result.notes[0].text
    # Asked to do nothing, there is nothing to say about how much of it was done.
    assert not edit(photo, mask, replace(options, gate="auto", strength=0)).notes


def test_a_gate_that_a_model_does_not_have_is_said(tiny_model, photo, mask):
    result = edit(photo, mask, EditOptions(model=tiny_model, gate="auto"))
    assert result.applied == 1
    assert [note.kind for note in result.notes] == ["gate-missing"]


@pytest.mark.parametrize("strength", [0, 0.5, 1.5])
def test_strength_scales_the_change(tiny_model, mask, strength):
    gray = Photo(np.full((90, 120, 3), 0.2, np.float32))
    result = edit(gray, mask, EditOptions(model=tiny_model, strength=strength))
    assert change(result, gray)[45, 60, 0] == pytest.approx(0.06 * strength, abs=2e-3)
    assert strength or np.array_equal(result.pixels, gray.pixels)


def test_soft_masks_blend(tiny_model):
    gray = Photo(np.full((90, 120, 3), 0.2, np.float32))
    half = Mask(np.full((90, 120), 0.5, np.float32))
    # The network's answer is blended already: it adds half of 0.1 and takes 0.04.
    after = edit(gray, half, EditOptions(model=tiny_model)).pixels
    np.testing.assert_allclose(after[45, 60], 0.21, atol=1e-3)


def test_an_empty_mask_changes_nothing_and_says_so(photo, options):
    result = edit(photo, Mask.of(np.zeros((90, 120), bool)), options)
    assert np.array_equal(result.pixels, photo.pixels)
    assert [note.kind for note in result.notes] == ["mask-empty"]


def test_a_mask_of_everything_is_finite(tiny_model, photo):
    image = Photo((photo.pixels / 255).astype(np.float32))
    after = edit(image, Mask.of(np.ones((90, 120), bool)), EditOptions(model=tiny_model)).pixels
    assert np.isfinite(after).all()
    assert after.min() >= 0
    assert after.max() <= 1


def test_a_given_correction_asks_no_network(photo, mask):
    darker = Correction(np.eye(3, 4, dtype=np.float32)[None, None] * np.float32(0.5))
    result = edit(photo, mask, EditOptions(model="no such model"), correction=darker)
    assert result.prediction is None
    assert np.array_equal(result.pixels, render(photo.pixels, mask.coverage, darker))


def test_a_given_correction_is_brought_to_the_space_of_the_photo(photo, mask):
    profile = rgb_profile(DISPLAY_P3)
    darker = Correction(np.eye(3, 4, dtype=np.float32)[None, None] * np.float32(0.9))
    result = edit(replace(photo, icc=profile), mask, correction=darker)
    assert result.correction.icc == profile


def test_the_mask_is_mended_as_asked(photo, mask, options):
    eroded = edit(photo, mask, replace(options, erode=4)).mask
    assert eroded.box == (slice(24, 66), slice(34, 86))
    feathered = edit(photo, mask, replace(options, feather=5.0)).mask
    assert 0 < feathered.coverage[22, 60] < 1
    small = Mask(mask.coverage[::2, ::2])
    assert edit(photo, small, replace(options, fit_mask=True)).mask.shape == (90, 120)
    with pytest.raises(MaskError, match="--fit-mask"):
        edit(photo, small, options)


def test_a_photo_keeps_what_it_carries_and_is_not_written_to(photo, mask, options):
    metadata = Metadata(b"exif", b"xmp")
    carried = replace(photo, metadata=metadata, alpha=photo.pixels[..., 0])
    before = photo.pixels.copy()
    after = edit(carried, mask, options).photo
    assert after.metadata is metadata
    assert after.alpha is carried.alpha
    assert np.array_equal(photo.pixels, before)
    in_place = edit(photo, mask, options, in_place=True)
    assert in_place.pixels is photo.pixels
    assert np.array_equal(in_place.pixels, after.pixels)


def test_notes_of_photo_and_mask_are_passed_on(photo, mask, options):
    told = Mask(mask.coverage, (Note("mask-binary", "binary"),))
    result = edit(replace(photo, notes=(Note("photo-gray", "gray"),)), told, options)
    assert [note.kind for note in result.notes] == ["photo-gray", "mask-binary"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("strength", 2, "strength is 2: choose a number from 0 to 1.5"),
        ("strength", float("nan"), "strength is nan: choose a number"),
        ("strength", "much", "strength is 'much': choose a number"),
        ("strength", True, "strength is True: choose a number"),
        ("erode", 1.5, "erode is 1.5: choose a whole number from 0 to 200"),
        ("erode", -1, "erode is -1: choose a whole number"),
        ("feather", 201, "feather is 201: choose a number from 0 to 200"),
        ("gate", "ajar", "gate is 'ajar': choose one of off, auto"),
        ("provider", "abacus", "provider is 'abacus': choose one of cpu, cuda, coreml, dml"),
        ("fit_mask", 1, "fit_mask is 1: wanted True or False"),
        ("threads", 0, "threads is 0: choose a whole number of at least 1"),
    ],
)
def test_a_value_out_of_range_is_one_line(name, value, said):
    with pytest.raises(UsageError) as caught:
        EditOptions(**{name: value})
    assert str(caught.value).startswith(said)


def test_every_option_says_what_it_is_and_its_default_is_allowed():
    EditOptions()
    for option in fields(EditOptions):
        assert option.metadata["help"].endswith(".")
        assert option.metadata["least"] <= option.metadata["most"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (20, 30_000)])
@pytest.mark.parametrize("kind", ["full", "one", "noise"])
def test_degenerate_pictures_and_masks_give_a_result(options, rng, shape, kind):
    pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    coverage = np.zeros(shape, np.uint8)
    coverage[-1, -1] = 255
    if kind != "one":
        coverage = np.full(shape, 255, np.uint8) if kind == "full" else rng.integers(
            0, 256, shape, dtype=np.uint8
        )  # fmt: skip
    after = edit(Photo(pixels), Mask(coverage), options).pixels
    assert after.shape == pixels.shape
    assert np.array_equal(after[coverage == 0], pixels[coverage == 0])


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_pictures_give_a_result(options, mask, value):
    after = edit(Photo(np.full((90, 120, 3), value, np.uint8)), mask, options).pixels
    assert np.all(after[mask.coverage == 0] == value)

import numpy as np
import pytest
from PIL import Image

import samelight
from samelight import Harmonizer, harmonize
from samelight.color.profile import to_srgb
from samelight.errors import MaskError, ModelError, PhotoError, UsageError
from samelight.io.photo import Photo
from samelight.models.session import ErrorEstimate, Session
from samelight.render.apply import render
from tests.conftest import SIZE_PX, write_averaging_model
from tests.profiles import DISPLAY_P3, rgb_profile


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture
def mask():
    mask = np.zeros((90, 120), np.float32)
    mask[20:70, 30:90] = 1
    return mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_answer_of_the_network_reaches_the_full_size(tiny_model, pixels, mask, dtype):
    unit = pixels / 255
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    image = (unit * white).astype(dtype)
    harmonized = harmonize(image, mask, model=tiny_model)
    assert harmonized.dtype == dtype
    assert harmonized[mask == 0].tobytes() == image[mask == 0].tobytes()
    inner = (slice(25, 65), slice(35, 85))
    wanted = 0.8 * unit[inner] + 0.1
    assert abs(harmonized[inner] / white - wanted).mean() < 0.01


@pytest.mark.parametrize(("bold", "share"), [(False, 0.25), (True, 1.0)])
def test_of_a_predicted_correction_is_done_what_the_network_says(
    correcting_model, pixels, mask, bold, share
):
    wanted = np.tile(np.eye(3, 4, dtype=np.float32), (1, 2, 1, 1))
    wanted[0, 0, 0, 0], wanted[0, 1, 1, 3] = 1 - 0.2 * share, 0.1 * share
    found = Harmonizer(correcting_model, bold=bold).inspect(pixels, mask)
    np.testing.assert_allclose(found.correction.grid, wanted, atol=1e-7)
    assert found.error_estimate == ErrorEstimate(
        left_alone=12, corrected=12 - 8 * share, share=share
    )
    harmonized = harmonize(pixels, mask, model=correcting_model, bold=bold)
    assert np.array_equal(harmonized, render(pixels, mask, found.correction))
    assert found.correction.icc is None
    shown = render(found.composite, found.mask, found.correction)
    assert np.array_equal(found.harmonized, shown)
    assert abs(shown - found.composite).max() > 0.05 * share


def test_a_predicted_correction_is_brought_into_the_space_of_the_photo(
    correcting_model, pixels, mask
):
    profile = rgb_profile(DISPLAY_P3, gamma=2.2)
    # Colours well inside of what sRGB can show.
    pixels = 96 + pixels // 4
    harmonizer = Harmonizer(correcting_model, bold=True)
    for_srgb = harmonizer.predict(pixels, mask)
    found = harmonizer.inspect(pixels, mask, icc=profile)
    assert found.correction.icc == profile
    shown = to_srgb(found.composite, profile)
    wanted = render(shown, found.mask, for_srgb)
    assert abs(wanted - shown).max() > 0.05
    inside = found.mask > 0
    for answer in (found.harmonized, render(found.composite, found.mask, found.correction)):
        assert abs(to_srgb(answer, profile) - wanted)[inside].mean() < 0.004


@pytest.mark.parametrize("shape", [(64, 64), (37, 211), (600, 20), (1, 1)])
def test_the_network_sees_one_size_whatever_the_photo(tiny_model, monkeypatch, rng, shape):
    seen = []
    run = Session.run

    def spy(self, composite, mask):
        seen.append((composite.shape, mask.shape))
        return run(self, composite, mask)

    monkeypatch.setattr(Session, "run", spy)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert harmonize(image, np.ones(shape, bool), model=tiny_model).shape == image.shape
    assert seen == [((SIZE_PX, SIZE_PX, 3), (SIZE_PX, SIZE_PX))]


def test_the_network_sees_what_pillow_makes_of_the_photo(tiny_model, monkeypatch, pixels, mask):
    seen = []
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda *given: seen.append(given[1:]) or run(*given))
    harmonize(pixels, mask, model=tiny_model)
    size, bilinear = (SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR
    composite = np.asarray(Image.fromarray(pixels).resize(size, bilinear))
    small_mask = np.asarray(Image.fromarray((mask * 255).astype(np.uint8)).resize(size, bilinear))
    np.testing.assert_allclose(seen[0][0] * 255, composite, atol=1e-4)
    np.testing.assert_allclose(seen[0][1] * 255, small_mask, atol=1e-4)


def test_empty_mask_returns_the_input(tiny_model, pixels):
    harmonized = harmonize(pixels, np.zeros((90, 120), bool), model=tiny_model)
    assert np.array_equal(harmonized, pixels)
    assert harmonized is not pixels


def test_full_mask_is_finite(tiny_model, pixels):
    image = (pixels / 255).astype(np.float32)
    harmonized = harmonize(image, np.ones((90, 120), bool), model=tiny_model)
    assert np.isfinite(harmonized).all()
    assert harmonized.min() >= 0
    assert harmonized.max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_strength_zero_is_identity(tiny_model, pixels, mask, dtype):
    image = pixels.astype(dtype) / dtype(255) if dtype == np.float32 else pixels
    assert np.array_equal(harmonize(image, mask, model=tiny_model, strength=0), image)


def test_strength_scales_the_change(tiny_model, mask):
    gray = np.full((90, 120, 3), 0.2, np.float32)
    change = [
        (harmonize(gray, mask, model=tiny_model, strength=s) - gray)[45, 60, 0]
        for s in (0.5, 1.0, 1.5)
    ]
    np.testing.assert_allclose(change, [0.03, 0.06, 0.09], atol=2e-3)


def test_soft_masks_blend(tiny_model):
    gray = np.full((90, 120, 3), 0.2, np.float32)
    half = harmonize(gray, np.full((90, 120), 0.5, np.float32), model=tiny_model)
    # The network's answer is blended already: it adds half of 0.1 and takes 0.04.
    np.testing.assert_allclose(half[45, 60], 0.21, atol=1e-3)


def test_paths_and_pil_images_give_pil_images(tiny_model, pixels, mask, tmp_path):
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    array = harmonize(pixels, mask, model=tiny_model)
    from_pil = harmonize(
        Image.fromarray(pixels), Image.open(tmp_path / "mask.png"), model=tiny_model
    )
    from_path = harmonize(tmp_path / "photo.png", str(tmp_path / "mask.png"), model=tiny_model)
    assert np.array_equal(np.asarray(from_pil), array)
    assert np.array_equal(np.asarray(from_path), array)


def test_pil_images_keep_alpha_and_metadata(tiny_model, pixels, mask, rng):
    alpha = rng.integers(0, 256, mask.shape, dtype=np.uint8)
    image = Image.fromarray(np.dstack([pixels, alpha]))
    image.info |= {"icc_profile": b"profile", "exif": b"Exif\0\0"}
    harmonized = harmonize(image, mask, model=tiny_model)
    assert harmonized.mode == "RGBA"
    assert np.array_equal(np.asarray(harmonized)[..., 3], alpha)
    assert harmonized.info["icc_profile"] == b"profile"
    assert harmonized.info["exif"] == b"Exif\0\0"


def test_a_turned_photo_comes_back_upright_and_says_so(tiny_model, pixels, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    harmonized = harmonize(tmp_path / "turned.png", np.ones((120, 90), bool), model=tiny_model)
    assert harmonized.size == (90, 120)
    assert harmonized.getexif()[0x0112] == 1


def test_a_photo_keeps_its_depth_and_what_it_carries(tiny_model, rng, mask):
    photo = Photo(rng.integers(0, 65536, (90, 120, 3), dtype=np.uint16), icc=b"profile")
    harmonized = Harmonizer(tiny_model).harmonize_photo(photo, mask)
    assert harmonized.pixels.dtype == np.uint16
    assert harmonized.icc == b"profile"


def test_a_harmonizer_predicts_a_correction_for_any_size(tiny_model, pixels, mask):
    correction = Harmonizer(tiny_model).predict(pixels, mask)
    assert isinstance(correction, samelight.Correction)
    np.testing.assert_allclose(correction.grid[32, 32, :, :3], 0.8 * np.eye(3), atol=0.05)


@pytest.mark.parametrize("profile", [None, rgb_profile(DISPLAY_P3)], ids=["sRGB", "P3"])
@pytest.mark.parametrize(("cells", "seen"), [(1, 0.16), (2, 0.79)])
def test_one_map_for_the_object_is_made_of_what_lies_around_it(tmp_path, cells, seen, profile):
    model = write_averaging_model(tmp_path / "averaging.onnx", cells)
    photo = np.full((200, 200, 3), 255, np.uint8)
    photo[100:, 100:] = 0
    mask = np.zeros((200, 200), np.uint8)
    mask[160:, 160:] = 255
    found = Harmonizer(model).inspect(photo, mask, icc=profile)
    # The part around the object is black, 16 % of it object; three quarters of the whole photo are
    # white, 4 % are object.
    assert found.composite.mean() == pytest.approx(0.75, abs=0.01)
    object_ = found.mask == 1
    np.testing.assert_allclose(found.harmonized[object_], seen, atol=0.02)
    np.testing.assert_allclose(found.correction.grid[-1, -1, :, 3], seen, atol=0.02)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((90, 120), np.uint8),
        np.zeros((90, 120, 4), np.uint8),
        np.zeros((90, 120, 3), np.int32),
        np.zeros((90, 120, 3)),
        np.full((90, 120, 3), 255, np.float32),
        np.full((90, 120, 3), np.nan, np.float32),
    ],
)
def test_arrays_that_are_no_photos(tiny_model, mask, image):
    with pytest.raises(PhotoError):
        harmonize(image, mask, model=tiny_model)


def test_what_is_wrong_is_named(tiny_model, pixels, mask):
    with pytest.raises(MaskError, match=r"resize the mask"):
        harmonize(pixels, mask[:-1], model=tiny_model)
    with pytest.raises(UsageError, match="strength"):
        harmonize(pixels, mask, model=tiny_model, strength=2)
    with pytest.raises(ModelError, match="moonlight"):
        harmonize(pixels, mask, model="moonlight")


def test_the_package_exports_what_it_says():
    for name in samelight.__all__:
        assert getattr(samelight, name) is not None
    with pytest.raises(AttributeError, match="moonlight"):
        _ = samelight.moonlight

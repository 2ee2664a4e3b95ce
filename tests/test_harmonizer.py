import numpy as np
import pytest
from PIL import Image

from samelight.color.profile import to_srgb
from samelight.errors import MaskError, ModelError
from samelight.harmonizer import Harmonizer
from samelight.mask.mask import Mask
from samelight.models.session import ErrorEstimate, Session
from samelight.models.spec import WindowRule
from samelight.render.apply import render
from tests.conftest import SIZE_PX, write_averaging_model
from tests.profiles import DISPLAY_P3, rgb_profile


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture
def mask():
    values = np.zeros((90, 120), np.float32)
    values[20:70, 30:90] = 1
    return Mask(values)


@pytest.fixture
def seen(monkeypatch):
    """What the network was shown."""
    shown = []
    run = Session.picture
    monkeypatch.setattr(Session, "picture", lambda *given: shown.append(given[1:]) or run(*given))
    return shown


def test_a_predicted_correction_is_taken_as_it_is(correcting_model, pixels, mask):
    wanted = np.tile(np.eye(3, 4, dtype=np.float32), (1, 2, 1, 1))
    wanted[0, 0, 0, 0], wanted[0, 1, 1, 3] = 0.8, 0.1
    found = Harmonizer(correcting_model).predict(pixels, mask)
    np.testing.assert_allclose(found.correction.grid, wanted, atol=1e-7)
    assert found.error_estimate == ErrorEstimate(composite=12, corrected=4)
    assert found.correction.icc is None
    shown = render(found.composite, found.mask, found.correction)
    assert np.array_equal(found.harmonized, shown)
    assert abs(shown - found.composite).max() > 0.05


def test_a_predicted_correction_is_brought_into_the_space_of_the_photo(
    correcting_model, pixels, mask
):
    profile = rgb_profile(DISPLAY_P3, gamma=2.2)
    # Colours well inside of what sRGB can show.
    pixels = 96 + pixels // 4
    harmonizer = Harmonizer(correcting_model)
    for_srgb = harmonizer.predict(pixels, mask).correction
    found = harmonizer.predict(pixels, mask, icc=profile)
    assert found.correction.icc == profile
    shown = to_srgb(found.composite, profile)
    wanted = render(shown, found.mask, for_srgb)
    assert abs(wanted - shown).max() > 0.05
    inside = found.mask > 0
    for answer in (found.harmonized, render(found.composite, found.mask, found.correction)):
        assert abs(to_srgb(answer, profile) - wanted)[inside].mean() < 0.004


@pytest.mark.parametrize("shape", [(64, 64), (37, 211), (600, 20), (1, 1)])
def test_the_network_sees_one_size_whatever_the_photo(tiny_model, seen, rng, shape):
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    Harmonizer(tiny_model).predict(image, Mask.of(np.ones(shape, bool)))
    ((composite, mask),) = seen
    assert composite.shape == (SIZE_PX, SIZE_PX, 3)
    assert mask.shape == (SIZE_PX, SIZE_PX)


def test_the_network_sees_what_pillow_makes_of_the_photo(tiny_model, seen, pixels, mask):
    Harmonizer(tiny_model).predict(pixels, mask)
    size, bilinear = (SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR
    composite = np.asarray(Image.fromarray(pixels).resize(size, bilinear))
    white = Image.fromarray((mask.coverage * 255).astype(np.uint8))
    np.testing.assert_allclose(seen[0][0] * 255, composite, atol=1e-4)
    small_mask = np.asarray(white.resize(size, bilinear))
    np.testing.assert_allclose(seen[0][1] * 255, small_mask, atol=1e-4)


def test_an_empty_mask_asks_no_network(tiny_model, seen, pixels):
    found = Harmonizer(tiny_model).predict(pixels, Mask.of(np.zeros((90, 120), bool)))
    assert not seen
    assert np.array_equal(found.correction.grid[0, 0], np.eye(3, 4))
    assert found.error_estimate is None


def test_a_picture_is_turned_into_a_correction(tiny_model, pixels, mask):
    correction = Harmonizer(tiny_model).predict(pixels, mask).correction
    np.testing.assert_allclose(correction.grid[32, 32, :, :3], 0.8 * np.eye(3), atol=0.05)


@pytest.mark.parametrize("profile", [None, rgb_profile(DISPLAY_P3)], ids=["sRGB", "P3"])
@pytest.mark.parametrize(
    ("window", "seen"), [(WindowRule(around=2.5, least=0.4), 0.16), (None, 0.79)]
)
def test_the_network_is_shown_what_its_spec_asks_for(tmp_path, window, seen, profile):
    model = write_averaging_model(tmp_path / "averaging.onnx", window)
    photo = np.full((200, 200, 3), 255, np.uint8)
    photo[100:, 100:] = 0
    mask = np.zeros((200, 200), np.uint8)
    mask[160:, 160:] = 255
    found = Harmonizer(model).predict(photo, Mask(mask), icc=profile)
    # The part around the object is black, 16 % of it object; three quarters of the whole photo are
    # white, 4 % are object.
    assert found.composite.mean() == pytest.approx(0.75, abs=0.01)
    object_ = found.mask == 1
    np.testing.assert_allclose(found.harmonized[object_], seen, atol=0.02)
    np.testing.assert_allclose(found.correction.grid[-1, -1, :, 3], seen, atol=0.02)


def test_what_is_wrong_is_named(tiny_model, pixels, mask):
    with pytest.raises(MaskError, match="resize the mask"):
        Harmonizer(tiny_model).predict(pixels[:-1], mask)
    with pytest.raises(ModelError, match="moonlight"):
        Harmonizer("moonlight")

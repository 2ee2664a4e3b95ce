import numpy as np
import pytest

from samelight.color.spaces import LUMA, srgb_to_linear
from samelight.lab.color import augment
from samelight.lab.color.augment import (
    AUGMENTATIONS,
    FOREGROUND_MIX,
    MAX_STRENGTH,
    PHOTO_MIX,
    Scene,
    at_distance,
    draw_augmentation,
    draw_distance,
    local_light,
    rms_levels,
)
from samelight.lab.color.transfer import IHARMONY4_TRANSFERS
from tests.lab.pictures import disc, smooth_photo


@pytest.fixture
def scene():
    """Gentle colours, in [0.1,0.9], so that nothing needs clipping."""
    rng = np.random.default_rng(3)
    photo, other = (
        (0.1 + 0.8 * smooth_photo(rng).astype(np.float32) / 255).astype(np.float32)
        for _ in range(2)
    )
    inside = disc() > 0
    return Scene(photo[inside], 0.1 + 0.5 * photo[inside] + 0.3 * other[inside])


def drawn(name, scene, count=6):
    return [AUGMENTATIONS[name](scene, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_strength_0_is_the_identity(name, scene):
    for edit in drawn(name, scene, 12):
        np.testing.assert_allclose(edit(scene.region, 0.0), scene.region, atol=1e-5)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_gives_the_same_edit_and_the_colours_are_not_touched(name, scene):
    before = scene.region.copy()
    for first, again in zip(drawn(name, scene), drawn(name, scene), strict=True):
        found = first(scene.region, 0.8)
        assert found.tobytes() == again(scene.region, 0.8).tobytes()
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert abs(found - before).mean() > 1e-4
    assert np.array_equal(scene.region, before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_edit_maps_colours_wherever_they_lie(name, scene):
    picture = scene.region[: 6 * 7].reshape(6, 7, 3)
    for edit in drawn(name, scene):
        wanted = edit(scene.region[: 6 * 7], 0.7).reshape(6, 7, 3)
        np.testing.assert_allclose(edit(picture, 0.7), wanted, atol=1e-6)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("levels", [4.0, 20.0, 60.0])
def test_the_wanted_distance_is_reached_within_2_percent(name, levels, scene):
    reached = 0
    for edit in drawn(name, scene, 10):
        strength = at_distance(edit, scene.region, levels)
        found = rms_levels(scene.region, edit(scene.region, strength))
        if strength == MAX_STRENGTH:
            assert found <= levels
        else:
            reached += 1
            assert found == pytest.approx(levels, rel=0.02)
    assert reached > 0 or levels > 20


def test_the_distance_is_that_of_clipped_colours_in_levels():
    before = np.array([[0.5, 0.5, 0.5], [1, 1, 1]], np.float32)
    after = before + np.array([[0.2, 0, 0], [0.5, 0.5, 0.5]], np.float32)
    assert rms_levels(before, after) == pytest.approx(255 * np.sqrt(0.2**2 / 6))


def test_distances_are_drawn_log_uniformly(rng):
    found = [draw_distance(rng, 4, 64) for _ in range(800)]
    assert min(found) >= 4
    assert max(found) <= 64
    # As many of 4 to 16 as of 16 to 64.
    assert np.mean(np.array(found) < 16) == pytest.approx(0.5, abs=0.06)


def test_transfer_in_full_brings_the_donors_mean_in_each_of_the_four_ways(scene, monkeypatch):
    for name, transfer in IHARMONY4_TRANSFERS.items():
        monkeypatch.setattr(augment, "IHARMONY4_TRANSFERS", {name: transfer})
        edit = augment.colour_transfer(scene, np.random.default_rng(0))
        found = edit(scene.region, 1.0)
        np.testing.assert_allclose(found.mean(0), scene.donor.mean(0), atol=0.01)
        # There is nothing beyond the donor.
        assert np.array_equal(edit(scene.region, MAX_STRENGTH), found)


def test_tone_curves_are_monotone_and_stay_in_range(scene):
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, axis=1)
    for edit in drawn("tone_curves", scene, 30):
        for strength in (0.5, MAX_STRENGTH):
            moved = edit(ramp, strength)
            assert (np.diff(moved, axis=0) >= -1e-6).all()
            assert moved.min() >= -1e-6
            assert moved.max() <= 1 + 1e-6


def test_a_smooth_table_displaces_in_proportion_to_the_strength(scene):
    for edit in drawn("smooth_lut", scene):
        half, full = (edit(scene.region, strength) - scene.region for strength in (0.5, 1.0))
        np.testing.assert_allclose(2 * half, full, atol=1e-5)


class Blinding:
    """Lights that leave nothing but white."""

    def draw(self, rng):
        return rng.random(), 0

    def change(self, rgb, here, there):
        return np.ones_like(rgb)


def test_an_illuminant_that_clips_too_much_gives_way_to_a_development(scene, monkeypatch):
    monkeypatch.setattr(augment, "shipped_illuminants", Blinding)
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    other.random(4)  # four tries
    assert augment.illuminant(scene, rng) == augment.develop(scene, other)


def test_ambient_light_is_dim_and_of_one_hue_in_linear_light(scene):
    """Without a veil and lamps it is one gain per channel, at most four stops down in luma."""
    plain = 0
    dark = np.full((4, 3), 0.2, np.float32) * np.float32([[1], [1.5], [2], [0.5]])
    for edit in drawn("ambient_light", scene, 60):
        gains = srgb_to_linear(edit(dark, 1.0)) / srgb_to_linear(dark)
        if np.ptp(gains, axis=0).max() < 1e-3:
            plain += 1
            assert 0.5**4 - 1e-3 < gains[0] @ LUMA < 0.5**0.3 + 1e-3
    assert 15 < plain < 45  # half of them have a veil


def test_under_ambient_light_lamps_shine_on_at_times(scene):
    lamp, wall = np.ones((1, 3), np.float32), np.full((1, 3), 0.5, np.float32)
    shines = [edit(lamp, 1.0).mean() > 0.85 for edit in drawn("ambient_light", scene, 60)]
    dims = [edit(wall, 1.0).mean() < 0.5 for edit in drawn("ambient_light", scene, 60)]
    assert 15 < sum(shines) < 50
    assert sum(dims) > 50


@pytest.mark.parametrize("side", [8, 65])
def test_local_light_is_smooth_and_gentle(side):
    for seed in range(20):
        shading = local_light(side, np.random.default_rng(seed))
        assert shading.shape == (side, side, 1)
        assert abs(np.log2(shading)).max() <= 1 / 3
        assert max(abs(np.diff(shading, axis=axis)).max() for axis in (0, 1)) < 3 / side


@pytest.mark.parametrize("mix", [FOREGROUND_MIX, PHOTO_MIX], ids=["foreground", "photo"])
def test_mixes_sum_to_1_and_name_known_augmentations(mix):
    assert sum(mix.values()) == pytest.approx(1)
    assert set(mix) <= set(AUGMENTATIONS)
    assert min(mix.values()) > 0


def test_every_augmentation_is_in_use():
    assert set(FOREGROUND_MIX) | set(PHOTO_MIX) == set(AUGMENTATIONS)


def test_augmentations_are_drawn_by_their_share(rng):
    found = [draw_augmentation({"develop": 0.75, "illuminant": 0.25}, rng) for _ in range(400)]
    assert set(found) == {augment.develop, augment.illuminant}
    assert 0.65 < found.count(augment.develop) / 400 < 0.85

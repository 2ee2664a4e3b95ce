import math

import numpy as np
import pytest

from samelight.color.spaces import rgb_to_lab
from samelight.lab.color import augment
from samelight.lab.color.augment import (
    AUGMENTATIONS,
    FOREGROUND_MIX,
    PHOTO_MIX,
    Scene,
    draw_augmentation,
    interpolate_lattice,
)
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
    reference = 0.1 + 0.5 * photo[inside] + 0.3 * other[inside]
    return Scene(photo, photo[inside], reference)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_strength_0_leaves_the_photo(name, scene):
    for seed in range(5):
        left = AUGMENTATIONS[name](scene, 0.0, np.random.default_rng(seed))
        np.testing.assert_allclose(left, scene.photo, atol=1e-5)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_gives_the_same_bytes_and_the_photo_is_not_touched(name, scene):
    before = scene.photo.copy()
    first, again = (AUGMENTATIONS[name](scene, 0.8, np.random.default_rng(7)) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert first.shape == scene.photo.shape
    assert np.isfinite(first).all()
    assert abs(first - scene.photo).mean() > 1e-3
    assert np.array_equal(scene.photo, before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_results_are_float32(name, scene):
    for seed in range(4):
        assert AUGMENTATIONS[name](scene, 0.5, np.random.default_rng(seed)).dtype == np.float32


@pytest.mark.parametrize("name", ["reinhard", "histogram", "smooth_lut"])
def test_half_the_strength_goes_less_far(name, scene):
    half, full = (AUGMENTATIONS[name](scene, s, np.random.default_rng(2)) for s in (0.5, 1.0))
    assert 0 < abs(half - scene.photo).mean() < abs(full - scene.photo).mean()


class Scripted:
    """Stands in for a generator: draws what a test wants drawn."""

    def __init__(self, *, switches=(), uniform=(), normal=(), integers=0):
        self.switches = np.asarray(switches, dtype=float)
        self.uniforms, self.normals = list(uniform), list(normal)
        self.integer = integers

    def random(self, size=None):
        return self.switches if size else float(self.switches[0])

    def integers(self, *_):
        return self.integer

    def uniform(self, *_):
        return self.uniforms.pop(0)

    def normal(self, *_):
        return np.asarray(self.normals.pop(0))


def linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def encoded(value):
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def one_colour(*colour):
    photo = np.array([[colour]], np.float32)
    return Scene(photo, photo[0], photo[0])


def test_exposure_multiplies_linear_light():
    rng = Scripted(switches=[0, 1, 1, 1, 1], uniform=[0.6], normal=[[0.0, 0.0]])
    found = augment.retouch(one_colour(0.2, 0.5, 0.03), 0.5, rng)
    gain = math.exp(0.5 * 0.6)
    wanted = [encoded(gain * linear(value)) for value in (0.2, 0.5, 0.03)]
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)


def test_white_balance_moves_red_against_blue_in_linear_light():
    rng = Scripted(switches=[1, 0, 1, 1, 1], normal=[[0.3, -0.1]], integers=1)
    rng.uniforms = [0.9]  # drawn for exposure only when that is switched on
    found = augment.retouch(one_colour(0.5, 0.5, 0.5), 1.0, rng)
    wanted = [encoded(math.exp(g) * linear(0.5)) for g in (0.3, -0.1, -0.3)]
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)


def test_saturation_keeps_the_luma():
    rng = Scripted(switches=[1, 1, 1, 1, 0], uniform=[math.log(0.5)], integers=4)
    found = augment.retouch(one_colour(0.8, 0.4, 0.2), 1.0, rng)
    gray = 0.2126 * 0.8 + 0.7152 * 0.4 + 0.0722 * 0.2
    wanted = [gray + 0.5 * (value - gray) for value in (0.8, 0.4, 0.2)]
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-6)


@pytest.mark.parametrize(("draw", "encode"), [(0.0, rgb_to_lab), (0.9, np.asarray)])
def test_reinhard_in_full_reaches_the_references_mean_and_deviation(scene, draw, encode):
    moved = augment.reinhard(scene, 1.0, Scripted(switches=[draw]))
    here, there = encode(moved[disc() > 0]), encode(scene.reference)
    unit = 100 if encode is rgb_to_lab else 1
    gain = there.std(0) / encode(scene.region).std(0)
    assert ((gain > 0.4) & (gain < 2.5)).all(), "the scene must not meet the gain's bounds"
    np.testing.assert_allclose(here.mean(0), there.mean(0), atol=2e-3 * unit)
    np.testing.assert_allclose(here.std(0), there.std(0), atol=5e-3 * unit)


def test_reinhards_gain_is_bounded(scene):
    flat = Scene(scene.photo, scene.region, scene.region.mean(0) + np.zeros((50, 3), np.float32))
    moved = augment.reinhard(flat, 1.0, Scripted(switches=[0.9]))
    np.testing.assert_allclose(moved[disc() > 0].std(0), 0.4 * scene.region.std(0), rtol=1e-3)


def test_histogram_in_full_reaches_the_references_quantiles(scene):
    moved = augment.histogram(scene, 1.0, np.random.default_rng(0))
    levels = np.linspace(0.05, 0.95, 19)
    found = np.quantile(moved[disc() > 0], levels, axis=0)
    np.testing.assert_allclose(found, np.quantile(scene.reference, levels, axis=0), atol=0.02)


def test_histogram_copes_with_a_flat_foreground(scene):
    flat = Scene(scene.photo, np.full((40, 3), 0.5, np.float32), scene.reference)
    moved = augment.histogram(flat, 1.0, np.random.default_rng(0))
    assert np.isfinite(moved).all()
    assert moved.min() >= scene.reference.min() - 1e-6
    assert moved.max() <= scene.reference.max() + 1e-6


def test_tone_curves_are_monotone_and_stay_in_range():
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None, :, None], 3, axis=2)
    spreads = []
    for seed in range(30):
        moved = augment.tone_curves(Scene(ramp, ramp[0], ramp[0]), 1.0, np.random.default_rng(seed))
        assert (np.diff(moved, axis=1) >= -1e-6).all()
        assert moved.min() >= -1e-6
        assert moved.max() <= 1 + 1e-6
        spreads.append(abs(moved - ramp).max())
    assert min(spreads) > 0.01


def test_an_identity_lattice_returns_the_colours(rng):
    axis = np.linspace(0, 1, 5, dtype=np.float32)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    colours = rng.random((6, 7, 3), dtype=np.float32)
    colours[0, 0], colours[0, 1] = 0, 1
    np.testing.assert_allclose(interpolate_lattice(lattice, colours), colours, atol=1e-6)


def literal_lookup(lattice, colour):
    """Every lattice point, weighted by how near it is along each axis."""
    size = len(lattice)
    place = np.clip(colour, 0, 1) * (size - 1)
    total = np.zeros(3)
    for node in np.ndindex(size, size, size):
        weight = np.prod([max(0.0, 1 - abs(place[k] - node[k])) for k in range(3)])
        total += weight * lattice[node]
    return total


def test_a_lattice_is_interpolated_as_by_a_literal_loop(rng):
    lattice = rng.normal(0, 1, (4, 4, 4, 3)).astype(np.float32)
    colours = rng.uniform(-0.1, 1.1, (5, 4, 3)).astype(np.float32)
    found = interpolate_lattice(lattice, colours)
    assert found.dtype == np.float32
    for row, column in np.ndindex(5, 4):
        wanted = literal_lookup(lattice, colours[row, column])
        np.testing.assert_allclose(found[row, column], wanted, atol=1e-5)


def test_an_illuminant_that_clips_too_much_gives_way_to_a_retouch(scene, monkeypatch):
    class Blinding:
        def draw(self, rng):
            return rng.random(), 0

        def change(self, rgb, here, there):
            return np.ones_like(rgb)

    monkeypatch.setattr(augment, "shipped_illuminants", Blinding)
    rng, other = np.random.default_rng(5), np.random.default_rng(5)
    found = augment.illuminant(scene, 0.7, rng)
    other.random(4)  # four tries
    assert np.array_equal(found, augment.retouch(scene, 0.7, other))


def test_an_illuminant_changes_photo_and_foreground_alike(scene, monkeypatch):
    class Dimmer:
        def draw(self, rng):
            return rng.uniform(0.5, 0.9), 0

        def change(self, rgb, here, there):
            return rgb * np.float32(here)

    monkeypatch.setattr(augment, "shipped_illuminants", Dimmer)
    found = augment.illuminant(scene, 1.0, np.random.default_rng(5))
    gain = np.random.default_rng(5).uniform(0.5, 0.9)
    np.testing.assert_allclose(found, scene.photo * gain, rtol=1e-5)


def test_night_falls_by_stops_of_linear_light():
    rng = Scripted(switches=[0.9], uniform=[2.0, 0.3])  # nothing shines
    found = augment.nightfall(one_colour(0.9, 0.5, 0.2), 0.5, rng)
    gains = (math.exp(0.15) / 2, 1 / 2, math.exp(-0.15) / 2)
    wanted = [encoded(g * linear(value)) for g, value in zip(gains, (0.9, 0.5, 0.2), strict=True)]
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)


@pytest.mark.parametrize(("value", "stays"), [(1.0, True), (0.5, False)])
def test_at_night_lamps_shine_on(value, stays):
    rng = Scripted(switches=[0.1], uniform=[3.0, 0.0])
    found = augment.nightfall(one_colour(value, value, value), 1.0, rng)
    wanted = value if stays else encoded(linear(value) / 8)
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)


@pytest.mark.parametrize("mix", [FOREGROUND_MIX, PHOTO_MIX], ids=["recolour", "relight"])
def test_mixes_sum_to_1_and_name_known_augmentations(mix):
    assert sum(mix.values()) == pytest.approx(1)
    assert set(mix) <= set(AUGMENTATIONS)
    assert min(mix.values()) > 0


def test_every_augmentation_is_in_use():
    assert set(FOREGROUND_MIX) | set(PHOTO_MIX) == set(AUGMENTATIONS)


def test_augmentations_are_drawn_by_their_share(rng):
    drawn = [draw_augmentation({"retouch": 0.75, "histogram": 0.25}, rng) for _ in range(400)]
    assert set(drawn) == {augment.retouch, augment.histogram}
    assert 0.65 < drawn.count(augment.retouch) / 400 < 0.85

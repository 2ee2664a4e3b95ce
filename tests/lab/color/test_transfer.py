import numpy as np
import pytest
from skimage.exposure import match_histograms

from samelight.color.spaces import rgb_to_lab, srgb_to_linear
from samelight.lab.color.transfer import (
    covariance,
    distribution,
    gray_world,
    histogram,
    mean_and_deviation,
    mean_shift,
    regrain,
)


@pytest.fixture
def colours(rng):
    mix = np.array([[0.1, 0.03, 0.0], [0.02, 0.05, 0.02], [0.0, 0.01, 0.08]])
    here = 0.4 + rng.normal(0, 1, (3000, 3)) @ mix
    there = np.array([0.55, 0.5, 0.4]) + rng.normal(0, 1, (2500, 3)) @ mix.T * 0.7
    return here.astype(np.float32).clip(0, 1), there.astype(np.float32).clip(0, 1)


def test_mean_shift_moves_labs_mean_alone(colours):
    here, there = colours
    moved = rgb_to_lab(mean_shift(here, there)(here))
    np.testing.assert_allclose(moved.mean(0), rgb_to_lab(there).mean(0), atol=0.02)
    np.testing.assert_allclose(moved.std(0), rgb_to_lab(here).std(0), atol=0.02)


def test_reinhard_on_two_colours_by_hand():
    # In Lab two colours have their middle and half their distance: those of the target come out.
    here = np.array([[0.2, 0.3, 0.4], [0.4, 0.5, 0.7]], np.float32)
    there = np.array([[0.5, 0.4, 0.3], [0.6, 0.6, 0.5]], np.float32)
    moved = rgb_to_lab(mean_and_deviation(1.0)(here, there)(here))
    lab_here, lab_there = rgb_to_lab(here), rgb_to_lab(there)
    half = abs(lab_there[1] - lab_there[0]) / 2 * np.sign(lab_here[1] - lab_here[0])
    np.testing.assert_allclose(moved[1], lab_there.mean(0) + half, atol=0.02)
    np.testing.assert_allclose(moved[0], lab_there.mean(0) - half, atol=0.02)


def test_the_covariance_map_reaches_mean_and_covariance(colours):
    here, there = colours
    moved = covariance(here, there)(here)
    np.testing.assert_allclose(moved.mean(0), there.mean(0), atol=1e-4)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(there.T), atol=1e-5)


def test_the_covariance_map_of_a_stretch_is_the_stretch(rng):
    here = rng.uniform(0, 1, (4000, 3)).astype(np.float32)
    stretch = np.array([0.5, 0.8, 1.2], np.float32)
    probe = np.eye(3, dtype=np.float32)
    there = here * stretch + np.float32(0.1)
    np.testing.assert_allclose(covariance(here, there)(probe), probe * stretch + 0.1, atol=0.02)


def test_histograms_are_matched_as_scikit_image_does(rng):
    here, there = (rng.integers(low, high, (900, 3)) for low, high in ((20, 120), (60, 250)))
    as_floats = [(values / 255).astype(np.float32) for values in (here, there)]
    moved = histogram(*as_floats)(as_floats[0]) * 255
    pictures = (values[:, None].astype(float) for values in (here, there))
    wanted = match_histograms(*pictures, channel_axis=-1)[:, 0]
    np.testing.assert_allclose(moved, wanted, atol=0.01)


def test_the_distribution_is_reached_along_every_direction(colours, rng):
    here, there = colours
    moved = distribution(here, there)(here)
    levels = np.linspace(0.02, 0.98, 9)
    for _ in range(6):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        found, wanted = (np.quantile(c @ direction, levels) for c in (moved, there))
        np.testing.assert_allclose(found, wanted, atol=0.012)
    # Which is more than mean and covariance: a skewed target comes out skewed.
    skewed = (there**3).astype(np.float32)
    assert abs(np.median(distribution(here, skewed)(here)) - np.median(skewed)) < 0.01


def test_gray_world_brings_white_balance_and_exposure(rng):
    here = rng.uniform(0.2, 0.6, (500, 3)).astype(np.float32)
    there = np.array([[0.8, 0.6, 0.4]], np.float32)
    moved = srgb_to_linear(gray_world(here, there)(here))
    np.testing.assert_allclose(moved.mean(0), srgb_to_linear(there)[0], rtol=2e-3)


def test_regraining_keeps_what_is_local_and_drops_amplified_noise(rng):
    smooth = np.linspace(0.2, 0.6, 64, dtype=np.float32)[None, :, None] * np.ones((64, 1, 3))
    grain = 0.01 * rng.standard_normal((64, 64, 3))
    before = (smooth + grain).astype(np.float32)
    after = (smooth + 0.2 + 6 * grain).astype(np.float32)
    kept = regrain(before, lambda few: after, radius=6)
    assert (kept - smooth).std() < 0.6 * (after - smooth).std()
    np.testing.assert_allclose((kept - before).mean(), 0.2, atol=0.005)
    for step in (1, 2, 3):  # 64 is no multiple of 3
        same = regrain(before, lambda few: few, radius=6, step=step)
        np.testing.assert_allclose(same, before, atol=1e-5)

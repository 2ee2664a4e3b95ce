from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from samelight.color.polynomial import TERMS_11, polynomial_terms
from samelight.lab.color.illuminant import (
    STANDARD_PATCHES,
    Illuminants,
    apply_polynomial,
    fit_polynomial,
    shipped_illuminants,
)

CCHARMONY = Path(__file__).parents[2] / "data" / "ccharmony"
NAME = "8D5U5531"


@pytest.fixture(scope="module")
def patches():
    return np.loadtxt(CCHARMONY / f"{NAME}.csv", delimiter=",")


@pytest.mark.parametrize(("file", "reverse"), [(f"{NAME}.npy", 0), (f"{NAME}_reverse.npy", 1)])
def test_the_fit_reproduces_the_published_matrices(patches, file, reverse):
    source, target = (STANDARD_PATCHES, patches) if reverse else (patches, STANDARD_PATCHES)
    published = np.load(CCHARMONY / file)
    terms = polynomial_terms(source, TERMS_11)
    found = terms @ fit_polynomial(source, target).T
    assert abs(found - terms @ published.T).max() <= 1e-6


def test_a_matrix_is_applied_on_values_of_0_to_255(patches):
    published = np.load(CCHARMONY / f"{NAME}.npy")
    wanted = np.empty((24, 3))
    for row, colour in enumerate(patches):
        for channel in range(3):
            terms = polynomial_terms(colour, TERMS_11)
            wanted[row, channel] = sum(published[channel, k] * terms[k] for k in range(11)) / 255
    found = apply_polynomial(published, (patches / 255).astype(np.float32).reshape(4, 6, 3))
    assert found.shape == (4, 6, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.reshape(24, 3), wanted.clip(0, 1), atol=1e-4)


def test_what_leaves_the_range_is_clipped():
    gain = np.zeros((3, 11))
    gain[:, :3] = np.diag([3.0, 1.0, -1.0])
    moved = apply_polynomial(gain, np.full((1, 3), 0.5, np.float32))
    np.testing.assert_allclose(moved, [[1, 0.5, 0]], atol=1e-6)


def test_patches_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"\(20, 3\).*wanted \(24, 3\)"):
        fit_polynomial(STANDARD_PATCHES[:20], STANDARD_PATCHES)


def test_the_shipped_patches_are_ccharmonys(patches):
    file = resources.files("samelight.lab.color") / "ccharmony_patches.npy"
    shipped = np.load(str(file))
    assert shipped.shape == (250, 24, 3)
    assert np.abs(shipped - patches).max(axis=(1, 2)).min() < 1e-4


def test_a_change_takes_one_lights_patches_near_anothers():
    bank = Illuminants(np.stack([STANDARD_PATCHES, STANDARD_PATCHES * [0.9, 0.8, 0.6]]))
    charts = np.stack([STANDARD_PATCHES, STANDARD_PATCHES * [0.9, 0.8, 0.6]]) / 255
    rng = np.random.default_rng(0)
    for _ in range(4):
        here, there = bank.draw(rng)
        assert {here, there} == {0, 1}
        moved = bank.change(charts[here].astype(np.float32), here, there)
        np.testing.assert_allclose(moved, charts[there], atol=2e-3)


def test_shipped_lights_differ_and_are_loaded_once():
    bank = shipped_illuminants()
    assert bank is shipped_illuminants()
    gray = np.full((1, 3), 0.5, np.float32)
    draws = [bank.draw(np.random.default_rng(seed)) for seed in range(8)]
    moved = [bank.change(gray, *lights) for lights in draws]
    assert np.ptp(moved, axis=0).max() > 0.05
    assert draws[0] == bank.draw(np.random.default_rng(0))


def test_no_shipped_light_turns_grays_around():
    """Lighter grays stay lighter, up to what the chart's white becomes."""
    bank = shipped_illuminants()
    grays = np.linspace(0, STANDARD_PATCHES[0] / 255, 33).astype(np.float32)
    for matrix in bank.from_standard:
        rising = np.diff(apply_polynomial(matrix, grays), axis=0)
        assert (rising >= 0).all()
        assert (rising > 0).mean() > 0.5

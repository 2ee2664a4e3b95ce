"""Each dialect on a case small enough to work out by hand."""

import math

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from samelight.errors import UsageError
from samelight.lab.data.triples import Triple
from samelight.lab.evaluation.metrics import ssim_map
from samelight.lab.evaluation.protocols import (
    PROTOCOLS,
    Case,
    Scorer,
    entry_input,
    find_protocol,
    prepare,
)

NAMES = ["samelight", "dovenet", "idih", "pctnet", "harmonizer"]


def four_pixels():
    """Real 100; composite +10 in pixel 0 (foreground) and +2 in pixel 3 (background).

    The output is off by 6 in pixel 0, by 4 in pixel 1 (mask one half), by 8 in pixel 2
    (background, which it spoilt); every channel alike.
    """
    real = np.full((2, 2, 3), 100, np.uint8)
    composite, output = real.copy(), real.copy()
    composite[0, 0], composite[1, 1] = 110, 102
    output[0, 0], output[0, 1], output[1, 0], output[1, 1] = 106, 104, 108, 102
    mask = np.array([[1, 0.5], [0, 0]], np.float32)
    return composite, mask, real, output


def scored(name):
    composite, mask, real, output = four_pixels()
    if PROTOCOLS[name].mask == "binary":
        mask = (mask > 0.5).astype(np.float32)
    return Scorer(Case(composite, mask, real), PROTOCOLS[name])(output)


def db(mse, peak=255.0):
    return 10 * math.log10(peak**2 / mse)


# Squared errors per pixel: 36 in the foreground, 16 under mask 1/2, 64 or restored 0, 4.
WORKED = {
    # Background restored; 36 + 16 + 0 + 4; foreground (36 + 16 / 2) / 1.5.
    "samelight": (56 / 4, 44 / 1.5, db(56 / 4)),
    # Binary mask, blended: pixel 1 is the composite's; whole image over one pixel's area.
    "dovenet": (40 / 4, 40 / 1, db(40 / 4)),
    # Nothing restored: 36 + 16 + 64 + 4; the peak is the real image's 100.
    "idih": (120 / 4, 44 / 1.5, db(120 / 4, 100)),
    # Errors times the mask: 36 + 8.
    "pctnet": (44 / 4, 44 / 1.5, db(44 / 4)),
    # Binary and blended; the output runs from 100 to 106.
    "harmonizer": (40 / 4, 36 / 1, db(40 / 4, 6)),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_case(name):
    mse, fmse, psnr = WORKED[name]
    figures = scored(name)
    assert figures.mse_255 == pytest.approx(mse, abs=1e-6)
    assert figures.fmse_255 == pytest.approx(fmse, abs=1e-4)
    assert figures.psnr_db == pytest.approx(psnr, abs=1e-6)


def test_each_dialect_differs_from_ours_as_worked_out():
    ours = scored("samelight")
    differences = {name: scored(name).psnr_db - ours.psnr_db for name in NAMES[1:]}
    assert differences["dovenet"] == pytest.approx(10 * math.log10(56 / 40), abs=1e-6)
    assert differences["idih"] == pytest.approx(
        10 * math.log10(56 / 120) - 20 * math.log10(255 / 100), abs=1e-6
    )
    assert differences["pctnet"] == pytest.approx(10 * math.log10(56 / 44), abs=1e-6)
    assert differences["harmonizer"] == pytest.approx(
        10 * math.log10(56 / 40) - 20 * math.log10(255 / 6), abs=1e-6
    )


def test_masked_images_square_a_soft_masks_weight():
    composite, mask, real, output = four_pixels()
    masked = Scorer(Case(composite, mask, real), PROTOCOLS["harmonizer"])(output)
    # Blended pixel 1: half of 4 is off, then weighted by one half once more.
    assert masked.fmse_255 == pytest.approx((36 + (0.5 * 2) ** 2) / 1.5)


def triple(rng, height=40, width=60):
    real, composite = (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    mask = np.zeros((height, width), np.float32)
    mask[10:30, 20:45] = 1
    mask[10:30, 45:48] = 0.4
    return Triple(composite, mask, real)


@pytest.mark.parametrize("name", ["samelight", "pctnet", "harmonizer"])
def test_full_size_protocols_leave_sizes(name, rng):
    case = prepare(triple(rng), PROTOCOLS[name])
    assert case.composite.shape == (40, 60, 3)


def test_dovenet_resizes_as_pillow_and_takes_the_real_background(rng):
    given = triple(rng)
    case = prepare(given, PROTOCOLS["dovenet"])
    real = np.asarray(Image.fromarray(given.real).resize((256, 256), Image.Resampling.BILINEAR))
    assert np.array_equal(case.real, real)
    assert set(np.unique(case.mask)) == {0, 1}
    assert np.array_equal(case.composite[case.mask == 0], real[case.mask == 0])
    assert not np.array_equal(case.composite[case.mask == 1], real[case.mask == 1])


def test_idih_resizes_between_the_four_nearest_pixels():
    real = np.zeros((512, 512, 3), np.uint8)
    real[:, 1::4] = 200
    mask = np.zeros((512, 512), np.float32)
    mask[:, ::4] = 1
    case = prepare(Triple(real, mask, real), PROTOCOLS["idih"])
    # Half-way between columns 2k and 2k+1, without a wider filter.
    assert np.array_equal(case.real[:, 0::2], np.full((256, 128, 3), 100))
    assert np.array_equal(case.real[:, 1::2], np.zeros((256, 128, 3)))
    assert np.array_equal(case.mask[0, :4], [0.5, 0, 0.5, 0])


@pytest.mark.parametrize("name", NAMES)
def test_entries_get_whole_levels_or_floats(name, rng):
    protocol = PROTOCOLS[name]
    case = prepare(triple(rng), protocol)
    given = entry_input(case, protocol)
    assert given.dtype == (np.uint8 if protocol.rounded else np.float32)
    assert protocol.rounded == (name in ("samelight", "dovenet"))
    back = given if protocol.rounded else given * 255
    np.testing.assert_allclose(back, case.composite, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_box_is_a_short_cut_only(name, rng):
    protocol = PROTOCOLS[name]
    case = prepare(triple(rng), protocol)
    scorer = Scorer(case, protocol)
    scorer(case.composite)
    output = case.composite.copy()
    output[case.mask > 0] //= 2
    figures = scorer(output)
    values = output.astype(np.float64)
    below, soft = case.composite.astype(np.float64), case.mask[..., None].astype(np.float64)
    if protocol.background == "blended":
        values = below + soft * (values - below)
    if protocol.background == "not counted":
        values = case.real + soft * (values - case.real)
    wanted = structural_similarity(values, case.real.astype(float), channel_axis=-1, data_range=255)
    assert figures.ssim == pytest.approx(wanted, abs=1e-5)
    similarity = ssim_map(values, case.real)
    weighted = (similarity * case.mask).sum() / case.mask.sum()
    assert figures.fssim == pytest.approx(weighted, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_mask_gives_no_foreground_error(name, rng):
    given = triple(rng)._replace(mask=np.zeros((40, 60), np.float32))
    case = prepare(given, PROTOCOLS[name])
    figures = Scorer(case, PROTOCOLS[name])(case.composite)
    assert figures.fmse_255 == 0
    assert figures.fssim == 1
    assert np.isfinite(figures.mse_255)


def test_unknown_names_are_answered_with_the_known():
    with pytest.raises(UsageError, match="no protocol 'mine': choose one of samelight, dovenet"):
        find_protocol("mine")
    assert list(PROTOCOLS) == NAMES

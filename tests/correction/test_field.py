import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samelight.correction.field import Correction
from samelight.errors import CorrectionError, UsageError

AFFINE = np.array(
    [[0.8, 0.1, 0.0, 0.05], [0.05, 0.7, 0.1, 0.1], [0.0, 0.05, 0.6, 0.2]], dtype=np.float32
)


def apply_affine(rgb, affine):
    return (rgb @ affine[:, :3].T + affine[:, 3]).astype(np.float32)


def test_identity_changes_nothing():
    grid = Correction.identity((2, 3)).grid
    assert grid.shape == (2, 3, 3, 4)
    np.testing.assert_array_equal(grid[1, 2], np.eye(3, 4))


def test_fit_of_a_global_affine_agrees_with_least_squares(rng):
    source = rng.random((96, 96, 3), dtype=np.float32)
    noise = rng.normal(0, 0.01, source.shape).astype(np.float32)
    target = apply_affine(source, AFFINE) + noise
    mask = np.zeros((96, 96), dtype=np.float32)
    mask[20:80, 10:90] = 1
    inside = mask > 0
    design = np.c_[source[inside], np.ones(inside.sum())]
    reference = np.linalg.lstsq(design, target[inside], rcond=None)[0].T

    grid = Correction.fit(source, target, mask, shape=(1, 1)).grid
    np.testing.assert_allclose(grid[0, 0], reference, atol=2e-3)


def test_every_cell_of_a_global_change_finds_it_even_far_from_the_mask(rng):
    source = rng.random((128, 128, 3), dtype=np.float32)
    mask = np.zeros((128, 128), dtype=np.float32)
    mask[40:80, 40:80] = 1
    grid = Correction.fit(source, apply_affine(source, AFFINE), mask).grid
    np.testing.assert_allclose(grid, np.broadcast_to(AFFINE, grid.shape), atol=0.01)


def test_fit_follows_a_change_that_varies_over_the_picture(rng):
    source = rng.random((128, 128, 3), dtype=np.float32)
    gain = np.linspace(0.5, 1.0, 128, dtype=np.float32)[None, :, None]
    grid = Correction.fit(
        source, source * gain, np.ones((128, 128), np.float32), shape=(32, 32)
    ).grid
    centres = 0.5 + 0.5 * (np.arange(32) + 0.5) / 32
    # The windows of the outermost cells reach over the border on one side only.
    np.testing.assert_allclose(grid[16, 2:-2, 1, 1], centres[2:-2], atol=0.01)


def test_pixels_outside_the_mask_do_not_count(rng):
    source = rng.random((64, 64, 3), dtype=np.float32)
    target = apply_affine(source, AFFINE)
    mask = np.zeros((64, 64), dtype=np.float32)
    mask[:, :32] = 1
    fitted = Correction.fit(source, target, mask)
    target[:, 32:] = rng.random((64, 32, 3))
    np.testing.assert_array_equal(Correction.fit(source, target, mask).grid, fitted.grid)


def test_empty_mask_is_identity(rng):
    source = rng.random((16, 16, 3), dtype=np.float32)
    fitted = Correction.fit(source, source * 0.5, np.zeros((16, 16), np.float32), shape=(4, 4))
    np.testing.assert_array_equal(fitted.grid, Correction.identity((4, 4)).grid)


def test_nothing_to_change_is_nearly_identity(rng):
    source = rng.random((64, 64, 3), dtype=np.float32)
    fitted = Correction.fit(source, source, np.ones((64, 64), np.float32))
    np.testing.assert_allclose(fitted.grid, Correction.identity((64, 64)).grid, atol=1e-6)


@settings(max_examples=30)
@given(
    colour=st.floats(0, 1, width=32),
    texture=st.sampled_from([0.0, 1e-6, 1.0]),
    coverage=st.sampled_from([1e-30, 1e-6, 0.01, 1.0]),
    height=st.integers(1, 40),
    shape=st.tuples(st.integers(1, 8), st.integers(1, 40)),
)
def test_fit_is_always_finite(colour, texture, coverage, height, shape):
    rng = np.random.default_rng(1)
    source = np.clip(colour + texture * rng.normal(size=(height, 9, 3)), 0, 1).astype(np.float32)
    target = rng.random(source.shape, dtype=np.float32)
    mask = np.zeros(source.shape[:2], dtype=np.float32)
    mask[height // 2, 3] = coverage
    assert np.isfinite(Correction.fit(source, target, mask, shape=shape).grid).all()


def test_fit_refuses_sizes_that_differ():
    picture = np.zeros((8, 8, 3), np.float32)
    with pytest.raises(UsageError, match=r"\(8, 9\)"):
        Correction.fit(picture, picture, np.zeros((8, 9), np.float32))


def test_strength_is_linear_from_identity(rng):
    full = Correction(rng.random((2, 2, 3, 4), dtype=np.float32))
    identity = Correction.identity((2, 2)).grid
    np.testing.assert_array_equal(full.with_strength(0).grid, identity)
    np.testing.assert_allclose(full.with_strength(1).grid, full.grid, atol=1e-6)
    np.testing.assert_allclose(
        full.with_strength(1.5).grid, identity + 1.5 * (full.grid - identity), atol=1e-6
    )


@pytest.mark.parametrize("strength", [-0.1, 1.6, float("nan"), float("inf")])
def test_strength_outside_its_range_is_refused(strength):
    with pytest.raises(UsageError, match=r"from 0 to 1\.5"):
        Correction.identity().with_strength(strength)


@pytest.mark.parametrize(
    "grid",
    [
        np.zeros((2, 2, 3, 3), np.float32),
        np.zeros((0, 2, 3, 4), np.float32),
        np.zeros((2, 2, 3, 4)),
        np.full((2, 2, 3, 4), np.nan, np.float32),
    ],
)
def test_a_grid_that_is_none_is_refused(grid):
    with pytest.raises(UsageError):
        Correction(grid)


def test_save_and_load(tmp_path, rng):
    saved = Correction(rng.random((3, 5, 3, 4), dtype=np.float32))
    saved.save(tmp_path / "light.npz")
    np.testing.assert_array_equal(Correction.load(tmp_path / "light.npz").grid, saved.grid)


def test_loading_something_else_says_so(tmp_path):
    (tmp_path / "text.npz").write_text("no correction")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", version=np.array(1))
    np.save(tmp_path / "array.npy", np.zeros(3))
    names = ("text.npz", "empty.npz", "other.npz", "array.npy", "missing.npz")
    for name in names:
        with pytest.raises(CorrectionError, match="is not a correction"):
            Correction.load(tmp_path / name)


def test_loading_another_version_or_a_damaged_grid_says_so(tmp_path):
    np.savez(tmp_path / "new.npz", version=np.array(99), grid=Correction.identity().grid)
    with pytest.raises(CorrectionError, match="version 99"):
        Correction.load(tmp_path / "new.npz")
    np.savez(tmp_path / "bad.npz", version=np.array(1), grid=np.zeros((2, 2), np.float32))
    with pytest.raises(CorrectionError, match="damaged"):
        Correction.load(tmp_path / "bad.npz")


def test_damage_inside_the_archive_says_so(tmp_path):
    path = tmp_path / "light.npz"
    Correction(np.zeros((4, 4, 3, 4), np.float32)).save(path)
    whole = path.read_bytes()
    central = whole.index(b"PK\x01\x02")
    unknown_method = bytearray(whole)
    unknown_method[8] = unknown_method[central + 10] = 99
    member = whole.index(b"PK\x03\x04", 4)
    broken_stream = bytearray(whole)
    name_bytes, extra_bytes = whole[member + 26], whole[member + 28]
    start = member + 30 + name_bytes + extra_bytes
    broken_stream[start : start + 4] = b"\xff" * 4
    for damaged in (unknown_method, broken_stream):
        path.write_bytes(damaged)
        with pytest.raises(CorrectionError, match="is not a correction"):
            Correction.load(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_unopened(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", version=1, grid=np.zeros(20 << 20, np.float32))
    with pytest.raises(CorrectionError, match="holds 80 MiB, more than any correction"):
        Correction.load(tmp_path / "bomb.npz")


def foreground(kind):
    mask = np.zeros((128, 128), np.float32)
    if kind == "tiny":
        mask[60:63, 60:63] = 1
    elif kind == "thin":
        mask[:, 64] = 1
    elif kind == "disconnected":
        mask[10:20, 10:20] = mask[100:120, 90:120] = 1
    else:
        mask[30:90, 30:90] = 1
    return mask


@pytest.mark.parametrize("kind", ["tiny", "thin", "disconnected", "block"])
@pytest.mark.parametrize("colours", ["any", "saturated", "one"])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_fit_and_render_come_back_to_the_target(rng, kind, colours, noise):
    mask = foreground(kind)
    source = rng.random((128, 128, 3), dtype=np.float32)
    if colours == "saturated":
        source = np.rint(source)
    elif colours == "one":
        source[:] = (0.9, 0.1, 0.2)
    clean = source + mask[..., None] * (apply_affine(source, AFFINE) - source)
    noisy = clean + noise * mask[..., None] * rng.normal(size=source.shape)
    fitted = Correction.fit(source, noisy.astype(np.float32), mask)
    assert np.isfinite(fitted.grid).all()
    # Noise in the target is averaged out, not copied; nine pixels average little.
    least_db = 45 if noise == 0 else 32 if kind in ("tiny", "thin") else 36
    assert fitted.fit_error(source, clean.astype(np.float32), mask).psnr_db > least_db


def test_a_soft_mask_is_fitted_as_it_is_rendered(rng):
    source = rng.random((64, 64, 3), dtype=np.float32)
    mask = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    target = source + mask[..., None] * (apply_affine(source, AFFINE) - source)
    assert Correction.fit(source, target, mask).fit_error(source, target, mask).psnr_db > 45


def test_the_error_of_a_fit_is_that_of_its_rendering(rng):
    source = np.full((8, 8, 3), 0.5, np.float32)
    mask = np.ones((8, 8), np.float32)
    error = Correction.identity().fit_error(source, source + np.float32(0.1), mask)
    assert error.psnr_db == pytest.approx(20, abs=1e-3)
    assert error.largest == pytest.approx(0.1, abs=1e-6)
    assert Correction.identity().fit_error(source, source, mask).psnr_db == np.inf
    assert Correction.identity().fit_error(source, source + 1, 0 * mask).largest == 0


def test_a_profile_is_saved_and_scaled_with_its_correction(tmp_path):
    Correction(Correction.identity().grid, icc=b"profile").save(tmp_path / "light.npz")
    loaded = Correction.load(tmp_path / "light.npz")
    assert loaded.with_strength(0.5).icc == b"profile"
    np.savez(tmp_path / "old.npz", version=np.array(1), grid=loaded.grid)
    assert Correction.load(tmp_path / "old.npz").icc is None

"""The compiled loops agree with what runs where they were not built."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.render import native
from samelight.render.apply import render
from samelight.render.resample import resample

ROOT = Path(__file__).parents[2]
built = pytest.mark.skipif(native.load_kernel() is None, reason="the kernel was not compiled")


def as_type(unit, dtype):
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    return (unit * white).astype(dtype)


@built
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("mask_dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("cells", [(1, 1), (3, 5), (64, 64)])
def test_both_renderers_agree(rng, without_kernel, dtype, mask_dtype, cells):
    pixels = as_type(rng.random((131, 517, 3)), dtype)
    mask = as_type(rng.random((131, 517)) * (rng.random((131, 517)) < 0.7), mask_dtype)
    grid = np.tile(np.eye(3, 4), (*cells, 1, 1)) + rng.normal(0, 0.2, (*cells, 3, 4))
    correction = Correction(grid.astype(np.float32))
    compiled = render(pixels, mask, correction)
    in_numpy = without_kernel(render, pixels, mask, correction)
    difference = abs(compiled.astype(np.float64) - in_numpy)
    # Sums in another order: now and then a half is rounded the other way.
    assert difference.max() <= (1e-6 if dtype == np.float32 else 1)
    assert (difference > 1e-6).mean() < 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(64, 64), (700, 500, 3), (97, 1931, 3), (801, 803)])
def test_shrinking_is_near_what_pillow_makes(rng, without_kernel, dtype, shape):
    coarse = rng.random((9, 11, *shape[2:]))
    unit = np.kron(coarse, np.ones((100, 200, *[1] * len(shape[2:]))))[: shape[0], : shape[1]]
    values = as_type(unit, dtype)
    small = resample(values, 32)
    np.testing.assert_allclose(without_kernel(resample, values, 32), small, atol=1.01 / 255)
    from PIL import Image

    plain = Image.fromarray((unit * 255).astype(np.uint8)).resize((32, 32), Image.BILINEAR)
    assert abs(small - np.asarray(plain) / 255).mean() < 0.01


def test_in_place_overwrites_and_gives_the_same(rng, without_kernel):
    pixels = rng.integers(0, 256, (200, 90, 3), dtype=np.uint8)
    mask = np.zeros((200, 90), np.uint8)
    mask[70:150, 20:60] = 200
    correction = Correction(Correction.identity((3, 3)).grid * np.float32(0.7))
    wanted = render(pixels, mask, correction)
    for run in (lambda f, *a, **k: f(*a, **k), without_kernel):
        given = pixels.copy()
        assert run(render, given, mask, correction, in_place=True) is given
        assert abs(given.astype(int) - wanted).max() <= 1


def test_the_kernel_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("SAMELIGHT_NO_KERNEL", "1")
    assert native.load_kernel() is None


def test_a_kernel_of_another_version_is_not_used(monkeypatch):
    monkeypatch.setattr(native, "_VERSION", -1)
    native._open.cache_clear()
    assert native.load_kernel() is None
    monkeypatch.undo()
    native._open.cache_clear()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(not (ROOT / "hatch_build.py").is_file(), reason="not a source tree")
def test_the_build_goes_on_without_a_compiler(tmp_path, monkeypatch):
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    source = tmp_path / "src" / "samelight" / "render"
    source.mkdir(parents=True)
    shutil.copy(Path(native.__file__).with_name("kernel.c"), source)
    for compiler, code in (("cc", 0), ("false", 1), ("no-such-compiler", 1)):
        monkeypatch.setenv("CC", compiler)
        finished = subprocess.run([sys.executable, tmp_path / "hatch_build.py"])
        assert finished.returncode == code
        assert (source / native.kernel_file_name()).exists() == (code == 0)

import numpy as np
import pytest
from PIL import Image, ImageFilter

from samelight.color.lut import LATTICE, apply_lut, write_cube
from samelight.correction.convert import global_lut, lut_error
from samelight.correction.field import Correction
from samelight.render.apply import render

AFFINE = np.array([[0.8, 0.1, 0, 0.05], [0, 0.9, 0, 0], [0, 0.1, 0.7, 0.1]], np.float32)


def test_a_global_correction_becomes_its_own_table(rng):
    correction = Correction(AFFINE[None, None])
    source = rng.random((64, 64, 3), dtype=np.float32)
    mask = np.ones((64, 64), np.float32)
    table = global_lut(correction, source, mask)
    assert table.shape == (LATTICE,) * 3 + (3,)
    error = lut_error(correction, table, source, mask)
    assert error.psnr_db > 50


def test_a_local_correction_loses_and_says_how_much(rng):
    grid = Correction.identity((1, 2)).grid.copy()
    grid[0, 1] *= 0.5
    correction = Correction(grid)
    source = np.full((32, 64, 3), 0.5, np.float32) + rng.normal(0, 0.01, (32, 64, 3)).astype("f4")
    mask = np.ones((32, 64), np.float32)
    table = global_lut(correction, source, mask)
    wanted = render(source, mask, correction)
    by_hand = -10 * np.log10(np.mean((wanted - apply_lut(source, table)) ** 2))
    assert lut_error(correction, table, source, mask).psnr_db == pytest.approx(by_hand, abs=0.1)
    assert 15 < by_hand < 30


def test_identity_and_an_empty_mask_give_the_identity_table():
    source = np.zeros((8, 8, 3), np.float32)
    table = global_lut(Correction.identity(), source, np.zeros((8, 8), np.float32))
    np.testing.assert_allclose(table[4, 20, 32], np.array([4, 20, 32]) / 32, atol=1e-6)


def test_the_file_is_as_editors_read_it(tmp_path):
    axis = np.linspace(0, 1, LATTICE, dtype=np.float32)
    table = np.stack(np.meshgrid(axis, axis**2, axis, indexing="ij"), axis=-1)
    write_cube(tmp_path / "light.cube", table, 'an "evening"\n')
    lines = (tmp_path / "light.cube").read_text("ascii").splitlines()
    assert lines[0] == 'TITLE "an evening"'
    assert lines[1] == "LUT_3D_SIZE 33"
    assert lines[2:4] == ["DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    assert len(lines) == 4 + 33**3
    # Red runs fastest: the second row is the darkest red but one.
    assert lines[5] == "0.031250 0.000000 0.000000"


def test_pillow_makes_of_the_table_what_we_do(tmp_path, rng):
    correction = Correction(AFFINE[None, None])
    source = rng.random((40, 40, 3), dtype=np.float32)
    table = global_lut(correction, source, np.ones((40, 40), np.float32))
    write_cube(tmp_path / "light.cube", table, "light")
    rows = np.loadtxt(tmp_path / "light.cube", skiprows=4)
    pixels = (source * 255).astype(np.uint8)
    lut = ImageFilter.Color3DLUT(LATTICE, rows.ravel().tolist())
    by_pillow = np.asarray(Image.fromarray(pixels).filter(lut))
    ours = apply_lut((pixels / 255).astype(np.float32), table) * 255
    assert abs(by_pillow - ours).max() < 1.5

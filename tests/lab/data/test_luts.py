import numpy as np
import pytest

from samelight.errors import DatasetError
from samelight.lab.data.luts import SIZE, apply_lut, draw_lut, list_cubes, read_cube


def identity(size=SIZE):
    levels = np.linspace(0, 1, size, dtype=np.float32)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)


def test_a_table_is_indexed_red_green_blue(rng):
    image = rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert abs(apply_lut(identity(), image).astype(int) - image).max() <= 1
    swapped = apply_lut(np.ascontiguousarray(identity()[..., ::-1]), image)
    assert abs(swapped.astype(int) - image[..., ::-1]).max() <= 1
    redder = identity() * np.array([0.5, 1, 1], np.float32)
    assert abs(apply_lut(redder, image)[..., 0].astype(int) - image[..., 0] // 2).max() <= 1


def test_drawn_tables_are_smooth_differ_and_repeat():
    tables = [draw_lut(np.random.default_rng(seed)) for seed in range(6)]
    assert np.array_equal(tables[0], draw_lut(np.random.default_rng(0)))
    for table in tables:
        assert (table.min(), table.max()) >= (0, 0)
        assert table.max() <= 1
        assert abs(np.diff(table, axis=0)).max() < 0.35
    assert np.std([table.mean() for table in tables]) > 0.005


def test_cube_files_are_read(tmp_path):
    path = tmp_path / "look.cube"
    lines = ['TITLE "look"', "# made by hand", "LUT_3D_SIZE 2", "DOMAIN_MIN 0 0 0", ""]
    lines += [f"{r * 0.5} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    path.write_text("\n".join(lines))
    table = read_cube(path)
    np.testing.assert_allclose(table, identity(2) * [0.5, 1, 1])
    assert list_cubes(tmp_path) == [path]
    path.write_text("LUT_3D_SIZE 2\n0 0 0\n")
    with pytest.raises(DatasetError, match=r"look\.cube is no \.cube file"):
        read_cube(path)
    with pytest.raises(DatasetError, match=r"no \.cube files in"):
        list_cubes(tmp_path / "nowhere")

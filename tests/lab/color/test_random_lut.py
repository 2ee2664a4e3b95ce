import numpy as np
import pytest

from samelight.color.lut import identity_lut, write_cube
from samelight.errors import DatasetError
from samelight.lab.color.random_lut import LATTICE, random_lut, random_luts, read_luts


def test_random_tables_come_from_their_generator():
    one, again, other = (random_lut(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes()
    assert abs(one - other).mean() > 0.01


def test_random_tables_are_of_colours_and_smooth():
    for table in random_luts(20):
        assert table.shape == (LATTICE, LATTICE, LATTICE, 3)
        assert table.dtype == np.float32
        assert table.min() >= 0
        assert table.max() <= 1
        assert max(abs(np.diff(table, axis=axis)).max() for axis in range(3)) < 0.5
        grays = np.einsum("iiic->ic", table).mean(axis=1)
        assert grays[0] < grays[LATTICE // 2] < grays[-1]  # never a negative


def test_strength_is_how_far_from_the_identity():
    plain = identity_lut(LATTICE)
    distances = [
        np.mean([abs(random_lut(np.random.default_rng(n), s) - plain).mean() for n in range(5)])
        for s in (0.0, 0.3, 1.0)
    ]
    assert distances[0] < 1e-6
    assert 0.01 < distances[1] < distances[2]


def test_a_bank_depends_on_its_seed_and_holds_different_tables():
    one, again, other = random_luts(3), random_luts(3), random_luts(3, seed=1)
    assert [table.tobytes() for table in one] == [table.tobytes() for table in again]
    assert len({table.tobytes() for table in (*one, *other)}) == 6


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    (tmp_path / "pack").mkdir()
    for name, size in (("b", 2), ("pack/c", 3), ("a", 4)):
        write_cube(tmp_path / f"{name}.cube", identity_lut(size), name)
    (tmp_path / "licence.txt").write_text("free")
    # What macOS leaves beside a file on disks of other systems.
    (tmp_path / "._a.cube").write_bytes(b"\x00\x05\x16\x07")
    found = read_luts(tmp_path)
    assert {name: len(table) for name, table in found.items()} == {
        "a.cube": 4,
        "b.cube": 2,
        "pack/c.cube": 3,
    }
    assert list(found) == ["a.cube", "b.cube", "pack/c.cube"]


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"no \.cube files under"):
        read_luts(tmp_path)

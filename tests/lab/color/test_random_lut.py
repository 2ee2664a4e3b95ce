import numpy as np
import pytest

from samelight.errors import PhotoError
from samelight.lab.color.random_lut import (
    LATTICE,
    MAX_LATTICE,
    Lut,
    random_lut,
    random_luts,
    read_cube,
    read_luts,
)


def colours(count=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (1, count, 3), dtype=np.uint8)


def identity(size=5):
    axis = np.linspace(0, 1, size, dtype=np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return Lut(np.stack([red, green, blue], axis=-1))


def looked_up(values, colour):
    """Trilinear interpolation of one colour, corner by corner."""
    size = len(values)
    places = [level / 255 * (size - 1) for level in colour.tolist()]
    lows = [min(int(place), size - 2) for place in places]
    parts = [place - low for place, low in zip(places, lows, strict=True)]
    total = np.zeros(3)
    for corner in range(8):
        steps = [corner >> axis & 1 for axis in range(3)]
        weight = 1.0
        for step, part in zip(steps, parts, strict=True):
            weight *= part if step else 1 - part
        red, green, blue = (low + step for low, step in zip(lows, steps, strict=True))
        total += weight * values[blue, green, red]
    return total


def test_colours_are_interpolated_between_eight_neighbours():
    values = np.random.default_rng(0).random((5, 5, 5, 3), dtype=np.float32)
    picture = colours()
    found = Lut(values).apply(picture)
    assert found.dtype == np.uint8
    assert found.shape == picture.shape
    wanted = np.array([looked_up(values, colour) for colour in picture[0]]) * 255
    assert abs(found[0] - wanted).max() <= 1.5
    assert abs(found[0] - wanted).mean() < 0.5


def test_the_identity_leaves_colours_as_they_are():
    picture = colours(500)
    assert np.array_equal(identity(2).apply(picture), picture)
    for lut in (identity(), identity(17), random_lut(np.random.default_rng(3), strength=0.0)):
        assert abs(lut.apply(picture).astype(int) - picture).max() <= 1


def test_the_ends_of_the_range_are_met():
    picture = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], dtype=np.uint8)
    assert np.array_equal(identity().apply(picture), picture)


def test_random_tables_come_from_their_generator():
    one, again, other = (random_lut(np.random.default_rng(seed)).values for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes()
    assert abs(one - other).mean() > 0.01


def test_random_tables_are_of_colours_and_smooth():
    for lut in random_luts(20):
        assert lut.values.shape == (LATTICE, LATTICE, LATTICE, 3)
        assert lut.values.dtype == np.float32
        assert lut.values.min() >= 0
        assert lut.values.max() <= 1
        assert max(abs(np.diff(lut.values, axis=axis)).max() for axis in range(3)) < 0.5
        grays = np.einsum("iiic->ic", lut.values).mean(axis=1)
        assert grays[0] < grays[LATTICE // 2] < grays[-1]  # never a negative


def test_strength_is_how_far_from_the_identity():
    plain = identity(LATTICE).values
    distances = [
        np.mean(
            [abs(random_lut(np.random.default_rng(n), s).values - plain).mean() for n in range(5)]
        )
        for s in (0.0, 0.3, 1.0)
    ]
    assert distances[0] < 1e-6
    assert 0.01 < distances[1] < distances[2]


def test_a_bank_depends_on_its_seed_and_holds_different_tables():
    one, again, other = random_luts(3), random_luts(3), random_luts(3, seed=1)
    assert [lut.values.tobytes() for lut in one] == [lut.values.tobytes() for lut in again]
    assert len({lut.values.tobytes() for lut in (*one, *other)}) == 6


def write_cube(path, values, head=()):
    """In Adobe's words: red varies fastest."""
    size = len(values)
    lines = [*head, f"LUT_3D_SIZE {size}"]
    for blue in range(size):
        for green in range(size):
            for red in range(size):
                lines.append(" ".join(f"{value:.6f}" for value in values[blue, green, red]))
    path.write_text("\n".join(lines) + "\n")
    return path


def some_values(size=3):
    return np.random.default_rng(1).random((size, size, size, 3), dtype=np.float32)


def test_a_cube_file_is_read_with_its_comments_title_and_domain(tmp_path):
    domain = ["DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1.0 1.0 1.0  # all of it"]
    head = ["# made by hand", "", 'TITLE "Warm # 1"', *domain]
    path = write_cube(tmp_path / "warm.cube", some_values(), head)
    np.testing.assert_allclose(read_cube(path).values, some_values(), atol=1e-6)


def test_red_varies_fastest(tmp_path):
    rows = ["0 0 0"] * 8
    rows[1], rows[2], rows[4] = "0.2 0.4 0.6", "0 1 0", "1 1 1"  # what red, green, blue become
    (tmp_path / "a.cube").write_text("\n".join(["LUT_3D_SIZE 2", *rows]))
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    wanted = [[51, 102, 153], [0, 255, 0], [255, 255, 255]]
    assert read_cube(tmp_path / "a.cube").apply(picture)[0].tolist() == wanted


def test_a_mark_and_carriage_returns_do_not_matter(tmp_path):
    path = write_cube(tmp_path / "a.cube", some_values())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_allclose(read_cube(path).values, some_values(), atol=1e-6)


def test_colours_out_of_range_are_clipped(tmp_path):
    path = write_cube(tmp_path / "a.cube", 3 * some_values() - 1)
    wanted = np.clip(3 * some_values() - 1, 0, 1)
    np.testing.assert_allclose(read_cube(path).values, wanted, atol=1e-6)


SOUND = ["LUT_3D_SIZE 2", *["0.5 0.5 0.5"] * 8]


@pytest.mark.parametrize(
    "lines",
    [
        ["LUT_1D_SIZE 4", *["0 0 0"] * 4],
        SOUND[:-1],
        [*SOUND, "0.5 0.5 0.5"],
        SOUND[1:],
        ["LUT_3D_SIZE", *SOUND[1:]],
        ["LUT_3D_SIZE 1", "0 0 0"],
        ["LUT_3D_SIZE two", *SOUND[1:]],
        ["LUT_3D_SIZE -2", *SOUND[1:]],
        ["DOMAIN_MAX 2 2 2", *SOUND],
        ["DOMAIN_MIN -1 0 0", *SOUND],
        ["DOMAIN_MAX 1 1", *SOUND],
        [*SOUND[:-1], "nan 0 0"],
        [*SOUND[:-1], "0.5 0.5"],
        ["This is a letter."],
        [],
    ],
    ids=[
        "1-D", "short", "long", "no size", "size without number", "size 1", "size in words",
        "negative size", "wide domain", "shifted domain", "half a domain", "not a number",
        "short row", "text", "empty",
    ],
)  # fmt: skip
def test_another_file_is_refused_by_name(lines, tmp_path):
    (tmp_path / "odd.cube").write_text("\n".join(lines))
    with pytest.raises(PhotoError, match=r"odd\.cube .*wanted a 3-D table"):
        read_cube(tmp_path / "odd.cube")


def test_the_sound_file_of_the_cases_above_is_sound(tmp_path):
    (tmp_path / "even.cube").write_text("\n".join(SOUND))
    assert read_cube(tmp_path / "even.cube").values.shape == (2, 2, 2, 3)


def test_a_table_larger_than_can_be_looked_up_in_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="65"):
        Lut(np.zeros((MAX_LATTICE + 1, 1, 1, 3), dtype=np.float32)).apply(colours(1))
    monkeypatch.setattr("samelight.lab.color.random_lut.MAX_LATTICE", 3)
    write_cube(tmp_path / "largest.cube", some_values(3))
    write_cube(tmp_path / "odd.cube", some_values(4))
    assert len(read_cube(tmp_path / "largest.cube").values) == 3
    with pytest.raises(PhotoError, match=r"odd\.cube has size 4 .*at most 3 colours per axis"):
        read_cube(tmp_path / "odd.cube")


def test_bytes_and_missing_files_are_refused(tmp_path):
    (tmp_path / "odd.cube").write_bytes(bytes(range(256)))
    for name in ("odd.cube", "missing.cube"):
        with pytest.raises(PhotoError, match=r"cannot be read as a \.cube file"):
            read_cube(tmp_path / name)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    (tmp_path / "pack").mkdir()
    values = [some_values(2), some_values(3), some_values(4)]
    for name, table in zip(("b", "pack/c", "a"), values, strict=True):
        write_cube(tmp_path / f"{name}.cube", table)
    (tmp_path / "licence.txt").write_text("free")
    assert [len(lut.values) for lut in read_luts(tmp_path)] == [4, 2, 3]


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(PhotoError, match=r"no \.cube files under"):
        read_luts(tmp_path)

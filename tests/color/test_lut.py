import numpy as np
import pytest

from samelight.color.lut import (
    LATTICE,
    MAX_LATTICE,
    apply_lut,
    corners,
    identity_lut,
    read_cube,
    write_cube,
)
from samelight.correction.convert import global_lut, lut_error
from samelight.correction.field import Correction
from samelight.errors import CorrectionError
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
    table = identity_lut() ** np.array([1, 2, 1], np.float32)
    write_cube(tmp_path / "light.cube", table, 'an "evening"\n')
    lines = (tmp_path / "light.cube").read_text("ascii").splitlines()
    assert lines[0] == 'TITLE "an evening"'
    assert lines[1] == "LUT_3D_SIZE 33"
    assert lines[2:4] == ["DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    assert len(lines) == 4 + 33**3
    # Red runs fastest: the second row is the darkest red but one.
    assert lines[5] == "0.031250 0.000000 0.000000"


def looked_up(table, colour):
    """Every lattice colour, weighted by how near it is along each axis: a literal loop."""
    size = len(table)
    place = np.clip(colour, 0, 1) * (size - 1)
    total = np.zeros(3)
    for node in np.ndindex(size, size, size):
        weight = np.prod([max(0.0, 1 - abs(place[k] - node[k])) for k in range(3)])
        total += weight * table[node]
    return total


def test_colours_are_interpolated_as_by_a_literal_loop(rng):
    table = rng.normal(0, 1, (4, 4, 4, 3)).astype(np.float32)
    colours = rng.uniform(-0.1, 1.1, (5, 4, 3)).astype(np.float32)
    colours[0, :2] = [[0, 0, 0], [1, 1, 1]]
    found = apply_lut(colours, table)
    assert found.dtype == np.float32
    for row, column in np.ndindex(5, 4):
        wanted = looked_up(table, colours[row, column])
        np.testing.assert_allclose(found[row, column], wanted, atol=1e-5)


@pytest.mark.parametrize("size", [2, 5, LATTICE])
def test_the_identity_table_changes_nothing(rng, size):
    colours = rng.random((9, 3), dtype=np.float32)
    np.testing.assert_allclose(apply_lut(colours, identity_lut(size)), colours, atol=1e-6)
    pixels = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    by_pillow = apply_lut(pixels, identity_lut(size))
    assert by_pillow.dtype == np.uint8
    assert abs(by_pillow.astype(int) - pixels).max() <= (0 if size == 2 else 1)


def test_pixels_of_8_bits_are_looked_up_as_colours_are(rng):
    table = rng.random((5, 5, 5, 3), dtype=np.float32)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    wanted = apply_lut((pixels / 255).astype(np.float32), table) * 255
    difference = apply_lut(pixels, table) - wanted
    assert abs(difference).max() <= 1.5
    assert abs(difference).mean() < 0.5


def test_the_weights_of_the_eight_corners_add_up_to_1(rng):
    colours = rng.random((50, 3), dtype=np.float32)
    found = list(corners(colours, 7))
    assert len(found) == 8
    np.testing.assert_allclose(sum(weight for _, weight in found), 1, atol=1e-6)
    assert all(places.min() >= 0 and places.max() < 7**3 for places, _ in found)


def test_a_written_table_is_read_back(tmp_path):
    write_cube(tmp_path / "some.cube", some_table(), "some")
    np.testing.assert_allclose(read_cube(tmp_path / "some.cube"), some_table(), atol=1e-6)


def write_by_hand(path, table, head=()):
    """In Adobe's words: red varies fastest."""
    size = len(table)
    lines = [*head, f"LUT_3D_SIZE {size}"]
    for blue in range(size):
        for green in range(size):
            for red in range(size):
                lines.append(" ".join(f"{value:.6f}" for value in table[red, green, blue]))
    path.write_text("\n".join(lines) + "\n")
    return path


def some_table(size=3):
    return np.random.default_rng(1).random((size, size, size, 3), dtype=np.float32)


def test_a_cube_file_is_read_with_its_comments_title_and_domain(tmp_path):
    domain = ["DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1.0 1.0 1.0  # all of it"]
    head = ["# made by hand", "", 'TITLE "Warm # 1"', *domain]
    path = write_by_hand(tmp_path / "warm.cube", some_table(), head)
    np.testing.assert_allclose(read_cube(path), some_table(), atol=1e-6)


def test_red_varies_fastest(tmp_path):
    rows = ["0 0 0"] * 8
    rows[1], rows[2], rows[4] = "0.2 0.4 0.6", "0 1 0", "1 1 1"  # what red, green, blue become
    (tmp_path / "a.cube").write_text("\n".join(["LUT_3D_SIZE 2", *rows]))
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    wanted = [[51, 102, 153], [0, 255, 0], [255, 255, 255]]
    assert apply_lut(picture, read_cube(tmp_path / "a.cube"))[0].tolist() == wanted


def test_a_mark_and_carriage_returns_do_not_matter(tmp_path):
    path = write_by_hand(tmp_path / "a.cube", some_table())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_allclose(read_cube(path), some_table(), atol=1e-6)


def test_colours_out_of_range_are_clipped(tmp_path):
    path = write_by_hand(tmp_path / "a.cube", 3 * some_table() - 1)
    wanted = np.clip(3 * some_table() - 1, 0, 1)
    np.testing.assert_allclose(read_cube(path), wanted, atol=1e-6)


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
    with pytest.raises(CorrectionError, match=r"odd\.cube .*wanted a 3-D table"):
        read_cube(tmp_path / "odd.cube")


def test_the_sound_file_of_the_cases_above_is_sound(tmp_path):
    (tmp_path / "even.cube").write_text("\n".join(SOUND))
    assert read_cube(tmp_path / "even.cube").shape == (2, 2, 2, 3)


def test_a_table_larger_than_can_be_looked_up_in_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="65"):
        apply_lut(np.zeros((1, 1, 3), np.uint8), identity_lut(MAX_LATTICE + 1))
    monkeypatch.setattr("samelight.color.lut.MAX_LATTICE", 3)
    write_by_hand(tmp_path / "largest.cube", some_table(3))
    write_by_hand(tmp_path / "odd.cube", some_table(4))
    assert len(read_cube(tmp_path / "largest.cube")) == 3
    with pytest.raises(CorrectionError, match=r"odd\.cube has size 4 .*at most 3 colours per axis"):
        read_cube(tmp_path / "odd.cube")


def test_bytes_and_missing_files_are_refused(tmp_path):
    (tmp_path / "odd.cube").write_bytes(bytes(range(256)))
    for name in ("odd.cube", "missing.cube"):
        with pytest.raises(CorrectionError, match=r"cannot be read as a \.cube file"):
            read_cube(tmp_path / name)

import numpy as np
import pytest
from PIL import Image

from samelight.lab.data.datasets.check import check_files, count_problems, count_splits, list_splits
from samelight.lab.data.pairs import list_pairs
from tests.lab.datasets import write_ccharmony, write_iharmony4, write_realhm
from tests.lab.pictures import write_pairs


def problems(root, **options):
    return [line for lines in check_files(list_pairs(root, "all"), **options) for line in lines]


@pytest.mark.parametrize("write", [write_iharmony4, write_ccharmony, write_realhm, write_pairs])
def test_whole_data_sets_have_no_problems(tmp_path, write):
    assert problems(write(tmp_path)) == []


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-200])


BROKEN = {
    "cut short": (cut_short, "real_images/p1.png is damaged or cut short"),
    "no picture": (lambda path: path.write_text("hello"), "real_images/p1.png is not a picture"),
    "smaller": (
        lambda path: Image.new("RGB", (20, 10)).save(path),
        r"p1_1_1 has files that differ in size",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_named(tmp_path, case):
    damage, words = BROKEN[case]
    write_pairs(tmp_path, 3)
    damage(tmp_path / "real_images" / "p1.png")
    (line,) = problems(tmp_path)
    assert words in line


def test_a_file_of_several_triples_is_named_once(tmp_path):
    write_iharmony4(tmp_path)
    (tmp_path / "HCOCO" / "real_images" / "c1.jpg").write_text("hello")
    assert len(problems(tmp_path)) == 1


def test_headers_alone_do_not_tell_a_file_cut_short(tmp_path):
    write_pairs(tmp_path, 1)
    noise = np.random.default_rng(0).integers(0, 256, (72, 96, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "real_images" / "p0.png")
    cut_short(tmp_path / "real_images" / "p0.png")
    assert problems(tmp_path, decode=False) == []
    assert len(problems(tmp_path)) == 1


def test_counts_stand_beside_the_published_ones(tmp_path):
    counts = count_splits(list_splits(write_iharmony4(tmp_path), None))
    table = {(c.group, c.split): (c.found, c.expected) for c in counts}
    assert table["HCOCO", "test"] == (1, 4283)
    assert table["HAdobe5k", "train"] == (1, 19437)
    assert sum(c.expected for c in counts if c.split == "train") == 65742
    assert sum(c.expected for c in counts if c.split == "test") == 7404
    assert "HFlickr test: 1 composites, published are 828" in count_problems(counts)
    assert len(count_problems(counts)) == 8


def test_a_folder_of_ones_own_has_no_published_count(tmp_path):
    counts = count_splits(list_splits(write_pairs(tmp_path, 3), None))
    assert {(c.group, c.found, c.expected) for c in counts} == {("dark", 1, None), ("all", 2, None)}
    assert count_problems(counts) == []

import re

import pytest
from PIL import Image

from samelight.errors import PhotoError
from samelight.lab.data.pairs import list_pairs
from tests.lab.pictures import write_pairs


def test_a_composite_finds_its_mask_and_its_real_image(tmp_path):
    for place in ("composite_images/a_b_2_7.jpg", "composite_images/a_b_2_8.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / place)
    for place in ("masks/a_b_2.png", "real_images/a_b.jpg"):
        (tmp_path / place).parent.mkdir()
        Image.new("L", (4, 4)).save(tmp_path / place)
    pairs = list_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["a_b_2_7", "a_b_2_8"]
    for pair in pairs:
        assert pair.mask == tmp_path / "masks" / "a_b_2.png"
        assert pair.real == tmp_path / "real_images" / "a_b.jpg"
        assert pair.family == "all"
    assert pairs[0].composite == tmp_path / "composite_images" / "a_b_2_7.jpg"


def test_families_come_from_the_index(tmp_path):
    pairs = list_pairs(write_pairs(tmp_path, 2))
    assert {pair.name: pair.family for pair in pairs} == {"p0_1_1": "dark", "p1_1_1": "all"}


def test_an_index_without_families_is_no_obstacle(tmp_path):
    write_pairs(tmp_path, 1)
    (tmp_path / "index.csv").write_text("name,licence\np0,CC0\n")
    assert [pair.family for pair in list_pairs(tmp_path)] == ["all"]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("masks/p1_1.png", "p1_1_1.png has no mask: wanted .*masks/p1_1.png"),
        ("real_images/p1.png", "p1_1_1.png has no real: wanted .*real_images/p1.jpg"),
    ],
)
def test_what_a_composite_lacks_is_named(tmp_path, lost, message):
    write_pairs(tmp_path, 2)
    (tmp_path / lost).unlink()
    with pytest.raises(PhotoError, match=message):
        list_pairs(tmp_path)


def test_a_folder_without_composites_is_named(tmp_path):
    with pytest.raises(PhotoError, match=re.escape(f"{tmp_path / 'composite_images'}")):
        list_pairs(tmp_path)

import re

import numpy as np
import pytest
from PIL import Image

from samelight.errors import DatasetError
from samelight.lab.data.pairs import list_pairs, open_dataset, splits_of
from samelight.lab.data.triples import read_triple
from tests.lab.datasets import write_ccharmony, write_iharmony4, write_realhm
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
        assert pair.group == "all"
    assert pairs[0].composite == tmp_path / "composite_images" / "a_b_2_7.jpg"


def test_families_come_from_the_index(tmp_path):
    pairs = list_pairs(write_pairs(tmp_path, 2))
    assert {pair.name: pair.group for pair in pairs} == {"p0_1_1": "dark", "p1_1_1": "all"}


def test_an_index_without_families_is_no_obstacle(tmp_path):
    write_pairs(tmp_path, 1)
    (tmp_path / "index.csv").write_text("name,licence\np0,CC0\n")
    assert [pair.group for pair in list_pairs(tmp_path)] == ["all"]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("masks/p1_1.png", "masks/p1_1.png is missing, wanted by composite p1_1_1"),
        ("real_images/p1.png", "real_images/p1.jpg is missing, wanted by composite p1_1_1"),
    ],
)
def test_what_a_composite_lacks_is_named(tmp_path, lost, message):
    write_pairs(tmp_path, 2)
    (tmp_path / lost).unlink()
    with pytest.raises(DatasetError, match=message):
        list_pairs(tmp_path)


def test_a_folder_without_composites_is_named(tmp_path):
    with pytest.raises(DatasetError, match=re.escape(f"{tmp_path / 'composite_images'}")):
        list_pairs(tmp_path)


def test_a_family_may_be_named_by_composite_too(tmp_path):
    write_pairs(tmp_path, 2)
    (tmp_path / "index.csv").write_text("name,family\np0,dark\np0_1_1,warm\np1_1_1,cold\n")
    assert [pair.group for pair in list_pairs(tmp_path)] == ["warm", "cold"]


@pytest.mark.parametrize("lists", ["root", "own"])
def test_iharmony4_is_read_by_its_official_lists(tmp_path, lists):
    write_iharmony4(tmp_path, lists=lists)
    test = open_dataset(tmp_path)
    assert (test.kind, test.split, test.problems) == ("iHarmony4", "test", ())
    assert [pair.name for pair in test.pairs] == [
        "HCOCO/c1_10_1", "HAdobe5k/a1_1_1", "HFlickr/f1_1_1", "Hday2night/d1-x_1_1"
    ]  # fmt: skip
    assert [pair.group for pair in test.pairs] == ["HCOCO", "HAdobe5k", "HFlickr", "Hday2night"]
    hcoco = test.pairs[0]
    assert hcoco.mask == tmp_path / "HCOCO" / "masks" / "c1_10.png"
    assert hcoco.real == tmp_path / "HCOCO" / "real_images" / "c1.jpg"
    assert len(open_dataset(tmp_path, "train").pairs) == 4
    assert len(open_dataset(tmp_path, "all").pairs) == 8
    assert sum(test.expected.values()) == 7404
    assert sum(open_dataset(tmp_path, "train").expected.values()) == 65742


def test_one_sub_dataset_alone_is_read_by_its_list(tmp_path):
    write_iharmony4(tmp_path, lists="own")
    alone = open_dataset(tmp_path / "HCOCO")
    assert [pair.name for pair in alone.pairs] == ["c1_10_1"]
    assert alone.expected == {"all": 4283}


def test_iharmony4_without_a_list_or_a_sub_dataset_says_so(tmp_path):
    write_iharmony4(tmp_path, lists="own")
    (tmp_path / "HFlickr" / "HFlickr_test.txt").unlink()
    (problem,) = open_dataset(tmp_path).problems
    assert problem.endswith("HFlickr_test.txt is missing")
    with pytest.raises(DatasetError, match=r"HFlickr_test\.txt is missing: mend .*data check"):
        list_pairs(tmp_path)


def test_ccharmony_is_listed_by_foreground(tmp_path):
    write_ccharmony(tmp_path)
    test = open_dataset(tmp_path)
    assert test.kind == "ccHarmony"
    assert [pair.name for pair in test.pairs] == ["IMG_0001_a_1", "IMG_0001_a_2"]
    assert test.pairs[0].mask == tmp_path / "foreground_masks" / "IMG_0001_a.png"
    assert test.pairs[0].real == tmp_path / "real_images" / "IMG_0001.jpg"
    assert [pair.name for pair in open_dataset(tmp_path, "train").pairs] == ["8D5U1_b_1"]


def test_realhm_files_have_their_roles(tmp_path):
    write_realhm(tmp_path)
    listing = open_dataset(tmp_path)
    assert (listing.kind, listing.split) == ("RealHM", "all")
    pair = listing.pairs[0]
    assert (pair.name, pair.group) == ("vendor_testing_1/7", "vendor_testing_1")
    triple = read_triple(pair)
    # X.jpg holds the foreground on the canvas, X_fore.jpg is the background in spite of its name.
    assert abs(triple.composite[2, 2].astype(int) - [200, 0, 0]).max() < 6
    assert abs(triple.composite[30, 30].astype(int) - [0, 0, 200]).max() < 6
    assert abs(triple.real[30, 30].astype(int) - [90, 90, 90]).max() < 6
    with pytest.raises(DatasetError, match="RealHM has no test split"):
        open_dataset(tmp_path, "test")
    (tmp_path / "vendor_testing_1" / "7_fore.jpg").unlink()
    (problem,) = open_dataset(tmp_path).problems
    assert "7_fore.jpg is missing (background of 7)" in problem


def test_a_split_that_is_not_there_is_named(tmp_path):
    write_pairs(tmp_path, 1)
    assert splits_of(tmp_path) == ["all"]
    with pytest.raises(DatasetError, match="no list of its test split"):
        list_pairs(tmp_path, "test")
    with pytest.raises(DatasetError, match="no split 'tets': choose one of train, test, all"):
        list_pairs(tmp_path, "tets")


def test_triples_are_read_as_they_lie(tmp_path):
    (pair,) = list_pairs(write_pairs(tmp_path, 1))
    triple = read_triple(pair)
    with Image.open(pair.real) as image:
        assert np.array_equal(triple.real, np.asarray(image))
    assert triple.composite.dtype == np.uint8
    assert triple.mask.max() == 1


@pytest.mark.parametrize("folder", ["masks/p0_1.png", "real_images/p0.png"])
def test_sizes_that_differ_are_named(tmp_path, folder):
    write_pairs(tmp_path, 1)
    with Image.open(tmp_path / folder) as image:
        smaller = image.resize((48, 36))
    smaller.save(tmp_path / folder)
    with pytest.raises(DatasetError, match=r"p0_1_1 has files that differ .*\(36, 48\)"):
        read_triple(list_pairs(tmp_path)[0])

import numpy as np
import pytest
from PIL import Image

from samelight.errors import PhotoError
from samelight.lab.data.photos import PhotoFolder, unit_range
from tests.lab.pictures import disc, write_photos


@pytest.mark.parametrize("in_memory", [False, True])
def test_photos_find_their_masks_and_their_rows(tmp_path, in_memory):
    photos = PhotoFolder(write_photos(tmp_path), in_memory=in_memory)
    assert [entry.path.stem for entry in photos.entries] == ["a_cat", "dog", "sky"]
    assert [[m.stem for m in entry.masks] for entry in photos.entries] == [
        ["a_cat_1", "a_cat_2"],
        ["dog_1"],
        [],
    ]
    assert photos.with_masks == [0, 1]
    assert [(e.source, e.licence) for e in photos.entries] == [
        ("zoo", "CC0"),
        ("photos", "not stated"),
        ("field", "CC-BY"),
    ]
    assert len(photos) == 3
    with Image.open(tmp_path / "photos" / "sky.png") as image:
        assert np.array_equal(photos.photo(2), np.asarray(image))
    assert np.array_equal(photos.mask(1, 0), disc())


def test_in_memory_photos_outlive_their_files(tmp_path):
    kept = PhotoFolder(write_photos(tmp_path), in_memory=True)
    for path in (tmp_path / "photos").iterdir():
        path.unlink()
    assert kept.photo(0).shape == (72, 96, 3)


def test_a_folder_of_photos_alone_will_do(tmp_path):
    Image.new("L", (5, 4), 100).save(tmp_path / "gray.JPG")
    (tmp_path / "notes.txt").write_text("dear diary")
    photos = PhotoFolder(tmp_path)
    assert len(photos) == 1
    assert photos.with_masks == []
    assert photos.photo(0).shape == (4, 5, 3)


@pytest.mark.parametrize("make", [lambda _: None, lambda root: (root / "photos").mkdir()])
def test_a_folder_without_photos_is_named(tmp_path, make):
    make(tmp_path)
    with pytest.raises(PhotoError, match=rf"no photos under {tmp_path}: wanted"):
        PhotoFolder(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PhotoError, match=r"no photos under .*nowhere"):
        PhotoFolder(tmp_path / "nowhere")


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_broken_photo_is_named(tmp_path, in_memory):
    root = write_photos(tmp_path)
    (root / "photos" / "torn.jpg").write_text("dear diary")
    with pytest.raises(PhotoError, match=r"torn\.jpg cannot be read .*: remove it"):
        PhotoFolder(root, in_memory=in_memory).photo(3)


def test_unit_range():
    found = unit_range(np.array([[0, 51, 255]], np.uint8))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0.2, 1]])

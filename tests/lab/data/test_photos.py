import numpy as np
import pytest
from PIL import Image

from samelight.errors import MaskError, PhotoError
from samelight.lab.data.photos import HELD_OUT_EVERY, PhotoFolder, list_photos
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
    assert photos.objects == [(0, 0), (0, 1), (1, 0)]
    assert [(e.source, e.licence) for e in photos.entries] == [
        ("zoo", "CC0"),
        ("photos", "not stated"),
        ("field", "CC-BY"),
    ]
    assert len(photos) == 3
    assert photos.notes == ()
    with Image.open(tmp_path / "photos" / "sky.png") as image:
        assert np.array_equal(photos.photo(2), np.asarray(image))
    assert np.array_equal(photos.mask(1, 0), disc())


def test_in_memory_photos_outlive_their_files(tmp_path):
    kept = PhotoFolder(write_photos(tmp_path), in_memory=True)
    for folder in ("photos", "masks"):
        for path in (tmp_path / folder).iterdir():
            path.unlink()
    assert kept.photo(0).shape == (72, 96, 3)
    assert kept.mask(0, 1).shape == (72, 96)


def test_a_folder_of_photos_alone_will_do(tmp_path):
    Image.new("L", (5, 4), 100).save(tmp_path / "gray.JPG")
    (tmp_path / "notes.txt").write_text("dear diary")
    photos = PhotoFolder(tmp_path)
    assert len(photos) == 1
    assert photos.objects == []
    assert photos.photo(0).shape == (4, 5, 3)


@pytest.mark.parametrize("make", [lambda _: None, lambda root: (root / "photos").mkdir()])
@pytest.mark.parametrize("part", ["all", "training", "held_out"])
def test_a_folder_without_photos_is_named(tmp_path, make, part):
    make(tmp_path)
    with pytest.raises(PhotoError, match=rf"no photos under {tmp_path}: wanted"):
        PhotoFolder(tmp_path, part=part)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PhotoError, match=r"no photos under .*nowhere"):
        PhotoFolder(tmp_path / "nowhere")


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_broken_photo_is_named(tmp_path, in_memory):
    root = write_photos(tmp_path)
    (root / "photos" / "torn.jpg").write_text("dear diary")
    with pytest.raises(PhotoError, match=r"torn\.jpg is not a picture"):
        PhotoFolder(root, in_memory=in_memory).photo(3)


def test_what_macos_leaves_beside_a_photo_is_passed_over(tmp_path):
    root = write_photos(tmp_path)
    for name in ("photos/._a_cat.png", "masks/._a_cat_1.png"):
        (root / name).write_bytes(b"\x00\x05\x16\x07")
    photos = PhotoFolder(root, in_memory=True)
    assert [entry.path.stem for entry in photos.entries] == ["a_cat", "dog", "sky"]
    assert len(photos.objects) == 3


@pytest.mark.parametrize("in_memory", [False, True])
def test_black_masks_are_left_out_and_said(tmp_path, in_memory):
    root = write_photos(tmp_path)
    Image.new("L", (96, 72)).save(root / "masks" / "a_cat_2.png")
    photos = PhotoFolder(root, in_memory=in_memory)
    assert photos.objects == [(0, 0), (1, 0)]
    (note,) = photos.notes
    assert note == ("mask-black", f"{root}/masks/a_cat_2.png is black: it is left out")
    assert {photos.draw_object(np.random.default_rng(seed)) for seed in range(20)} == {0, 1}


def test_what_had_to_be_converted_is_told(tmp_path):
    root = write_photos(tmp_path)
    Image.new("L", (96, 72), 90).save(root / "photos" / "sky.png")
    (note,) = PhotoFolder(root, in_memory=True).notes
    assert "sky.png is gray" in note.text


def test_notes_of_one_kind_are_told_once(tmp_path):
    root = write_photos(tmp_path)
    for name in ("a_cat_1", "a_cat_2", "dog_1"):
        Image.fromarray(disc() // 255).save(root / "masks" / f"{name}.png")
    photos = PhotoFolder(root)
    assert np.array_equal(photos.mask(0, 0), disc())
    (note,) = photos.notes
    assert note.kind == "mask-binary"
    assert "a_cat_1.png holds 0 and 1 only" in note.text
    assert note.text.endswith("(and 2 more)")


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_mask_of_other_proportions_is_refused_with_both_sizes(tmp_path, in_memory):
    root = write_photos(tmp_path)
    Image.new("L", (80, 72), 255).save(root / "masks" / "dog_1.png")
    wanted = r"dog_1\.png is 80 x 72 pixels and its photo .*dog\.png 96 x 72: wanted"
    with pytest.raises(MaskError, match=wanted):
        PhotoFolder(root, in_memory=in_memory)


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_larger_mask_is_made_as_large_as_its_photo(tmp_path, in_memory):
    root = write_photos(tmp_path)
    Image.fromarray(disc(144, 192)).save(root / "masks" / "dog_1.png")
    found = PhotoFolder(root, in_memory=in_memory).mask(1, 0)
    assert found.shape == (72, 96)
    assert found.dtype == np.uint8
    assert abs(found.astype(int) - disc()).mean() < 8


def test_the_part_of_a_photo_depends_on_its_name_alone(tmp_path):
    for number in range(200):
        Image.new("RGB", (2, 2)).save(tmp_path / f"photo{number}.png")
    parts = {
        part: {entry.path.name for entry in list_photos(tmp_path, part)}
        for part in ("all", "training", "held_out")
    }
    assert parts["training"] | parts["held_out"] == parts["all"]
    assert not parts["training"] & parts["held_out"]
    assert 2 <= len(parts["held_out"]) <= 3 * 200 / HELD_OUT_EVERY
    # One photo more, or the same photo in another format, moves no other to another part.
    Image.new("RGB", (2, 2)).save(tmp_path / "more.png")
    (tmp_path / "photo0.png").rename(tmp_path / "photo0.jpg")
    again = {entry.path.stem for entry in list_photos(tmp_path, "held_out")} - {"more"}
    assert again == {name.removesuffix(".png") for name in parts["held_out"]}


def test_names_that_are_known_to_be_held_out(tmp_path):
    """Literal names: a run that is gone on with must hold the same photos out."""
    for name in ("h17", "h18", "plum"):
        Image.new("RGB", (2, 2)).save(tmp_path / f"{name}.png")
    assert [e.path.stem for e in list_photos(tmp_path, "held_out")] == ["h17"]


def test_a_folder_that_is_held_out_as_a_whole_is_refused_for_training(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "h17.png")
    with pytest.raises(PhotoError, match=r"all 1 photos under .* one in 25 .* add photos"):
        PhotoFolder(tmp_path, part="training")
    assert len(PhotoFolder(tmp_path, part="held_out")) == 1


def test_a_source_counts_by_the_root_of_its_number(tmp_path):
    """Sixteen photos of one source and four of another: drawn two to one, not four to one."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    rows = ["file,source,licence"]
    for number in range(20):
        Image.new("RGB", (4, 4)).save(tmp_path / "photos" / f"p{number:02}.png")
        Image.new("L", (4, 4), 255).save(tmp_path / "masks" / f"p{number:02}_1.png")
        rows.append(f"p{number:02}.png,{'many' if number < 16 else 'few'},CC0")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    photos = PhotoFolder(tmp_path)
    rng = np.random.default_rng(0)
    for draw in (photos.draw_photo, photos.draw_object):
        found = np.bincount([draw(rng) for _ in range(3000)], minlength=20)
        assert found[:16].sum() / found[16:].sum() == pytest.approx(2, rel=0.12)
        assert found.min() > 0


def test_donors_are_the_neighbours_as_often_as_asked_for(tmp_path):
    photos = PhotoFolder(write_photos(tmp_path))
    rng = np.random.default_rng(0)
    assert {photos.draw_donor(0, 1.0, rng) for _ in range(40)} == {0, 1, 2}
    photos.neighbours = np.array([[2], [2], [1]], np.int32)
    assert {photos.draw_donor(2, 1.0, rng) for _ in range(40)} == {1}
    found = [photos.draw_donor(2, 0.5, rng) for _ in range(400)]
    # And an object of any photo otherwise, a third of those the neighbour too.
    assert 0.5 < found.count(1) / 400 < 0.85
    assert set(found) == {0, 1, 2}

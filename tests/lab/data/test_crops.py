import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from samelight.color.lut import identity_lut
from samelight.lab.color.random_lut import random_lut
from samelight.lab.data import crops
from samelight.lab.data.crops import CropsView
from samelight.lab.data.photos import PhotoFolder
from tests.lab.pictures import write_photos

SIZE = 32


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos alone: no masks, no index."""
    root = write_photos(tmp_path_factory.mktemp("photos"))
    shutil.rmtree(root / "masks")
    (root / "index.csv").unlink()
    return PhotoFolder(root, in_memory=True)


@pytest.fixture
def two_tables(monkeypatch):
    """As they are, or negatives."""
    tables = [identity_lut(2), 1 - identity_lut(2)]
    monkeypatch.setattr(crops, "_bank", lambda count, folder: tables)
    return CropsView(luts=2)


def examples(view, photos, count=12, size_px=SIZE):
    return [view(photos, size_px, np.random.default_rng(seed)) for seed in range(count)]


def one_photo(root, picture):
    Image.fromarray(picture).save(root / "a.png")
    return PhotoFolder(root, in_memory=True)


def test_it_needs_no_masks(photos):
    assert not CropsView.needs_masks
    assert not photos.objects
    for example in examples(CropsView(luts=3), photos):
        for plane in example[:4]:
            assert plane.shape == (3, SIZE, SIZE)
        for mask in example[4:]:
            assert mask.shape == (1, SIZE, SIZE)
            assert set(np.unique(mask)) <= {0, 1}
        for plane in example:
            assert plane.dtype == np.float32
            assert plane.flags.c_contiguous
            assert plane.min() >= 0
            assert plane.max() <= 1


def test_the_same_generator_gives_the_same_example(photos):
    view = CropsView(luts=3)
    one, again, other = (view(photos, SIZE, np.random.default_rng(s)) for s in (4, 4, 5))
    for found, wanted in zip(one, again, strict=True):
        assert found.tobytes() == wanted.tobytes()
    assert not np.array_equal(one.content, other.content)


def test_the_target_is_the_content_in_the_references_style(photos, two_tables):
    differing = 0
    for content, same, other, target, *_ in examples(two_tables, photos, 16):
        turned = abs(content - target).max() > 0.01
        differing += turned
        np.testing.assert_allclose(target, 1 - content if turned else content, atol=2 / 255)
        np.testing.assert_allclose(other, 1 - same if turned else same, atol=2 / 255)
    assert 0 < differing < 16


def test_the_first_reference_has_the_contents_style(two_tables, tmp_path):
    """Of a bright photo a negative is dark: so the tables can be told apart."""
    bright = np.random.default_rng(0).integers(180, 256, (40, 60, 3), dtype=np.uint8)
    dark = set()
    for content, same, *_ in examples(two_tables, one_photo(tmp_path, bright)):
        assert (content.mean() < 0.5) == (same.mean() < 0.5)
        dark.add(bool(content.mean() < 0.5))
    assert dark == {True, False}


def test_content_and_reference_are_two_places_of_one_photo_flipped_alike(two_tables, tmp_path):
    ramp = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], 3, axis=2)
    photos = one_photo(tmp_path, np.repeat(ramp, 40, axis=0))
    rising = set()
    for content, same, *_ in examples(replace(two_tables, whole=1.0), photos):
        directions = [image[0, :, -1].mean() > image[0, :, 0].mean() for image in (content, same)]
        assert directions[0] == directions[1]
        rising.add(bool(directions[0]))
        assert not np.array_equal(content, same)
    assert rising == {True, False}


def test_unchanged_examples_ask_for_nothing(photos):
    for content, same, other, target, *_ in examples(CropsView(luts=5, unchanged=1.0), photos):
        assert np.array_equal(content, target)
        assert np.array_equal(same, other)


def test_two_crops_are_wholly_visible(photos):
    for example in examples(CropsView(luts=2, whole=1.0), photos):
        assert example.content_mask.all()
        assert example.reference_mask.all()


def test_else_content_and_reference_are_an_ellipse_of_one_window_and_what_surrounds_it(photos):
    for example in examples(CropsView(luts=2, whole=0.0), photos):
        assert np.array_equal(example.content, example.same_style)
        assert np.array_equal(example.target, example.other_style)
        inside = example.content_mask[0] == 1
        assert np.array_equal(inside, example.reference_mask[0] == 0)
        assert 0.01 < inside.mean() < 0.7
        # No row or column of an ellipse has a gap.
        for lines in (inside, inside.T):
            starts = (np.diff(np.pad(lines, ((0, 0), (1, 0))).astype(int), axis=1) == 1).sum(1)
            assert starts.max() == 1


def test_tables_are_new_for_every_example_unless_there_is_a_bank(photos, monkeypatch):
    drawn = []
    monkeypatch.setattr(crops, "random_lut", lambda *_: drawn.append(1) or random_lut(*_))
    examples(CropsView(), photos, 3)
    assert len(drawn) == 6
    examples(CropsView(luts=2), photos, 3)
    assert len(drawn) == 6


def test_nothing_is_ever_wholly_hidden(photos):
    for whole in (0.0, 0.5, 1.0):
        for example in examples(CropsView(luts=2, whole=whole), photos, 20, size_px=4):
            assert example.content_mask.any()
            assert example.reference_mask.any()


def test_windows_overlap_in_part():
    shares = []
    for seed in range(60):
        windows = crops._windows(np.random.default_rng(seed))
        covered = np.zeros((2, 72, 96), dtype=bool)
        for number, (left, top, right, bottom) in enumerate(w.box(96, 72) for w in windows):
            assert 0 <= left < right <= 96
            assert 0 <= top < bottom <= 72
            assert 0.5 <= (right - left) / 96 <= 0.9
            assert 0.5 <= (bottom - top) / 72 <= 0.9
            covered[number, round(top) : round(bottom), round(left) : round(right)] = True
        shares.append((covered[0] & covered[1]).sum() / (covered[0] | covered[1]).sum())
    assert np.mean([0.17 < share < 0.83 for share in shares]) > 0.95


def test_a_folder_of_tables_replaces_the_random_ones(photos, tmp_path):
    """The one table makes everything the same colour."""
    (tmp_path / "one.cube").write_text("\n".join(["LUT_3D_SIZE 2", *["0.2 0.4 0.6"] * 8]))
    for example in examples(CropsView(lut_folder=str(tmp_path)), photos, 3):
        for plane in example[:4]:
            for channel, value in zip(plane, np.float32([51, 102, 153]), strict=True):
                assert np.array_equal(channel, np.full((SIZE, SIZE), value / np.float32(255)))

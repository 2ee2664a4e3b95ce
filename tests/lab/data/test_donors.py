import numpy as np
import pytest
from PIL import Image

from samelight.lab.data import donors
from samelight.lab.data.donors import alike_objects, cached_neighbours
from samelight.lab.data.photos import PhotoFolder
from tests.lab.pictures import HEIGHT, WIDTH, disc, smooth_photo


def write_pair(root, name, pixels, count=1):
    """A photo with so many masks of it."""
    Image.fromarray(pixels).save(root / "photos" / f"{name}.png")
    for number in range(count):
        Image.fromarray(disc()).save(root / "masks" / f"{name}_{number}.png")


@pytest.fixture
def root(tmp_path):
    """Soft pictures with two objects each, two pictures of noise, and stripes with a twin."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        write_pair(tmp_path, f"soft{number}", smooth_photo(rng), count=2)
    for number in range(2):
        noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        write_pair(tmp_path, f"noise{number}", noise)
    stripes = np.where(np.arange(WIDTH) % 12 < 6, 40, 210)[None, :, None]
    stripes = np.broadcast_to(stripes, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    write_pair(tmp_path, "stripes", stripes)
    write_pair(tmp_path, "twin", (stripes * 0.8).astype(np.uint8))
    return tmp_path


def names(photos):
    return [photos.entries[owner].path.stem for owner, _ in photos.objects]


def test_donors_are_alike_and_never_of_the_same_photo(root, monkeypatch):
    monkeypatch.setattr(donors, "NEAREST", 1)
    photos = PhotoFolder(root)
    nearest = alike_objects(photos)
    named = names(photos)
    assert nearest.shape == (len(photos.objects), 1)
    found = dict(zip(named, (named[donor] for donor in nearest[:, 0]), strict=True))
    assert (found["stripes"], found["twin"]) == ("twin", "stripes")
    assert (found["noise0"], found["noise1"]) == ("noise1", "noise0")
    for number in range(4):
        assert found[f"soft{number}"].startswith("soft")
        assert found[f"soft{number}"] != f"soft{number}"


def test_no_more_donors_are_named_than_every_object_has(root):
    photos = PhotoFolder(root)
    owners = [owner for owner, _ in photos.objects]
    nearest = alike_objects(photos)
    # Twelve objects, and two of a soft picture are of the same photo.
    assert nearest.shape == (12, 10)
    for row, own in zip(nearest, owners, strict=True):
        assert len(set(row)) == 10
        assert own not in {owners[donor] for donor in row}


def test_objects_of_one_photo_have_no_donors(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    write_pair(tmp_path, "only", smooth_photo(np.random.default_rng(0)), count=2)
    photos = PhotoFolder(tmp_path)
    photos.neighbours = alike_objects(photos)
    assert photos.neighbours.shape == (2, 0)
    rng = np.random.default_rng(0)
    assert {photos.draw_donor(0, 1.0, rng) for _ in range(20)} == {0, 1}


def test_they_are_looked_for_once(root, tmp_path, monkeypatch):
    photos, path = PhotoFolder(root), tmp_path / "donors.npz"
    first = cached_neighbours(photos, path)
    asked = []
    monkeypatch.setattr(donors, "alike_objects", lambda folder: asked.append(folder) or first[:1])
    assert np.array_equal(cached_neighbours(photos, path), first)
    assert not asked
    # Other objects: what is kept does not hold for them.
    (root / "masks" / "twin_0.png").unlink()
    fewer = PhotoFolder(root)
    assert np.array_equal(cached_neighbours(fewer, path), first[:1])
    assert asked == [fewer]
    assert [file.name for file in tmp_path.glob("*.npz")] == ["donors.npz"]

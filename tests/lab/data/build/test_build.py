import csv

import numpy as np
import pytest
from PIL import Image

from samelight.errors import DatasetError, MaskError, UsageError
from samelight.lab.color.charts import Light, shipped_lights
from samelight.lab.color.illuminant import STANDARD_PATCHES, change_light, fit_polynomial
from samelight.lab.data.build.build import build, count_jobs, masked_photos
from samelight.lab.data.build.scene import read_scene
from samelight.lab.data.build.synthesize import KINDS, Builder
from samelight.lab.data.datasets.check import check_files
from samelight.lab.data.pairs import list_pairs
from samelight.lab.data.triples import read_triple
from samelight.lab.pictures import unit_range
from tests.lab.pictures import disc, write_photos


def builder(tmp_path, kind="iharmony4", out="out", **options):
    photos = tmp_path / "photos"
    if not photos.exists():
        write_photos(photos)
    if kind == "ccharmony":
        options.setdefault("lights", shipped_lights())
    return Builder(
        kind=kind, entries=masked_photos(photos), out=tmp_path / out, suffix=".png", **options
    )


def run(made, tmp_path, **options):
    return list(build(made, tmp_path / "photos", **options))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_built_set_is_a_whole_data_set(tmp_path, kind):
    made = builder(tmp_path, kind)
    assert count_jobs(made, 2, None) == 6
    rows = run(made, tmp_path, per_mask=2)
    pairs = list_pairs(made.out)
    assert sorted(pair.name for pair in pairs) == sorted(row.name for row in rows)
    assert not any(line for lines in check_files(pairs) for line in lines)
    assert {pair.name: pair.group for pair in pairs} == {row.name: row.family for row in rows}
    for pair in pairs:
        composite, mask, real = read_triple(pair)
        assert np.array_equal(composite[mask == 0], real[mask == 0])
        assert abs(composite[mask == 1].astype(int) - real[mask == 1]).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_bytes(tmp_path, kind):
    run(builder(tmp_path, kind), tmp_path, per_mask=2, threads=1)
    run(builder(tmp_path, kind, "again"), tmp_path, per_mask=2, threads=3)
    run(builder(tmp_path, kind, "other", seed=1), tmp_path, per_mask=2)
    assert contents(tmp_path / "out") == contents(tmp_path / "again")
    composites = "composite_images"
    assert contents(tmp_path / "out" / composites) != contents(tmp_path / "other" / composites)


def test_an_interrupted_set_goes_on(tmp_path):
    whole = builder(tmp_path, out="whole")
    run(whole, tmp_path, per_mask=3)
    made = builder(tmp_path)
    steps = build(made, tmp_path / "photos", per_mask=3, threads=1)
    for _ in range(4):
        next(steps)
    steps.close()
    index = made.out / "index.csv"
    index.write_text(index.read_text()[:-3])  # as a kill leaves it
    rows = run(made, tmp_path, per_mask=3)
    assert rows.count(None) == 3
    assert contents(made.out) == contents(whole.out)


def test_every_composite_tells_where_it_comes_from(tmp_path):
    made = builder(tmp_path, seed=7)
    run(made, tmp_path, per_mask=4)
    with (made.out / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["family"] for row in rows} <= {"lab", "rgb", "histogram", "idt"}
    assert len({row["family"] for row in rows}) >= 3
    first = rows[0]
    assert (first["photo"], first["mask"]) == ("a_cat.png", "a_cat_1.png")
    assert (first["source"], first["licence"], first["seed"]) == ("zoo", "CC0", "7")
    # Towards another photo's object, never the photo's own.
    assert {row["reference"] for row in rows if row["photo"] == "a_cat.png"} == {"dog_1.png"}


def test_real_lights_are_changed_through_the_standard_light(tmp_path):
    warm, cold = STANDARD_PATCHES * [1.0, 0.85, 0.6], STANDARD_PATCHES * [0.7, 0.85, 1.0]
    lights = [
        Light(name, fit_polynomial(patches, STANDARD_PATCHES),
              fit_polynomial(STANDARD_PATCHES, patches))
        for name, patches in (("dog", warm), ("sky", cold))
    ]  # fmt: skip
    made = builder(tmp_path, "ccharmony", lights=lights)
    rows = run(made, tmp_path)
    (dog,) = [row for row in rows if row.photo == "dog.png"]
    assert dog.reference == "dog -> sky"  # a photo named as a light is in that light
    (pair,) = [pair for pair in list_pairs(made.out) if pair.name == dog.name]
    composite, mask, real = read_triple(pair)
    wanted = change_light(unit_range(real), lights[0].to_standard, lights[1].from_standard) * 255
    inside = mask == 1
    np.testing.assert_allclose(composite[inside], wanted[inside], atol=0.51)


def test_a_lut_triplet_is_one_photo_under_two_looks(tmp_path):
    made = builder(tmp_path, "luts")
    for row in run(made, tmp_path):
        names = {"content_images": row.name, "reference_images": row.name}
        names |= {"composite_images": row.name, "real_images": row.name.rsplit("_", 2)[0]}
        images = {
            folder: np.asarray(Image.open(made.out / folder / f"{name}.png"))
            for folder, name in names.items()
        }
        mask = np.asarray(Image.open(made.out / "masks" / f"{row.name.rsplit('_', 1)[0]}.png"))
        content, composite = images["content_images"], images["composite_images"]
        assert content.shape == composite.shape == images["real_images"].shape
        assert np.array_equal(composite[mask == 255], content[mask == 255])
        assert np.array_equal(composite[mask == 0], images["real_images"][mask == 0])
        assert images["reference_images"].shape[2] == 3


def test_large_photos_are_brought_to_size(tmp_path):
    write_photos(tmp_path / "photos")
    big = Image.open(tmp_path / "photos" / "photos" / "dog.png").resize((301, 199))
    big.save(tmp_path / "photos" / "photos" / "dog.png")
    Image.fromarray(disc(199, 301)).save(tmp_path / "photos" / "masks" / "dog_1.png")
    made = builder(tmp_path, size_px=64)
    run(made, tmp_path)
    assert {max(Image.open(p).size) for p in (made.out / "real_images").iterdir()} == {64}


def test_what_cannot_be_built_is_told(tmp_path):
    made = builder(tmp_path)
    run(made, tmp_path)
    with pytest.raises(DatasetError, match="holds another set"):
        run(builder(tmp_path, seed=3), tmp_path)
    with pytest.raises(UsageError, match="no kind 'moon': choose one of iharmony4"):
        run(builder(tmp_path, "moon", "new"), tmp_path)
    with pytest.raises(UsageError, match="wanted at least 1"):
        run(builder(tmp_path, out="new"), tmp_path, per_mask=0)
    with pytest.raises(UsageError, match="too small"):
        run(builder(tmp_path, out="new", size_px=3), tmp_path)
    assert not (tmp_path / "new").exists()
    Image.new("L", (30, 90)).save(tmp_path / "photos" / "masks" / "dog_1.png")
    read_scene.cache_clear()
    with pytest.raises(MaskError, match="wanted a mask of the photo's proportions"):
        run(builder(tmp_path, out="new"), tmp_path)
    for mask in (tmp_path / "photos" / "masks").iterdir():
        mask.unlink()
    with pytest.raises(DatasetError, match="no masks in"):
        masked_photos(tmp_path / "photos")


def test_an_empty_mask_makes_no_composite(tmp_path):
    write_photos(tmp_path / "photos")
    Image.fromarray(disc() * 0).save(tmp_path / "photos" / "masks" / "dog_1.png")
    made = builder(tmp_path)
    assert sum(row is None for row in run(made, tmp_path)) == 1
    assert len(list_pairs(made.out)) == 2

import numpy as np
import pytest
from PIL import Image

from samelight.color.spaces import srgb_to_linear
from samelight.lab.data import views
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from tests.lab.pictures import HEIGHT, WIDTH, disc, write_photos

SIZE = 48
PLAIN = {
    "borrowed_mask": 0.0,
    "inverted": 0.0,
    "softened": 0.0,
    "relit": 0.0,
    "untouched": 0.0,
    "rough_mask": 0.0,
    "noisy": 0.0,
    "compressed": 0.0,
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return PhotoFolder(write_photos(tmp_path_factory.mktemp("photos")), in_memory=True)


def examples(view, photos, count=12):
    return [view(photos, SIZE, np.random.default_rng(seed)) for seed in range(count)]


def test_the_same_generator_gives_the_same_example(photos):
    view = CompositeView()
    one, again, other = (view(photos, SIZE, np.random.default_rng(s)) for s in (4, 4, 5))
    for found, wanted in zip(one, again, strict=True):
        assert found.tobytes() == wanted.tobytes()
    assert not np.array_equal(one.composite, other.composite)


def test_examples_are_planes_of_float32_in_range(photos):
    for example in examples(CompositeView(), photos):
        assert example.composite.shape == example.real.shape == (3, SIZE, SIZE)
        assert example.mask.shape == (1, SIZE, SIZE)
        for plane in example:
            assert plane.dtype == np.float32
            assert plane.min() >= 0
            assert plane.max() <= 1


def test_composites_hold_8_bits(photos):
    for example in examples(CompositeView(noisy=1.0), photos):
        levels = example.composite * 255
        assert abs(levels - np.rint(levels)).max() < 1e-4


@pytest.mark.parametrize("share", [{}, {"noisy": 1.0, "compressed": 1.0, "rough_mask": 1.0}])
def test_outside_the_given_mask_nothing_is_asked(photos, share):
    changed = 0.0
    for example in examples(CompositeView(**share), photos):
        outside = np.broadcast_to(example.mask == 0, example.real.shape)
        assert np.array_equal(example.composite[outside], example.real[outside])
        changed = max(changed, abs(example.composite - example.real).max())
    assert changed > 0.1


@pytest.mark.parametrize("relit", [0.0, 1.0])
def test_an_untouched_foreground_is_the_real_one_up_to_8_bits(photos, relit):
    view = CompositeView(**PLAIN | {"untouched": 1.0, "relit": relit})
    for example in examples(view, photos):
        assert abs(example.composite - example.real).max() <= 0.5 / 255 + 1e-6


def test_a_touched_foreground_differs_and_the_mask_says_where(photos):
    for example in examples(CompositeView(**PLAIN), photos):
        inside = np.broadcast_to(example.mask == 1, example.real.shape)
        assert abs(example.composite - example.real)[inside].mean() > 1e-3


def test_without_relighting_the_real_image_is_the_photo(photos, monkeypatch):
    cut = []
    original = views._cut
    monkeypatch.setattr(views, "_cut", lambda *args: cut.append(original(*args)) or cut[-1])
    example = CompositeView(**PLAIN)(photos, SIZE, np.random.default_rng(0))
    # Between 0 and 1 the target keeps a share of the composite, as the output must.
    sure = (example.mask[0] == 0) | (example.mask[0] == 1)
    real = example.real.transpose(1, 2, 0)
    np.testing.assert_allclose(real[sure], cut[-1][0][sure], atol=1e-6)
    assert np.array_equal(example.mask[0], cut[-1][1])


def test_on_a_soft_border_the_real_foreground_is_the_best_answer(photos, monkeypatch):
    cut = []
    original = views._cut
    monkeypatch.setattr(views, "_cut", lambda *args: cut.append(original(*args)) or cut[-1])
    example = CompositeView(**PLAIN)(photos, SIZE, np.random.default_rng(0))
    photo = cut[-1][0].transpose(2, 0, 1)
    pasted = example.composite + example.mask * (photo - example.composite)
    np.testing.assert_allclose(pasted, example.real, atol=1e-6)
    assert ((example.mask > 0) & (example.mask < 1)).any()


@pytest.mark.parametrize("size_px", [32])
def test_examples_are_made_at_the_smallest_size(photos, size_px):
    for seed in range(12):
        example = CompositeView(rough_mask=1.0)(photos, size_px, np.random.default_rng(seed))
        assert example.mask.shape == (1, size_px, size_px)


def test_relighting_changes_the_background_too(photos):
    plain, relit = (
        CompositeView(**PLAIN | {"relit": share})(photos, SIZE, np.random.default_rng(1))
        for share in (0.0, 1.0)
    )
    outside = np.broadcast_to(plain.mask == 0, plain.real.shape)
    assert np.array_equal(plain.mask, relit.mask)
    assert abs(plain.real - relit.real)[outside].mean() > 5e-3


def test_an_object_may_stay_as_photographed_before_a_relit_background(photos, monkeypatch):
    cut = []
    original = views._cut
    monkeypatch.setattr(views, "_cut", lambda *args: cut.append(original(*args)) or cut[-1])
    view = CompositeView(before_relighting=1.0, as_subject=0.0, **PLAIN | {"relit": 1.0})
    example = view(photos, SIZE, np.random.default_rng(2))
    photo = cut[-1][0].transpose(2, 0, 1)
    inside = np.broadcast_to(example.mask == 1, example.real.shape)
    assert abs(example.composite - photo)[inside].max() <= 0.5 / 255 + 1e-6
    for region in (inside, np.broadcast_to(example.mask == 0, example.real.shape)):
        assert abs(example.real - photo)[region].mean() > 5e-3


def test_inverting_makes_the_background_the_foreground(photos):
    plain, inverted = (
        CompositeView(**PLAIN | {"inverted": share})(photos, SIZE, np.random.default_rng(1))
        for share in (0.0, 1.0)
    )
    np.testing.assert_allclose(inverted.mask, 1 - plain.mask, atol=1e-6)


def test_rough_masks_stay_close(photos):
    differences = []
    for seed in range(12):
        plain, rough = (
            CompositeView(**PLAIN | {"rough_mask": share})(
                photos, SIZE, np.random.default_rng(seed)
            ).mask
            for share in (0.0, 1.0)
        )
        differences.append(abs(plain - rough).mean())
    assert max(differences) < 0.1
    assert min(differences) > 0


def test_borrowed_masks_bring_in_photos_without_any(photos, monkeypatch):
    met = []
    original = PhotoFolder.photo
    monkeypatch.setattr(
        PhotoFolder, "photo", lambda self, index: met.append(index) or original(self, index)
    )
    monkeypatch.setattr(CompositeView, "_recoloured", lambda self, real, *_: real)
    examples(CompositeView(**PLAIN), photos)
    assert 2 not in met
    examples(CompositeView(**PLAIN | {"borrowed_mask": 1.0}), photos)
    assert 2 in met


def test_photo_and_mask_are_cut_and_flipped_alike(tmp_path):
    """A photo that shows its own mask must still show it after the cut."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    lopsided = np.roll(disc(), 20, axis=1)
    Image.fromarray(np.dstack([lopsided] * 3)).save(tmp_path / "photos" / "a.png")
    Image.fromarray(lopsided).save(tmp_path / "masks" / "a_1.png")
    photos = PhotoFolder(tmp_path)
    for example in examples(CompositeView(**PLAIN | {"untouched": 1.0}), photos):
        assert abs(example.real - example.mask).max() < 1e-6


def test_a_mask_of_another_size_is_fitted_to_its_photo(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.dstack([disc()] * 3)).save(tmp_path / "photos" / "a.png")
    Image.fromarray(disc()).resize((192, 144)).save(tmp_path / "masks" / "a_1.png")
    example = CompositeView(**PLAIN | {"untouched": 1.0})(
        PhotoFolder(tmp_path), SIZE, np.random.default_rng(0)
    )
    assert abs(example.real - example.mask).mean() < 0.02


@pytest.mark.parametrize("least", [0.3, 1.0])
def test_windows_are_no_smaller_than_the_smallest(least):
    """A ramp from left to right and from top to bottom says how much of itself is seen."""
    down, across = np.mgrid[0:200, 0:240].astype(np.float32)
    ramp = np.stack([down * 255 / 199, across * 255 / 239, down], axis=-1).astype(np.uint8)
    whole = np.full((200, 240), 255, np.uint8)
    seen = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        window = CompositeView(least_window=least)._draw_window(whole, rng)
        crop, _ = views._cut(ramp, whole, window, SIZE, rng)
        # From the middles of the first and the last pixel to their outer edges.
        spans = [crop[..., axis].max() - crop[..., axis].min() for axis in (0, 1)]
        seen.extend(span * SIZE / (SIZE - 1) for span in spans)
    assert min(seen) > least - 0.03
    assert min(seen) < least + 0.08


def test_windows_around_the_object_hold_all_of_it():
    mask = np.zeros((200, 240), np.uint8)
    mask[10:90, 150:222] = 255
    for share, least, most in ((1.0, 40, 40), (0.0, 0, 30)):
        view = CompositeView(around_object=share)
        windows = [view._draw_window(mask, np.random.default_rng(seed)) for seed in range(40)]
        inside = [
            w.left <= 150 / 240 and w.right >= 222 / 240 and w.top <= 0.05 and w.bottom >= 0.45
            for w in windows
        ]
        assert least <= sum(inside) <= most
        assert len({w.right - w.left for w in windows}) > 20


@pytest.fixture(scope="module")
def grainy(tmp_path_factory):
    """One photo of noise, in which blur shows everywhere."""
    root = tmp_path_factory.mktemp("grainy")
    for folder in ("photos", "masks"):
        (root / folder).mkdir()
    noise = np.random.default_rng(0).integers(60, 190, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(noise).save(root / "photos" / "a.png")
    Image.fromarray(disc()).save(root / "masks" / "a_1.png")
    return PhotoFolder(root, in_memory=True)


def sides_changed(plain, changed):
    """Whether the foreground and the background of a composite differ."""
    difference = abs(plain.composite - changed.composite).max(axis=0)
    return bool(difference[plain.mask[0] == 1].any()), bool(difference[plain.mask[0] == 0].any())


@pytest.mark.parametrize("change", ["softened", "noisy"])
def test_blur_and_grain_come_on_either_side_of_the_edge_and_on_both(grainy, change):
    plain, changed = (
        examples(CompositeView(**PLAIN | {"untouched": 1.0, change: share}), grainy, 60)
        for share in (0.0, 1.0)
    )
    met = [sides_changed(one, other) for one, other in zip(plain, changed, strict=True)]
    # The gentlest blur is none at so small a size.
    met = [sides for sides in met if any(sides)]
    assert set(met) == {(True, True), (True, False), (False, True)}
    assert min(met.count(sides) for sides in set(met)) > 3


def test_what_is_blurred_is_blurred_in_the_target_too(grainy):
    for example in examples(
        CompositeView(**PLAIN | {"untouched": 1.0, "softened": 1.0}), grainy, 20
    ):
        assert abs(example.composite - example.real).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_examples_is_left_alone(photos, share):
    view = CompositeView(**PLAIN | {"untouched": share, "relit": 0.5})
    alone = [
        abs(example.composite - example.real).max() <= 0.5 / 255 + 1e-6
        for example in examples(view, photos, 150)
    ]
    assert np.mean(alone) == pytest.approx(share, abs=0.1)


def test_a_foreground_moves_by_the_drawn_distance_or_as_far_as_its_edit_goes(photos):
    view = CompositeView(**PLAIN, distances=(20.0, 20.0), local_light=0.0)
    found = []
    for example in examples(view, photos, 60):
        inside = example.mask[0] == 1
        change = (example.composite - example.real)[:, inside]
        found.append(255 * np.sqrt(np.mean(change**2)))
    # It was measured on some of the colours only.
    assert np.quantile(found, 0.9) < 23
    assert np.median(found) == pytest.approx(20, rel=0.05)


def test_an_object_may_be_exposed_as_a_subject_before_a_relit_background(photos, monkeypatch):
    met = []

    def expose(region, rng):
        met.append(region)
        return lambda colours: np.full_like(colours, 0.6)

    monkeypatch.setattr(views, "expose_as_subject", expose)
    view = CompositeView(before_relighting=1.0, as_subject=1.0, **PLAIN | {"relit": 1.0})
    example = view(photos, SIZE, np.random.default_rng(2))
    inside = np.broadcast_to(example.mask == 1, example.real.shape)
    np.testing.assert_allclose(example.composite[inside], 0.6, atol=0.5 / 255)
    assert abs(example.real - 0.6)[inside].mean() > 0.02
    # It was exposed for the photo's object, not for what the relit one shows.
    (region,) = met
    assert 8 < len(region) <= 1200


def test_local_light_shades_what_was_recoloured(photos, monkeypatch):
    monkeypatch.setattr(views, "at_distance", lambda *_: 0.0)
    monkeypatch.setattr(views, "local_light", lambda side, rng: np.full((side, side, 1), 0.5, "f4"))
    example = CompositeView(**PLAIN, local_light=1.0)(photos, SIZE, np.random.default_rng(0))
    inside = np.broadcast_to(example.mask == 1, example.real.shape)
    light = [srgb_to_linear(image[inside]) for image in (example.composite, example.real)]
    np.testing.assert_allclose(light[0], 0.5 * light[1], atol=0.004)
    outside = np.broadcast_to(example.mask == 0, example.real.shape)
    assert np.array_equal(example.composite[outside], example.real[outside])


def test_colours_of_an_object_are_those_under_its_mask(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    photo = np.where(disc()[..., None] > 0, [200, 100, 50], [10, 20, 30]).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "photos" / "a.png")
    Image.fromarray(disc()).save(tmp_path / "masks" / "a_1.png")
    found = views.object_colours(PhotoFolder(tmp_path), 0)
    assert len(found) > 100
    np.testing.assert_allclose(found * 255, np.broadcast_to([200, 100, 50], found.shape), atol=1e-3)

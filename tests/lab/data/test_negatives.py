import numpy as np
import pytest

from samelight.lab.data.loader import ExampleStream, examples_loader
from samelight.lab.data.negatives import ContrastView
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from tests.lab.pictures import write_photos

SIZE = 48


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return PhotoFolder(write_photos(tmp_path_factory.mktemp("photos")), in_memory=True)


def examples(view, photos, count=8):
    return [view(photos, SIZE, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_there_are_as_many_negatives_as_asked_for(photos, count):
    example = ContrastView(negatives=count)(photos, SIZE, np.random.default_rng(0))
    assert example.negatives.shape == (count, 3, SIZE, SIZE)
    assert example.negatives.dtype == np.float32


def test_negatives_are_in_range_and_real_outside_the_mask(photos):
    for example in examples(ContrastView(), photos):
        assert example.negatives.min() >= 0
        assert example.negatives.max() <= 1
        outside = np.broadcast_to(example.mask == 0, example.real.shape)
        assert outside.any()
        for wrong in example.negatives:
            assert np.array_equal(wrong[outside], example.real[outside])


def test_negatives_are_wrong_inside_and_each_in_its_own_way(photos):
    to_real, apart = [], []
    for example in examples(ContrastView(negatives=2), photos):
        inside = np.broadcast_to(example.mask > 0.5, example.real.shape)
        one, other = example.negatives
        to_real += [abs(wrong - example.real)[inside].mean() for wrong in (one, other)]
        apart.append(abs(one - other)[inside].mean())
    # Two photos have masks: a negative drawn from the example's own may come out near to it.
    assert np.median(to_real) > 0.03
    assert np.median(apart) > 0.01
    assert min(to_real) > 0


def test_a_soft_border_is_a_mixture(photos, monkeypatch):
    view = ContrastView(negatives=1)
    plain = view(photos, SIZE, np.random.default_rng(3))
    monkeypatch.setattr(
        "samelight.lab.data.negatives.colour_transfer",
        lambda *_: lambda colours, strength: np.zeros_like(colours) - 1,
    )
    black = view(photos, SIZE, np.random.default_rng(3))
    assert ((plain.mask > 0) & (plain.mask < 1)).any()
    # Colours below 0 are clipped before they are mixed in.
    np.testing.assert_allclose(black.negatives[0], (1 - black.mask) * black.real, atol=1e-6)


def test_the_composite_is_that_of_the_plain_view(photos):
    for seed in range(4):
        plain = CompositeView()(photos, SIZE, np.random.default_rng(seed))
        example = ContrastView()(photos, SIZE, np.random.default_rng(seed))
        for found, wanted in zip(example, plain, strict=False):
            assert np.array_equal(found, wanted)


def test_the_same_generator_gives_the_same_example(photos):
    view = ContrastView()
    one, again, other = (view(photos, SIZE, np.random.default_rng(s)) for s in (4, 4, 5))
    for found, wanted in zip(one, again, strict=True):
        assert found.tobytes() == wanted.tobytes()
    assert not np.array_equal(one.negatives, other.negatives)


def test_more_negatives_do_not_change_the_first(photos):
    few, many = (
        ContrastView(negatives=count)(photos, SIZE, np.random.default_rng(6)) for count in (1, 3)
    )
    assert np.array_equal(few.negatives[0], many.negatives[0])


def test_an_examples_negatives_do_not_depend_on_its_batch(photos):
    stream = ExampleStream(photos, ContrastView(), seed=0, sizes_px=(SIZE,), batch=3)
    singly = [next(examples_loader(stream, range(n, n + 1), batch=1, workers=0)) for n in range(3)]
    together = next(examples_loader(stream, range(3), batch=3, workers=0))
    for number, alone in enumerate(singly):
        for found, wanted in zip(alone, together, strict=True):
            assert found[0].numpy().tobytes() == wanted[number].numpy().tobytes()


def test_it_needs_masks():
    assert ContrastView.needs_masks

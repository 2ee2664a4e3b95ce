from dataclasses import dataclass

import numpy as np
import pytest
import torch

from samelight.lab.data.loader import ExampleStream, examples_loader
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from tests.lab.pictures import write_photos


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    photos = PhotoFolder(write_photos(tmp_path_factory.mktemp("photos")), in_memory=True)
    return ExampleStream(photos, CompositeView(), seed=3, sizes_px=(48,), batch=2)


def batches(stream, numbers, workers=0, batch=2):
    return list(examples_loader(stream, numbers, batch=batch, workers=workers))


def same(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_workers_do_not_change_the_bytes(stream):
    same(batches(stream, range(6), workers=2), batches(stream, range(6)))


def test_workers_read_files_too(tmp_path):
    """Once this process has read one, a forked one would wait for ever."""
    photos = PhotoFolder(write_photos(tmp_path))
    photos.photo(0)
    stream = ExampleStream(photos, CompositeView(), seed=3, sizes_px=(32,), batch=2)
    same(batches(stream, range(4), workers=1), batches(stream, range(4)))


def test_a_resumed_range_is_the_tail_of_the_whole(stream):
    same(batches(stream, range(4, 8)), batches(stream, range(8))[2:])


def test_an_example_depends_on_seed_and_number_alone(stream):
    alone = stream[5]
    (batch,) = batches(stream, range(4, 6))
    same([map(torch.from_numpy, alone)], [[planes[1] for planes in batch]])
    reseeded = ExampleStream(stream.photos, stream.view, seed=4, sizes_px=(48,), batch=2)[5]
    assert not np.array_equal(alone.composite, reseeded.composite)
    assert not np.array_equal(alone.composite, stream[4].composite)


def test_batches_are_full_and_shaped_as_a_batch(stream):
    (batch,) = batches(stream, range(5), batch=3)
    assert [tuple(t.shape) for t in batch] == [(3, 3, 48, 48), (3, 3, 48, 48), (3, 1, 48, 48)]
    assert {t.dtype for t in batch} == {torch.float32}


@dataclass(frozen=True)
class Sides:
    """An example that tells nothing but its size."""

    def __call__(self, photos, size_px, rng):
        return (np.zeros((1, size_px, size_px), np.float32),)


def sides(first=0, count=40, batch=4):
    stream = ExampleStream(
        None, Sides(), seed=1, sizes_px=(8, 12, 12, 16), batch=batch, first=first
    )
    return [stream[number][0].shape[-1] for number in range(first, first + count)]


@pytest.mark.parametrize("first", [0, 4, 6], ids=["at the start", "later", "off the beat"])
def test_sizes_are_equal_within_a_batch_and_differ_between_batches(first):
    found = np.reshape(sides(first), (-1, 4))
    assert (found == found[:, :1]).all()
    assert len(set(found[:, 0])) > 1


def test_a_size_that_is_named_twice_comes_twice_as_often():
    found = sides(count=1600)[::4]
    assert {side: round(found.count(side) / 40) / 10 for side in set(found)} == pytest.approx(
        {8: 0.25, 12: 0.5, 16: 0.25}, abs=0.06
    )


def test_a_batchs_size_does_not_depend_on_where_the_range_began():
    assert sides(first=8, count=32) == sides()[8:]


def test_an_empty_range_has_no_batches(stream):
    assert batches(stream, range(8, 4)) == []

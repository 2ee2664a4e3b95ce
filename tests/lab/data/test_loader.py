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
    return ExampleStream(photos, CompositeView(), size_px=48, seed=3)


def batches(stream, numbers, workers=0, batch=2):
    return list(examples_loader(stream, numbers, batch=batch, workers=workers))


def same(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_workers_do_not_change_the_bytes(stream):
    same(batches(stream, range(6), workers=2), batches(stream, range(6)))


def test_a_resumed_range_is_the_tail_of_the_whole(stream):
    same(batches(stream, range(4, 8)), batches(stream, range(8))[2:])


def test_an_example_depends_on_seed_and_number_alone(stream):
    alone = stream[5]
    (batch,) = batches(stream, range(4, 6))
    same([map(torch.from_numpy, alone)], [[planes[1] for planes in batch]])
    reseeded = ExampleStream(stream.photos, stream.view, size_px=48, seed=4)[5]
    assert not np.array_equal(alone.composite, reseeded.composite)
    assert not np.array_equal(alone.composite, stream[4].composite)


def test_batches_are_full_and_shaped_as_a_batch(stream):
    (batch,) = batches(stream, range(5), batch=3)
    assert [tuple(t.shape) for t in batch] == [(3, 3, 48, 48), (3, 3, 48, 48), (3, 1, 48, 48)]
    assert {t.dtype for t in batch} == {torch.float32}


def test_an_empty_range_has_no_batches(stream):
    assert batches(stream, range(8, 4)) == []

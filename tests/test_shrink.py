import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from samelight.shrink import WHOLE, Window, shrink, window_around


def mask_of(height, width, top, bottom, left, right):
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


@pytest.mark.parametrize(
    ("mask", "window"),
    [
        # Twice the object's sides, around it.
        (mask_of(100, 200, 40, 65, 80, 130), Window(0.275, 0.275, 0.775, 0.775)),
        # At least two fifths of the photo's.
        (mask_of(100, 200, 50, 51, 100, 101), Window(0.3025, 0.305, 0.7025, 0.705)),
        # Moved inwards at the border.
        (mask_of(100, 200, 0, 30, 190, 200), Window(0.6, 0.0, 1.0, 0.6)),
        # No more than all of it.
        (mask_of(100, 200, 10, 70, 0, 200), WHOLE),
    ],
)
def test_a_window_around_an_object(mask, window):
    np.testing.assert_allclose(window_around(mask), window)


@given(
    st.tuples(st.integers(0, 39), st.integers(1, 40)),
    st.tuples(st.integers(0, 59), st.integers(1, 60)),
)
def test_a_window_lies_in_the_photo_and_holds_the_object(rows, columns):
    top, bottom = rows[0], min(40, sum(rows))
    left, right = columns[0], min(60, sum(columns))
    mask = mask_of(40, 60, top, bottom, left, right)
    box = window_around(mask).box(60, 40)
    slack = 1e-9
    assert 0 <= box[0] <= left + slack
    assert right - slack <= box[2] <= 60
    assert 0 <= box[1] <= top + slack
    assert bottom - slack <= box[3] <= 40
    assert box[2] - box[0] >= 0.4 * 60 - slack
    assert box[3] - box[1] >= 0.4 * 40 - slack
    assert shrink(mask, 8, window_around(mask)).any()


def test_a_window_that_was_rounded_beyond_the_border_is_seen():
    beyond = Window(0.7, 0.7, 1.0000000000000002, 1.0000000000000002)
    assert beyond.box(7, 3) == pytest.approx((4.9, 2.1, 7, 3))
    assert shrink(np.full((3, 7), 255, np.uint8), 4, beyond).min() == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(64, 64), (700, 500, 3), (801, 1203)])
@pytest.mark.parametrize("window", [Window(0.1, 0.25, 0.6, 1.0), Window(0.47, 0.0, 0.93, 0.41)])
def test_a_window_is_seen_as_if_it_had_been_cut_out(rng, dtype, shape, window):
    coarse = rng.random((9, 11, *shape[2:]))
    unit = np.kron(coarse, np.ones((100, 200, *[1] * len(shape[2:]))))[: shape[0], : shape[1]]
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    small = shrink((unit * white).astype(dtype), 32, window)
    box = np.array(window) * [shape[1], shape[0], shape[1], shape[0]]
    eight_bits = Image.fromarray((unit * 255).astype(np.uint8))
    plain = eight_bits.resize((32, 32), Image.Resampling.BILINEAR, box=tuple(box))
    assert abs(small - np.asarray(plain) / 255).mean() < 0.01

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from samelight.render.resample import WHOLE, Window, resample, window_around

RULE = {"around": 2.5, "least": 0.4}


def mask_of(height, width, top, bottom, left, right):
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


@pytest.mark.parametrize(
    ("mask", "window"),
    [
        # Two and a half times the object's sides, around it.
        (mask_of(100, 200, 40, 60, 80, 120), Window(0.25, 0.25, 0.75, 0.75)),
        # At least two fifths of the photo's.
        (mask_of(100, 200, 50, 51, 100, 101), Window(0.3025, 0.305, 0.7025, 0.705)),
        # Moved inwards at the border.
        (mask_of(100, 200, 0, 20, 190, 200), Window(0.6, 0.0, 1.0, 0.5)),
        # No more than all of it.
        (mask_of(100, 200, 10, 70, 0, 200), WHOLE),
    ],
)
def test_a_window_around_an_object(mask, window):
    np.testing.assert_allclose(window_around(mask, **RULE), window)


@given(
    st.tuples(st.integers(0, 39), st.integers(1, 40)),
    st.tuples(st.integers(0, 59), st.integers(1, 60)),
)
def test_a_window_lies_in_the_photo_and_holds_the_object(rows, columns):
    top, bottom = rows[0], min(40, sum(rows))
    left, right = columns[0], min(60, sum(columns))
    mask = mask_of(40, 60, top, bottom, left, right)
    box = window_around(mask, **RULE).box(60, 40)
    slack = 1e-9
    assert 0 <= box[0] <= left + slack
    assert right - slack <= box[2] <= 60
    assert 0 <= box[1] <= top + slack
    assert bottom - slack <= box[3] <= 40
    assert box[2] - box[0] >= 0.4 * 60 - slack
    assert box[3] - box[1] >= 0.4 * 40 - slack
    assert resample(mask, 8, window_around(mask, **RULE)).any()


def test_a_window_that_was_rounded_ends_at_the_border():
    assert Window(0.7, 0.7, 1.0000000000000002, 1.0000000000000002).box(7, 3)[2:] == (7, 3)


@pytest.mark.parametrize(("haze", "object_"), [(1e-6, 1.0), (0.1, 0.5), (0.0, 1e-3)])
def test_haze_does_not_widen_the_window(haze, object_):
    clear = mask_of(100, 150, 40, 60, 70, 90)
    hazy = np.where(clear, np.float32(object_), np.float32(haze))
    assert window_around(hazy, **RULE) == window_around(clear, **RULE)


@pytest.mark.parametrize("compiled", [True, False], ids=["kernel", "pillow"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(64, 64), (700, 500, 3), (801, 1203)])
@pytest.mark.parametrize("window", [Window(0.1, 0.25, 0.6, 1.0), Window(0.47, 0.0, 0.93, 0.41)])
def test_a_window_is_seen_as_if_it_had_been_cut_out(
    rng, without_kernel, compiled, dtype, shape, window
):
    block = (5, 3) if shape[0] == 64 else (7, 13)
    coarse = rng.random((1 + shape[0] // block[0], 1 + shape[1] // block[1], *shape[2:]))
    unit = np.kron(coarse, np.ones((*block, *[1] * len(shape[2:]))))[: shape[0], : shape[1]]
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    values = (unit * white).astype(dtype)
    run = resample if compiled else lambda *given: without_kernel(resample, *given)
    eight_bits = Image.fromarray((unit * 255).astype(np.uint8))
    box = window.box(shape[1], shape[0])
    plain = eight_bits.resize((32, 32), Image.Resampling.BILINEAR, box=box)
    assert abs(run(values, 32, window) - np.asarray(plain) / 255).mean() < 0.01

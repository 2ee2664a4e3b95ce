import struct
from typing import Any

import numpy as np
import pytest

from samelight.io.metadata.exif import pixels_per_mm, resolution_tags, upright_exif, with_resolution
from samelight.io.metadata.ifd import read_directory

SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7


def hand_made(order, orientation=6, thumbnail=b"JPEG of before", behind=b""):
    """A block by hand: orientation, resolution 72 x 300, 640 x 480 pixels, a thumbnail."""
    pack = lambda form, *values: struct.pack(order + form, *values)  # noqa: E731
    mark = {"<": b"II", ">": b"MM"}[order]
    first, ratios = 8, 8 + 2 + 4 * 12 + 4
    below = ratios + 16
    second = below + 2 + 2 * 12 + 4
    picture = second + 2 + 2 * 12 + 4
    return b"".join(
        [
            mark, pack("HI", 42, first), pack("H", 4),
            pack("HHIHH", 274, SHORT, 1, orientation, 0),
            pack("HHII", 282, RATIONAL, 1, ratios),
            pack("HHII", 283, RATIONAL, 1, ratios + 8),
            pack("HHII", 34665, LONG, 1, below),
            pack("I", second),
            pack("4I", 72, 1, 300, 1),
            pack("H", 2),
            pack("HHIHH", 40962, SHORT, 1, 640, 0),
            pack("HHII", 40963, LONG, 1, 480),
            pack("I", 0),
            pack("H", 2),
            pack("HHII", 513, LONG, 1, picture),
            pack("HHII", 514, LONG, 1, len(thumbnail)),
            pack("I", 0),
            thumbnail, behind,
        ]
    )  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_half_turn_resets_the_orientation_and_nothing_else(order):
    before = hand_made(order, 3)
    after = upright_exif(before, 3)
    unhooked = len(hand_made(order, 3, b""))
    assert len(after) == unhooked
    changed = [i for i in range(unhooked) if before[i] != after[i]]
    tags = read_directory(after)
    assert tags[274].numbers() == (1,)
    # The orientation, and the link to the thumbnail's directory.
    assert set(changed) <= {18, 19, *range(8 + 2 + 48, 8 + 2 + 52)}


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_quarter_turn_swaps_width_and_height(order):
    tags: Any = read_directory(upright_exif(hand_made(order), 6))
    assert pixels_per_mm(tags) == pytest.approx((300 / 25.4, 72 / 25.4))
    # They are of different kinds here, a short and a long number, and stay as they are.
    assert tags[34665].value[40962].numbers() == (640,)
    same_kind = hand_made(order).replace(
        struct.pack(f"{order}HHIHH", 40962, SHORT, 1, 640, 0),
        struct.pack(f"{order}HHII", 40962, LONG, 1, 640),
    )
    below: Any = read_directory(upright_exif(same_kind, 8))[34665].value
    assert (below[40962].numbers(), below[40963].numbers()) == ((480,), (640,))


@pytest.mark.parametrize("behind", [b"", b"maker's notes"])
def test_the_thumbnail_is_wiped(behind):
    after = upright_exif(hand_made("<", behind=behind), 1)
    assert b"JPEG of before" not in after
    assert after.endswith(behind)
    assert read_directory(after, page=1) == {}


@pytest.mark.parametrize("block", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*"])
def test_what_cannot_be_read_stays(block):
    assert upright_exif(block, 6) == block


def test_a_block_cut_short_stays_or_shrinks():
    whole = hand_made("<")
    for end in range(len(whole)):
        assert len(upright_exif(whole[:end], 6)) <= end


def test_a_resolution_is_added_only_where_there_is_none():
    density = (300 / 25.4, 300 / 25.4)
    made = with_resolution(None, density)
    assert pixels_per_mm(read_directory(made)) == pytest.approx(density)
    assert with_resolution(None, None) is None
    assert with_resolution(made, (1.0, 1.0)) == made


@pytest.mark.parametrize("block", [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"])
def test_a_resolution_is_added_in_the_blocks_byte_order(block):
    order = {b"I": "<", b"M": ">"}[block[:1]]
    named = block + struct.pack(f"{order}HHHI4sI", 1, 271, 2, 4, b"abc\0", 0)
    both = read_directory(with_resolution(named, (10.0, 20.0)))
    assert {271, 282, 283, 296} == both.keys()
    assert both[271].value == b"abc\0"
    assert pixels_per_mm(both) == pytest.approx((10, 20))


@pytest.mark.parametrize(
    "block", [b"", b"garbage", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\1"]
)
def test_nothing_is_added_to_what_cannot_be_read(block):
    assert with_resolution(block, (10.0, 20.0)) == block


def test_a_resolution_of_unknown_unit_is_none():
    tags = resolution_tags((2.0, 4.0))
    assert pixels_per_mm(tags) == pytest.approx((2, 4))
    assert pixels_per_mm(tags | {296: tags[296]._replace(value=b"\1\0")}) is None
    assert pixels_per_mm(tags | {296: tags[296]._replace(value=b"\3\0")}) == pytest.approx(
        np.array((2, 4)) * 2.54
    )
    assert pixels_per_mm({}) is None


def test_a_subdirectory_of_many_values_is_none():
    many = b"MM\0*" + struct.pack(">IHHHIIIQ", 8, 1, 34665, LONG, 4, 26, 0, 0) + bytes(8)
    assert read_directory(many) == {}

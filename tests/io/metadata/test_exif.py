import struct

import pytest

from samelight.io.metadata.exif import with_orientation_reset


def exif_block(order, orientation):
    """One directory of two tags, by hand: an image width, and the orientation."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    width = struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 640, 0)
    turned = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 2) + width + turned + b"\0\0\0\0"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_only_the_orientation_changes(order, prefix):
    assert with_orientation_reset(prefix + exif_block(order, 6)) == prefix + exif_block(order, 1)


@pytest.mark.parametrize("block", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff"])
def test_what_cannot_be_read_stays(block):
    assert with_orientation_reset(block) == block


def test_a_directory_cut_short_stays():
    block = exif_block("<", 6)[:15]
    assert with_orientation_reset(block) == block

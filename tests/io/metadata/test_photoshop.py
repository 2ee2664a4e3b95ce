import struct

import numpy as np
import pytest
from PIL import Image

from samelight.io.metadata.photoshop import (
    has_paths,
    iptc_of,
    others_of,
    resource_of_iptc,
    without_paths,
)
from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo, write_photo

KEYWORD = b"\x1c\x02\x19\0\2kw" + b"\x1c\x02\x50\0\3me\0"


def resource(number, data, name=b""):
    named = bytes([len(name)]) + name
    named += b"\0" * (len(named) % 2)
    return b"8BIM" + struct.pack(">H", number) + named + struct.pack(">I", len(data)) + data + (
        b"\0" * (len(data) % 2)
    )  # fmt: skip


PATH, THUMBNAIL = resource(2000, b"path" * 13, b"a mug"), resource(1036, b"JPEG of before")
PRINT = resource(1011, b"\1\2\3")


def test_data_sets_are_found_among_other_resources():
    assert iptc_of(PRINT + resource_of_iptc(KEYWORD) + PATH) == KEYWORD
    assert iptc_of(PRINT) is None
    assert iptc_of(b"") is None


def test_what_is_carried_otherwise_or_shows_the_old_photo_is_left_out():
    assert others_of(THUMBNAIL + PRINT + resource_of_iptc(KEYWORD) + PATH) == PRINT + PATH
    assert others_of(THUMBNAIL) is None


def test_paths_are_known():
    assert has_paths(PRINT + PATH)
    assert not has_paths(PRINT)
    assert without_paths(PATH + PRINT) == PRINT
    assert without_paths(PATH) is None


@pytest.mark.parametrize("end", range(len(resource_of_iptc(KEYWORD))))
def test_resources_cut_short(end):
    found = iptc_of(resource_of_iptc(KEYWORD)[:end])
    assert found is None or KEYWORD.startswith(found)


@pytest.fixture
def photo():
    return Photo(np.zeros((8, 6, 3), np.uint8), metadata=Metadata(iptc=KEYWORD, photoshop=PATH))


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_jpeg_and_tiff_carry_paths(tmp_path, photo, suffix):
    assert not write_photo(tmp_path / f"out{suffix}", photo)
    assert read_photo(tmp_path / f"out{suffix}").metadata == photo.metadata


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif"])
def test_other_formats_say_that_they_cannot(tmp_path, photo, suffix):
    notes = write_photo(tmp_path / f"out{suffix}", photo)
    assert notes[-1].text.endswith("cannot hold clipping paths: left out")


def test_more_than_a_segment_of_jpeg_is_carried(tmp_path, photo):
    many = Metadata(photoshop=resource(2001, bytes(range(256)) * 500))
    assert not write_photo(tmp_path / "out.jpg", Photo(photo.pixels, metadata=many))
    assert read_photo(tmp_path / "out.jpg").metadata == many


def test_paths_do_not_stay_with_a_photo_that_is_turned(tmp_path, photo):
    write_photo(tmp_path / "in.jpg", photo)
    exif = Image.Exif()
    exif[0x0112] = 6
    block = b"\xff\xe1" + struct.pack(">H", 2 + len(exif.tobytes())) + exif.tobytes()
    data = (tmp_path / "in.jpg").read_bytes()
    (tmp_path / "in.jpg").write_bytes(data[:2] + block + data[2:])
    turned = read_photo(tmp_path / "in.jpg")
    assert [note.kind for note in turned.notes] == ["photo-paths"]
    assert (turned.metadata.iptc, turned.metadata.photoshop) == (KEYWORD, None)

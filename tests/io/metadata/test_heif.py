import struct

import numpy as np
import pytest
from PIL import Image

from samelight.errors import PhotoError
from samelight.io.metadata.heif import primary_cicp
from samelight.io.photo import read_photo


@pytest.fixture
def avif(tmp_path):
    """A file whose nclx says sRGB (1, 13, 6), as Pillow writes it."""
    path = tmp_path / "photo.avif"
    Image.fromarray(np.full((16, 24, 3), 120, np.uint8)).save(path)
    data = path.read_bytes()
    assert b"colrnclx\x00\x01\x00\x0d\x00\x06\x80" in data

    def with_colours(primaries, transfer):
        new = b"colrnclx" + struct.pack(">HHHB", primaries, transfer, 6, 0x80)
        path.write_bytes(data.replace(b"colrnclx\x00\x01\x00\x0d\x00\x06\x80", new))
        return path

    return with_colours


def test_srgb_needs_no_profile(avif):
    assert read_photo(avif(1, 13)).icc is None


def test_other_colours_become_a_profile(avif):
    assert read_photo(avif(12, 13)).icc[16:20] == b"RGB "


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused_in_words(avif, transfer, name):
    with pytest.raises(PhotoError, match=rf"high dynamic range \({name}\): export it as SDR"):
        read_photo(avif(9, transfer))


def test_colours_of_another_item_do_not_count():
    def box(name, body):
        return struct.pack(">I4s", 8 + len(body), name) + body

    def colours(primaries):
        return box(b"colr", b"nclx" + struct.pack(">HHHB", primaries, 13, 6, 0x80))

    def meta(primary, large):
        width = "I" if large else "H"
        ids = struct.pack(f">{width}", primary)
        associations = b"".join(
            struct.pack(f">{width}BB", item, 1, 0x80 | index) for item, index in ((1, 2), (2, 1))
        )
        ipma = box(b"ipma", bytes([large, 0, 0, 0]) + struct.pack(">I", 2) + associations)
        properties = box(b"iprp", box(b"ipco", colours(9) + colours(12)) + ipma)
        return bytes(4) + box(b"pitm", bytes([large, 0, 0, 0]) + ids) + properties

    for large in (False, True):
        assert primary_cicp(meta(1, large)).primaries == 12
        assert primary_cicp(meta(2, large)).primaries == 9
        assert primary_cicp(meta(3, large)) is None


@pytest.mark.parametrize("end", range(0, 300, 7))
def test_boxes_cut_short(avif, end):
    data = avif(12, 13).read_bytes()
    start = data.index(b"meta") + 4
    assert primary_cicp(data[start : start + end]) is None or end > 150


def test_associated_alpha_is_divided_out(tmp_path):
    cutout = Image.fromarray(np.full((16, 16, 4), [200, 100, 50, 128], np.uint8))
    cutout.save(tmp_path / "in.avif", quality=100, alpha_premultiplied=True)
    photo = read_photo(tmp_path / "in.avif")
    assert abs(photo.pixels[8, 8].astype(int) - (200, 100, 50)).max() <= 2


def test_an_impossible_size_is_damage_and_nothing_else_is_said(tmp_path, capfd):
    path = tmp_path / "in.avif"
    Image.new("RGB", (16, 24)).save(path)
    size = b"ispe" + bytes(4)
    path.write_bytes(path.read_bytes().replace(size + b"\0", size + b"\x10"))
    with pytest.raises(PhotoError, match="is damaged"):
        read_photo(path)
    assert capfd.readouterr().err == ""


def test_words_of_libvips_that_are_no_text_are_damage_once(tmp_path, rng):
    path = tmp_path / "in.avif"
    Image.fromarray(rng.integers(0, 256, (24, 16, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    # An essential property of no known kind: its name is quoted.
    odd = whole.replace(b"pixi", b"au\xef\xa3").replace(b"\1\2\x83\4", b"\1\x82\x83\4")
    path.write_bytes(odd)
    with pytest.raises(PhotoError):
        read_photo(path)
    path.write_bytes(whole)
    assert read_photo(path).pixels.shape == (24, 16, 3)

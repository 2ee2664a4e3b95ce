import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from samelight.errors import PhotoError
from samelight.io.photo import Photo, read_photo, write_photo
from tests.profiles import DISPLAY_P3, gray_profile, rgb_profile

TEXT = (b"tEXt", b"parameters\0a prompt, steps: 20")
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


@pytest.fixture
def png(tmp_path):
    """Writes a PNG with further chunks behind its header."""

    def write(*chunks, mode="RGB", **options):
        path = tmp_path / "in.png"
        Image.effect_noise((12, 9), 40).convert(mode).save(path, **options)
        data = path.read_bytes()
        for name, body in reversed(chunks):
            check = struct.pack(">I", zlib.crc32(name + body))
            data = data[:33] + struct.pack(">I", len(body)) + name + body + check + data[33:]
        path.write_bytes(data)
        return path

    return write


def chunks_of(path):
    data, place, found = path.read_bytes(), 8, []
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        found.append((name, data[place + 8 : place + 8 + size]))
        place += 12 + size
    return found


@pytest.mark.parametrize(
    "chunk",
    [
        TEXT,
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"a comment")),
        (b"iTXt", b"Title\0\0\0fr\0titre\0" + "été".encode()),
        (b"cICP", bytes([12, 13, 0, 1])),
        (b"gAMA", struct.pack(">I", 100_000)),
        (b"cHRM", struct.pack(">8I", *SRGB_CHROMATICITIES)),
        (b"sRGB", b"\1"),
        (b"sBIT", bytes([5, 6, 5])),
    ],
)
def test_its_own_chunks_are_carried_to_the_bit(png, tmp_path, chunk):
    photo = read_photo(png(chunk))
    assert not write_photo(tmp_path / "out.png", photo)
    names = [name for name, _ in chunks_of(tmp_path / "out.png")]
    assert chunk in chunks_of(tmp_path / "out.png")
    assert names == [b"IHDR", chunk[0], b"IDAT", b"IEND"]


def test_other_formats_say_that_they_cannot_hold_texts(png, tmp_path):
    (note,) = write_photo(tmp_path / "out.jpg", read_photo(png(TEXT)))
    assert note.kind == "output-loss"
    assert note.text.endswith("out.jpg cannot hold the texts of a PNG: left out")


def test_colours_by_numbers_become_a_profile_elsewhere(png, tmp_path):
    photo = read_photo(png((b"cICP", bytes([12, 13, 0, 1]))))
    assert not write_photo(tmp_path / "out.jpg", photo)
    assert read_photo(tmp_path / "out.jpg").icc == photo.icc
    assert photo.icc[16:20] == b"RGB "


def test_code_points_go_before_a_profile_and_gamma_after_it(png):
    icc = rgb_profile(DISPLAY_P3)
    gamma = (b"gAMA", struct.pack(">I", 100_000))
    assert read_photo(png(gamma, icc_profile=icc)).icc == icc
    assert read_photo(png((b"cICP", bytes([1, 13, 0, 1])), icc_profile=icc)).icc is None


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((9, 16, 0, 1), "high dynamic range .PQ."),
        ((9, 18, 0, 1), "high dynamic range .HLG."),
        ((1, 13, 0, 0), "video levels"),
        ((1, 99, 0, 1), "unknown kind .primaries 1, transfer 99."),
    ],
)
def test_colours_that_cannot_be_carried_are_refused_in_words(png, points, said):
    with pytest.raises(PhotoError, match=said):
        read_photo(png((b"cICP", bytes(points))))


def test_bits_of_gray_become_bits_of_rgb(png, tmp_path):
    photo = read_photo(png((b"sBIT", b"\5"), mode="L"))
    write_photo(tmp_path / "out.png", photo)
    assert (b"sBIT", b"\5\5\5") in chunks_of(tmp_path / "out.png")
    photo = read_photo(png((b"sBIT", b"\5\7"), mode="LA"))
    write_photo(tmp_path / "out.png", photo)
    assert (b"sBIT", b"\5\5\5\7") in chunks_of(tmp_path / "out.png")


def test_what_described_the_gray_goes_with_its_profile(png, tmp_path):
    photo = read_photo(png((b"gAMA", struct.pack(">I", 100_000)), TEXT, mode="L",
                           icc_profile=gray_profile(1.8)))  # fmt: skip
    write_photo(tmp_path / "out.png", photo)
    names = [name for name, _ in chunks_of(tmp_path / "out.png")]
    assert names == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]


def test_a_large_exif_block_is_carried_and_jpeg_says_that_it_cannot(png, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "x" * 70_000
    photo = read_photo(png(exif=exif))
    assert len(photo.metadata.exif) > 70_000
    assert not write_photo(tmp_path / "out.png", photo)
    assert read_photo(tmp_path / "out.png").metadata.exif == photo.metadata.exif
    (note,) = write_photo(tmp_path / "out.jpg", photo)
    assert "cannot hold 70" in note.text
    assert "bytes of EXIF" in note.text


def test_compressed_xmp_is_read_and_a_bomb_is_not(png):
    head = b"XML:com.adobe.xmp\0\1\0\0\0"
    assert read_photo(png((b"iTXt", head + zlib.compress(b"<x/>")))).metadata.xmp == b"<x/>"
    bomb = head + zlib.compress(bytes(100 << 20))
    assert len(read_photo(png((b"iTXt", bomb))).metadata.xmp) == 64 << 20


def test_a_damaged_chunk_says_nothing(png):
    path = png(TEXT)
    path.write_bytes(path.read_bytes().replace(b"a prompt", b"a promis"))
    assert not read_photo(path).metadata.own


def test_no_resolution_is_invented(tmp_path):
    write_photo(tmp_path / "out.png", Photo(np.zeros((4, 4, 3), np.uint8)))
    assert [name for name, _ in chunks_of(tmp_path / "out.png")] == [b"IHDR", b"IDAT", b"IEND"]


def test_pillow_reads_the_texts(png, tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "me")
    info.add_itxt("Title", "été")
    write_photo(tmp_path / "out.png", read_photo(png(pnginfo=info)))
    with Image.open(tmp_path / "out.png") as image:
        assert image.text == {"Author": "me", "Title": "été"}

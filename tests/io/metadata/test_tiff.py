import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from samelight.errors import PhotoError
from samelight.io.metadata.ifd import read_directory
from samelight.io.metadata.record import Metadata
from samelight.io.metadata.tiff import read_tiff, tiff_kind
from samelight.io.photo import Photo, read_photo, write_photo

MAKE, EXIF_FOLDER, EXPOSURE, LENS = 0x010F, 0x8769, 0x829A, 0xA434


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (33, 47, 3), dtype=np.uint8)


def exif_block():
    exif = Image.Exif()
    exif[MAKE] = "a camera of many letters"
    exif[0x0112] = 1
    exif.get_ifd(EXIF_FOLDER)[EXPOSURE] = IFDRational(1, 250)
    exif.get_ifd(EXIF_FOLDER)[LENS] = "a lens"
    return exif.tobytes().removeprefix(b"Exif\0\0")


def check(exif):
    assert exif[MAKE].rstrip("\0") == "a camera of many letters"
    assert float(exif.get_ifd(EXIF_FOLDER)[EXPOSURE]) == pytest.approx(1 / 250)
    assert exif.get_ifd(EXIF_FOLDER)[LENS].rstrip("\0") == "a lens"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_files_carry_exif_both_ways(tmp_path, pixels, dtype):
    pixels = pixels.astype(dtype)
    write_photo(tmp_path / "photo.tif", Photo(pixels, metadata=Metadata(exif_block())))
    if dtype == np.uint8:
        with Image.open(tmp_path / "photo.tif") as image:
            check(image.getexif())
            assert np.array_equal(np.asarray(image), pixels)
    back = read_photo(tmp_path / "photo.tif")
    assert np.array_equal(back.pixels, pixels)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + back.metadata.exif)
    check(exif)
    write_photo(tmp_path / "photo.jpg", back)
    with Image.open(tmp_path / "photo.jpg") as image:
        check(image.getexif())


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_every_byte_order_and_size_of_offsets_is_read(tmp_path, pixels, byteorder, bigtiff):
    tifffile.imwrite(
        tmp_path / "photo.tif",
        pixels,
        byteorder=byteorder,
        bigtiff=bigtiff,
        software="a program of many letters",
        resolution=(300, 150),
        resolutionunit="INCH",
        extratags=[(33432, 2, 3, "me", True)],
    )
    found = read_tiff(tmp_path / "photo.tif").metadata
    tags = read_directory(found.exif)
    assert tags[305].value == b"a program of many letters\0"
    assert tags[33432].value == b"me\0"
    assert found.pixels_per_mm == pytest.approx((300 / 25.4, 150 / 25.4))


def test_the_tags_are_those_of_the_page_asked_for(tmp_path, pixels):
    with tifffile.TiffWriter(tmp_path / "photo.tif") as file:
        for name in ("one", "two"):
            file.write(pixels, description=name, metadata=None)
    tags = [read_directory(read_tiff(tmp_path / "photo.tif", n).metadata.exif) for n in (0, 1)]
    assert [tag[270].value for tag in tags] == [b"one\0", b"two\0"]
    assert read_tiff(tmp_path / "photo.tif", 2).metadata == Metadata()


def test_a_file_that_says_nothing_goes_on_saying_nothing(tmp_path):
    write_photo(tmp_path / "photo.tif", Photo(np.zeros((4, 4, 3), np.uint8)))
    assert read_photo(tmp_path / "photo.tif").metadata == Metadata()
    with tifffile.TiffFile(tmp_path / "photo.tif") as file:
        names = {tag.name for tag in file.pages[0].tags}
    assert not names & {"XResolution", "YResolution", "ResolutionUnit", "Orientation"}


@pytest.mark.parametrize("block", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff"])
def test_a_block_that_cannot_be_read_is_left_out(tmp_path, block):
    photo = Photo(np.zeros((4, 4, 3), np.uint8), metadata=Metadata(block))
    write_photo(tmp_path / "photo.tif", photo)
    assert read_photo(tmp_path / "photo.tif").metadata == Metadata()


@pytest.mark.parametrize(
    ("tag", "value", "said", "is_misread"),
    [
        (259, 1, None, False),
        (259, 50000, "Zstandard compression", False),
        (259, 34925, "LZMA compression", False),
        (259, 6, "old-style JPEG compression", True),
        (259, 12345, "number 12345 compression", False),
        (258, 12, "12 bits a channel", False),
        (262, 8, "colour model CIELab", True),
        (262, 6, "colour model YCbCr", True),
        (262, 32803, "colour model a camera's raw mosaic", True),
        (339, 3, "floating-point values", False),
        (339, 2, "signed whole numbers", False),
    ],
)
def test_unusual_kinds_are_named(tmp_path, tag, value, said, is_misread):
    tags = {256: 4, 257: 4, 258: 8, 259: 1, 262: 2, 277: 3, tag: value}
    rows = b"".join(struct.pack("<HHIHH", t, 3, 1, v, 0) for t, v in sorted(tags.items()))
    path = tmp_path / "photo.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4))
    kind = tiff_kind(path)
    assert kind.unusual == (() if said is None else (said,))
    assert kind.is_misread == is_misread


def test_offsets_that_no_file_reaches_are_no_directory(tmp_path):
    far = b"II+\0\x08\0\0\0" + struct.pack("<Q", (1 << 64) - 1)
    below = struct.pack("<QHHQ", 1, 34665, 16, 1) + b"\xff" * 8
    for data in (far, b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + below):
        (tmp_path / "far.tif").write_bytes(data)
        assert read_tiff(tmp_path / "far.tif").metadata == Metadata()
        with pytest.raises(PhotoError, match="is not a picture"):
            read_photo(tmp_path / "far.tif")

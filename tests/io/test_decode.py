"""Limits before decoding, several pictures in one file, damage, and kinds that are not read."""

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from samelight.errors import MaskError, PhotoError
from samelight.io.photo import read_photo
from samelight.mask.mask import Mask


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def kinds(photo):
    return [note.kind for note in photo.notes]


@pytest.mark.parametrize("name", ["empty.jpg", "empty.png", "empty.tif"])
def test_an_empty_file_is_said(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(PhotoError, match="is empty"):
        read_photo(tmp_path / name)
    with pytest.raises(MaskError, match="is empty"):
        Mask.of(tmp_path / name)


def save_tiff(path, pictures):
    with tifffile.TiffWriter(path) as file:
        for picture in pictures:
            file.write(picture, photometric="rgb")


def save_webp(path, pictures):
    first, *others = map(Image.fromarray, pictures)
    first.save(path, save_all=True, append_images=others, lossless=True)


@pytest.mark.parametrize(("name", "save"), [("a.tif", save_tiff), ("a.webp", save_webp)])
def test_of_several_pictures_the_first_is_taken_with_a_word_or_the_one_asked_for(
    tmp_path, pixels, name, save
):
    path = tmp_path / name
    save(path, [pixels, 255 - pixels])
    photo = read_photo(path)
    assert kinds(photo) == ["photo-pages"]
    assert "holds 2 pictures" in photo.notes[0].text
    assert np.array_equal(photo.pixels, pixels)
    assert not read_photo(path, page=1).notes
    assert np.array_equal(read_photo(path, page=2).pixels, 255 - pixels)
    with pytest.raises(PhotoError, match="has no picture 3"):
        read_photo(path, page=3)
    with pytest.raises(PhotoError, match="counted from 1"):
        read_photo(path, page=0)


def test_an_animated_png_is_said(tmp_path, pixels):
    save_all = {"save_all": True, "append_images": [Image.fromarray(255 - pixels)]}
    Image.fromarray(pixels).save(tmp_path / "a.png", **save_all)
    photo = read_photo(tmp_path / "a.png")
    assert kinds(photo) == ["photo-pages"]
    assert np.array_equal(photo.pixels, pixels)
    with pytest.raises(PhotoError, match="has no picture 2"):
        read_photo(tmp_path / "a.png", page=2)


def test_an_animated_avif_is_named(tmp_path, pixels):
    save_all = {"save_all": True, "append_images": [Image.fromarray(255 - pixels)]}
    Image.fromarray(pixels).save(tmp_path / "a.avif", **save_all)
    with pytest.raises(PhotoError, match="is an animated AVIF"):
        read_photo(tmp_path / "a.avif")


def header_of_png(width, height):
    """A PNG that promises a picture and brings none: refused or not before decoding."""
    data = io.BytesIO()
    Image.new("RGB", (1, 1)).save(data, "PNG")
    body = b"IHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"
    return data.getvalue()[:12] + body + struct.pack(">I", zlib.crc32(body)) + data.getvalue()[33:]


def test_too_large_pictures_are_refused_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(header_of_png(40_000, 30_000))
    with pytest.raises(PhotoError, match=r"40000 x 30000 \(1200 megapixels\).*max_megapixels"):
        read_photo(path)
    with pytest.raises(MaskError, match="1200 megapixels"):
        Mask.of(path)
    path.write_bytes(header_of_png(40, 30))
    with pytest.raises(PhotoError, match=r"more than 0\.001 are refused"):
        read_photo(path, max_megapixels=0.001)
    with pytest.raises(MaskError, match=r"more than 0\.001 are refused"):
        Mask.of(path, max_megapixels=0.001)
    with pytest.raises(PhotoError, match="damaged or cut short"):
        read_photo(path)


def test_a_jpeg_that_decodes_only_in_part_is_said(tmp_path, rng):
    noise = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "part.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    photo = read_photo(tmp_path / "part.jpg")
    assert kinds(photo) == ["photo-damaged"]
    assert "premature end" in photo.notes[0].text
    assert np.array_equal(photo.pixels[:64], read_photo(tmp_path / "whole.jpg").pixels[:64])
    assert "photo-damaged" in kinds(Mask.of(gray_part(tmp_path, data)))


def test_a_jpeg_of_which_nearly_all_is_missing_is_refused_without_decoding(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "bomb.jpg")
    data = (tmp_path / "bomb.jpg").read_bytes()
    size = data.index(b"\xff\xc0") + 5
    (tmp_path / "bomb.jpg").write_bytes(
        data[:size] + struct.pack(">HH", 30_000, 30_000) + data[size + 4 :]
    )
    with pytest.raises(PhotoError, match="damaged or cut short"):
        read_photo(tmp_path / "bomb.jpg")


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
def test_a_tiff_of_which_nearly_all_is_missing_is_refused_without_decoding(tmp_path, compression):
    side = 20_000
    tags = {256: side, 257: side, 258: 8, 259: compression, 262: 1, 273: 200, 277: 1, 278: side}
    tags |= {279: 100}
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)
    (tmp_path / "bomb.tif").write_bytes(head.ljust(300, b"\0"))
    with pytest.raises(PhotoError, match="damaged or cut short"):
        read_photo(tmp_path / "bomb.tif")


def test_a_blank_picture_is_no_bomb(tmp_path):
    for suffix, options in ((".png", {}), (".tif", {"compression": "tiff_deflate"}), (".jpg", {})):
        blank = Image.new("1" if suffix != ".jpg" else "L", (4000, 3000))
        blank.save(tmp_path / f"blank{suffix}", **options)
        assert not read_photo(tmp_path / f"blank{suffix}").pixels.any()


def gray_part(tmp_path, data):
    with Image.open(io.BytesIO(data)) as image:
        image.convert("L").save(tmp_path / "gray.jpg")
    gray = (tmp_path / "gray.jpg").read_bytes()
    (tmp_path / "gray.jpg").write_bytes(gray[: len(gray) // 2] + b"\xff\xd9")
    return tmp_path / "gray.jpg"


@pytest.mark.parametrize("compression", ["zstd", "lzma", "webp"])
def test_compressions_that_libvips_lacks_are_named_or_read(tmp_path, pixels, compression):
    path = tmp_path / "photo.tif"
    try:
        Image.fromarray(pixels).save(path, compression=compression)
    except (OSError, ValueError):
        pytest.skip("Pillow's libtiff lacks it too")
    try:
        stored = pyvips.Image.new_from_file(str(path), fail_on="error").numpy()
    except pyvips.Error:
        with pytest.raises(PhotoError, match="compression, which cannot be read here: save it as"):
            read_photo(path)
    else:
        assert np.array_equal(read_photo(path).pixels, stored)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"planarconfig": "separate", "tile": (16, 16)}, "tiles of one channel each"),
        ({"photometric": "cielab"}, "colour model CIELab"),
        ({"photometric": "icclab"}, "colour model ICC Lab"),
        ({"photometric": "ycbcr"}, "colour model YCbCr"),
    ],
)
def test_other_tiffs_that_are_not_read_are_named(tmp_path, pixels, options, said):
    given = np.moveaxis(pixels, -1, 0) if "tile" in options else pixels
    tifffile.imwrite(tmp_path / "photo.tif", given, **({"photometric": "rgb"} | options))
    with pytest.raises(PhotoError, match=f"is a TIFF with {said}"):
        read_photo(tmp_path / "photo.tif")


def test_old_style_jpeg_in_tiff_is_refused(tmp_path, pixels):
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "JPEG")
    size = len(picture.getvalue())
    tags = {256: 60, 257: 40, 258: 8, 259: 6, 262: 6, 273: 0, 277: 3, 278: 40, 279: size}
    tags |= {513: 0, 514: size}
    start = 8 + 2 + 12 * len(tags) + 4
    tags |= {273: start, 513: start}
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)
    (tmp_path / "photo.tif").write_bytes(head + picture.getvalue())
    with pytest.raises(PhotoError, match="old-style JPEG compression"):
        read_photo(tmp_path / "photo.tif")


def test_a_tiff_of_twelve_bits_is_named(tmp_path):
    tags = {256: 8, 257: 8, 258: 12, 259: 1, 262: 1, 273: 200, 277: 1, 278: 8, 279: 96}
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)
    (tmp_path / "photo.tif").write_bytes(head.ljust(300, b"\0"))
    with pytest.raises(PhotoError, match="12 bits a channel"):
        read_photo(tmp_path / "photo.tif")


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_degenerate_shapes_are_read(tmp_path, suffix, shape):
    gray = np.full(shape, 200, np.uint8)
    Image.fromarray(np.dstack([gray] * 3)).save(tmp_path / f"photo{suffix}")
    assert read_photo(tmp_path / f"photo{suffix}").pixels.shape == (*shape, 3)
    Image.fromarray(gray).save(tmp_path / "mask.png")
    assert Mask.of(tmp_path / "mask.png").shape == shape

import struct

import numpy as np
import pytest
import pyvips
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo, write_photo

ULTRA_HDR_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description hdrgm:Version="1.0" dc:title="mine">'
    b"<Container:Directory><rdf:Seq/></Container:Directory></rdf:Description></x:xmpmeta>"
)


@pytest.fixture
def jpeg(tmp_path):
    """Writes a JPEG with further segments behind its first marker."""

    def write(*segments, behind=b"", **options):
        path = tmp_path / "in.jpg"
        Image.effect_noise((24, 16), 40).convert("RGB").save(path, **options)
        data = path.read_bytes()
        added = b"".join(
            bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
            for marker, body in segments
        )
        path.write_bytes(data[:2] + added + data[2:] + behind)
        return path

    return write


def markers_of(path):
    data, place, found = path.read_bytes(), 2, []
    while data[place + 1] != 0xDA:
        found.append(data[place + 1])
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return found


def kinds(photo):
    return [note.kind for note in photo.notes]


def test_a_file_that_says_nothing_goes_on_saying_nothing(jpeg, tmp_path):
    photo = read_photo(jpeg())
    assert photo.metadata == Metadata()
    write_photo(tmp_path / "out.jpg", photo)
    assert not {m for m in markers_of(tmp_path / "out.jpg") if 0xE0 <= m <= 0xEF or m == 0xFE}


@pytest.mark.parametrize("dpi", [72, 300])
def test_the_resolution_is_carried(jpeg, tmp_path, dpi):
    photo = read_photo(jpeg(dpi=(dpi, dpi)))
    for suffix in (".jpg", ".png", ".tif"):
        write_photo(tmp_path / f"out{suffix}", photo)
        with Image.open(tmp_path / f"out{suffix}") as image:
            assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.01)


def test_comments_are_carried_and_other_formats_say_that_they_cannot(jpeg, tmp_path):
    photo = read_photo(jpeg(comment=b"made by hand"))
    assert not write_photo(tmp_path / "out.jpg", photo)
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.info["comment"] == b"made by hand"
    (note,) = write_photo(tmp_path / "out.webp", photo)
    assert "cannot hold a JPEG comment" in note.text


def test_every_byte_of_exif_is_carried_but_orientation_and_thumbnail(jpeg, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 8, "maker"
    exif.get_ifd(0x8769)[0x927C] = b"notes of the maker, of no known form"
    photo = read_photo(jpeg(exif=exif))
    exif[0x0112] = 1
    assert photo.metadata.exif == exif.tobytes().removeprefix(b"Exif\0\0")
    for suffix in (".jpg", ".png", ".webp", ".avif"):
        write_photo(tmp_path / f"out{suffix}", photo)
        assert read_photo(tmp_path / f"out{suffix}").metadata.exif == photo.metadata.exif


def test_an_ultra_hdr_file_is_opened_as_the_jpeg_it_is(tmp_path, rng):
    pixels = rng.random((16, 24, 3)).astype(np.float32) * 2
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="scrgb")
    try:
        image.uhdrsave(str(tmp_path / "hdr.jpg"))
    except pyvips.Error:
        pytest.skip("this libvips writes no gain maps")
    photo = read_photo(tmp_path / "hdr.jpg")
    assert kinds(photo) == ["photo-gain-map"]
    with Image.open(tmp_path / "hdr.jpg") as base:
        assert abs(photo.pixels.astype(int) - np.asarray(base)).max() <= 1
    write_photo(tmp_path / "out.jpg", photo)
    assert b"MPF" not in (tmp_path / "out.jpg").read_bytes()
    assert not read_photo(tmp_path / "out.jpg").notes


def test_xmp_no_longer_speaks_of_a_gain_map(jpeg):
    photo = read_photo(jpeg(xmp=ULTRA_HDR_XMP))
    assert kinds(photo) == ["photo-gain-map"]
    assert b"hdrgm" not in photo.metadata.xmp
    assert b"Directory" not in photo.metadata.xmp
    assert b'dc:title="mine"' in photo.metadata.xmp


@pytest.mark.parametrize(
    ("body", "behind", "kind"),
    [
        (b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0", b"", "photo-gain-map"),
        (b"MPF\0MM\0*", b"\xff\xd8<HDRGainMap:HDRGainMapVersion>", "photo-gain-map"),
        (b"MPF\0MM\0*", b"\xff\xd8", "photo-appended"),
    ],
)
def test_what_lies_behind_the_picture_is_said(jpeg, body, behind, kind):
    assert kinds(read_photo(jpeg((0xE2, body), behind=behind))) == [kind]


def test_xmp_of_several_parts_is_said(jpeg):
    more = (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40)
    assert kinds(read_photo(jpeg(more, xmp=b"<x/>"))) == ["photo-xmp"]


@pytest.mark.parametrize("orientation", [None, 1])
def test_an_orientation_in_xmp_alone_is_left(jpeg, tmp_path, orientation):
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    packet = b'<rdf:Description tiff:Orientation="6"/>'
    photo = read_photo(jpeg(exif=exif, xmp=packet))
    assert photo.pixels.shape == (16, 24, 3)
    assert photo.metadata.xmp == packet


def test_orientations_in_both_are_applied_once(jpeg):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read_photo(jpeg(exif=exif, xmp=b'<rdf:Description tiff:Orientation="6"/>'))
    assert photo.pixels.shape == (24, 16, 3)
    assert photo.metadata.xmp == b'<rdf:Description tiff:Orientation="1"/>'


def test_padding_before_a_marker_is_skipped(jpeg):
    path = jpeg(comment=b"kept")
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xff" + data[2:])
    assert read_photo(path).metadata.own[0].body == b"kept"


def test_a_photo_made_by_hand_says_what_it_was_told(tmp_path):
    metadata = Metadata(xmp=b"<x/>", iptc=b"\x1c\x02\x19\0\2kw", pixels_per_mm=(10.0, 20.0))
    photo = Photo(np.zeros((4, 4, 3), np.uint8), metadata=metadata)
    write_photo(tmp_path / "out.jpg", photo)
    back = read_photo(tmp_path / "out.jpg").metadata
    assert (back.xmp, back.iptc) == (metadata.xmp, metadata.iptc)
    assert back.pixels_per_mm == pytest.approx((10, 20))


@pytest.mark.parametrize("dpi", [(1 << 32) - 1, 1e-6])
def test_a_resolution_that_no_print_has_is_no_resolution(jpeg, tmp_path, dpi):
    exif = Image.Exif()
    exif[282] = exif[283] = IFDRational(*((dpi, 1) if dpi > 1 else (1, 1_000_000)))
    photo = read_photo(jpeg(exif=exif))
    assert photo.metadata.pixels_per_mm is None
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif"):
        write_photo(tmp_path / f"out{suffix}", photo)

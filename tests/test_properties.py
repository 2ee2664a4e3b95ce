"""What holds for every photo: the background, what the file carries, and doing nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from samelight.color.profile import from_srgb, to_srgb
from samelight.color.spaces import rgb_to_lab
from samelight.edit import EditOptions, edit
from samelight.harmonizer import Harmonizer
from samelight.io.metadata.record import Metadata
from samelight.io.photo import Photo, read_photo, write_photo
from samelight.mask.mask import Mask
from samelight.render.apply import render
from tests.conftest import SIZE_PX
from tests.profiles import ADOBE_RGB, DISPLAY_P3, rgb_profile

P3 = rgb_profile(DISPLAY_P3)
PROFILES = {"none": None, "p3": P3, "adobe": rgb_profile(ADOBE_RGB, 2.19921875)}
EXAMPLE = Path(__file__).parent.parent / "examples"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="1"></x:xmpmeta>'


def exif_block(orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a camera"
    return exif.tobytes().removeprefix(b"Exif\0\0")


def make_mask(kind, shape, rng):
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    far = np.hypot(yy / shape[0] - 0.5, xx / shape[1] - 0.5)
    return {
        "hard": (far < 0.3).astype(np.float32),
        "soft": (4 * (0.5 - far)).clip(0, 1).astype(np.float32),
        "specks": (rng.random(shape) < 0.02).astype(np.float32),
        "thin": (xx == shape[1] // 2).astype(np.float32),
        "full": np.ones(shape, np.float32),
        "empty": np.zeros(shape, np.float32),
    }[kind]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    suffix=st.sampled_from([".png", ".tif"]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    profile=st.sampled_from(sorted(PROFILES)),
    orientation=st.integers(1, 8),
    kind=st.sampled_from(["hard", "soft", "specks", "thin", "full", "empty"]),
    mask_dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
    has_alpha=st.booleans(),
    strength=st.sampled_from([0.0, 0.5, 1.0, 1.5]),
    seed=st.integers(0, 99),
)
def test_what_holds_for_every_photo(
    tiny_model, tmp_path, suffix, dtype, profile, orientation, kind, mask_dtype, has_alpha,
    strength, seed,
):  # fmt: skip
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(5, 60, 2))
    most = np.iinfo(dtype).max
    stored = rng.integers(0, most, (*shape, 4), dtype=dtype, endpoint=True)
    alpha = stored[..., 3] if has_alpha else None
    icc = PROFILES[profile]
    given_photo = Photo(
        stored[..., :3],
        alpha,
        icc,
        Metadata(exif_block(orientation), XMP, None, None, (12.0, 12.0)),
    )
    write_photo(tmp_path / f"in{suffix}", given_photo)
    before = read_photo(tmp_path / f"in{suffix}")
    unit = make_mask(kind, before.pixels.shape[:2], rng)
    scale = 1 if mask_dtype == np.float32 else np.iinfo(mask_dtype).max
    mask = np.rint(unit * scale).astype(mask_dtype) if scale > 1 else unit
    options = EditOptions(model=tiny_model, strength=strength)
    after = edit(before, Mask.of(mask), options).photo
    write_photo(tmp_path / f"out{suffix}", after)
    back = read_photo(tmp_path / f"out{suffix}")

    assert back.pixels.shape == before.pixels.shape
    assert back.pixels.dtype == dtype
    background = mask == 0
    assert back.pixels[background].tobytes() == before.pixels[background].tobytes()
    assert (back.alpha is None) == (not has_alpha)
    if has_alpha:
        assert np.array_equal(back.alpha, before.alpha)
    assert (back.icc, back.metadata.xmp) == (before.icc, before.metadata.xmp)
    assert back.icc == icc
    assert back.metadata.pixels_per_mm == pytest.approx((12, 12), abs=0.01)
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + back.metadata.exif)
    assert exif[0x010F].rstrip("\0") == "a camera"
    assert exif.get(0x0112, 1) == 1
    if strength == 0 or kind == "empty":
        assert np.array_equal(back.pixels, before.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_turned_once(tmp_path, rng, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(
        tmp_path / "in.tif", exif=exif
    )
    photo = read_photo(tmp_path / "in.tif")
    with Image.open(tmp_path / "in.tif") as image:
        assert np.array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(image)))
    write_photo(tmp_path / "out.tif", photo)
    assert np.array_equal(read_photo(tmp_path / "out.tif").pixels, photo.pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_lossy_formats_carry_the_same(tmp_path, suffix):
    across = np.tile(np.linspace(40, 200, 48).astype(np.uint8), (32, 1))
    photo = Photo(np.dstack([across] * 3), icc=P3, metadata=Metadata(exif_block(1), XMP))
    write_photo(tmp_path / f"out{suffix}", photo)
    back = read_photo(tmp_path / f"out{suffix}")
    assert abs(back.pixels.astype(int) - photo.pixels).max() < 8
    assert back.icc == P3
    assert XMP in back.metadata.xmp
    with Image.open(io.BytesIO((tmp_path / f"out{suffix}").read_bytes())) as image:
        assert image.getexif()[0x010F].rstrip("\0") == "a camera"


def test_avif_keeps_more_than_eight_bits(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    write_photo(tmp_path / "deep.avif", Photo(np.dstack([ramp] * 3)))
    back = read_photo(tmp_path / "deep.avif")
    assert back.pixels.dtype == np.uint16
    assert abs(back.pixels.astype(int) - ramp[..., None]).mean() < 600


@pytest.fixture(scope="module")
def example():
    with Image.open(EXAMPLE / "composite.jpg") as photo, Image.open(EXAMPLE / "mask.png") as mask:
        pixels = np.asarray(photo.resize((480, 320), Image.LANCZOS))
        return pixels, np.asarray(mask.convert("L").resize((480, 320)), np.float32) / 255


@pytest.mark.parametrize("profile", ["p3", "adobe"])
def test_a_wide_gamut_photo_and_the_same_in_srgb_look_the_same(example, profile):
    distance = pytest.importorskip("skimage.color").deltaE_ciede2000
    pixels, mask = example
    icc = PROFILES[profile]
    unit = (pixels / 255).astype(np.float32)
    wide = Photo(np.rint(from_srgb(unit, icc) * 65535).astype(np.uint16), icc=icc)
    narrow = Photo(np.rint(unit * 65535).astype(np.uint16))
    after_wide = edit(wide, Mask.of(mask)).photo
    after_narrow = edit(narrow, Mask.of(mask)).photo
    assert after_wide.icc == icc
    seen = to_srgb((after_wide.pixels / 65535).astype(np.float32), icc)
    expected = (after_narrow.pixels / 65535).astype(np.float32)
    foreground = mask > 0
    difference = distance(rgb_to_lab(seen), rgb_to_lab(expected))[foreground]
    changed = distance(rgb_to_lab(unit), rgb_to_lab(expected))[foreground]
    print(f"mean dE2000 {difference.mean():.2f}, the change itself {changed.mean():.2f}")  # noqa: T201
    assert difference.mean() < 1.0
    assert changed.mean() > 1.0


def test_the_fit_keeps_the_networks_own_answer(example):
    pytest.importorskip("samelight_weights")
    pixels, mask = example
    # One that paints: to the default model's answer nothing is fitted.
    found = Harmonizer("giftnet.photos-384").predict(pixels, Mask.of(mask))
    assert found.correction.fit_error(*found[1:4]).psnr_db > 40


def test_colours_that_srgb_cannot_show_are_kept(tiny_model):
    vivid = np.zeros((SIZE_PX, SIZE_PX, 3), np.float32)
    vivid[..., 1] = 1
    correction = (
        Harmonizer(tiny_model)
        .predict(vivid, Mask(np.ones((SIZE_PX, SIZE_PX), "f4")), icc=P3)
        .correction
    )
    # The network darkens to 0.8 and lifts by 0.1, in sRGB; the purest green stays wide.
    after = render(vivid, np.ones((SIZE_PX, SIZE_PX), np.float32), correction)[30, 30]
    assert after[1] > 0.85
    assert after[0] < 0.25

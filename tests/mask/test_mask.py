import numpy as np
import pytest
import tifffile
from PIL import Image

from samelight.errors import MaskError
from samelight.mask.mask import Mask
from samelight.types import WHITE


def coverage(source):
    return Mask.of(source).as_float()


@pytest.fixture
def soft(rng):
    return rng.integers(0, 256, (12, 18), dtype=np.uint8)


def test_gray_files_of_any_depth(tmp_path, soft):
    Image.fromarray(soft).save(tmp_path / "gray.png")
    Image.fromarray(soft.astype(np.uint16) * 257).save(tmp_path / "gray16.png")
    Image.fromarray(np.repeat(soft[..., None], 3, axis=2)).save(tmp_path / "rgb.tif")
    Image.fromarray(soft > 127).save(tmp_path / "bilevel.png")
    for name in ("gray.png", "gray16.png", "rgb.tif"):
        mask = coverage(tmp_path / name)
        assert mask.dtype == np.float32
        np.testing.assert_allclose(mask, soft / 255, atol=1e-6)
    np.testing.assert_array_equal(coverage(tmp_path / "bilevel.png"), soft > 127)


def test_the_ends_are_exact(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "ends.png")
    assert coverage(tmp_path / "ends.png").tolist() == [[0.0, 1.0]]


def test_a_cut_out_is_a_mask_by_its_alpha(tmp_path, rng, soft):
    colours = rng.integers(0, 256, (*soft.shape, 3), dtype=np.uint8)
    Image.fromarray(np.dstack([colours, soft])).save(tmp_path / "cutout.png")
    Image.fromarray(np.dstack([255 - soft, soft]), "LA").save(tmp_path / "la.png")
    for name in ("cutout.png", "la.png"):
        np.testing.assert_allclose(coverage(tmp_path / name), soft / 255, atol=1e-6)


def test_an_opaque_alpha_is_ignored(tmp_path, soft):
    opaque = np.full_like(soft, 255)
    Image.fromarray(np.dstack([soft, soft, soft, opaque])).save(tmp_path / "opaque.png")
    np.testing.assert_allclose(coverage(tmp_path / "opaque.png"), soft / 255, atol=1e-6)


def test_a_photo_given_as_mask_is_refused(tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    with pytest.raises(MaskError, match="holds colours"):
        coverage(tmp_path / "photo.png")


def test_orientation_is_honoured(tmp_path, soft):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(soft).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(
        coverage(tmp_path / "turned.png"), np.rot90(soft, -1) / 255, atol=1e-6
    )


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.png").write_text("dear diary")
    with pytest.raises(MaskError, match="is not a picture"):
        coverage(tmp_path / "text.png")
    with pytest.raises(MaskError, match="is not a file"):
        coverage(tmp_path / "missing.png")


def test_arrays_and_pil_images(soft, tmp_path):
    wanted = soft / np.float32(255)
    rgba = np.dstack([soft, soft // 2, soft // 3, soft])
    Image.fromarray(soft).save(tmp_path / "mask.png")
    forms = (
        soft,
        soft.astype(np.uint16) * 257,
        wanted,
        wanted.astype(np.float64),
        Image.fromarray(soft),
        Image.fromarray(rgba),
        tmp_path / "mask.png",
        str(tmp_path / "mask.png"),
    )
    for form in forms:
        mask = coverage(form)
        assert mask.dtype == np.float32
        np.testing.assert_allclose(mask, wanted, atol=1e-6)
    np.testing.assert_array_equal(coverage(soft > 9), soft > 9)
    np.testing.assert_array_equal(coverage(Image.fromarray(soft > 9)), soft > 9)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.full((4, 4), -1, np.int64),
        np.full((4, 4), 70000),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4), complex),
        np.full((4, 4), 255.0),
        np.zeros((0, 4)),
    ],
)
def test_arrays_that_are_no_masks(mask):
    with pytest.raises(MaskError):
        coverage(mask)


def test_fit_mask_resizes_to_the_photo():
    mask = np.zeros((10, 15), np.float32)
    mask[:, 5:] = 1
    fitted = Mask(mask).resized((200, 300)).coverage
    assert fitted.shape == (200, 300)
    assert fitted.dtype == np.float32
    assert fitted[:, :80].max() == 0
    assert fitted[:, 120:].min() == 1


@pytest.mark.parametrize("shape", [(1024, 1535), (1023, 1536), (101, 152), (512, 768)])
def test_fit_mask_forgives_a_pixel_of_rounding(shape):
    assert Mask(np.ones((512, 768), np.float32)).resized(shape).shape == shape


@pytest.mark.parametrize("shape", [(768, 512), (512, 512), (1024, 1500)])
def test_fit_mask_refuses_other_proportions(shape):
    with pytest.raises(MaskError, match="proportions"):
        Mask(np.ones((512, 768), np.float32)).resized(shape)


def test_another_size_names_the_way_out():
    with pytest.raises(MaskError, match=r"\(512, 768\).*\(1024, 1536\).*--fit-mask"):
        Mask(np.ones((512, 768), np.float32)).require_shape((1024, 1536))


def test_an_upright_mask_for_a_photo_that_its_exif_turns_is_named():
    mask = Mask(np.ones((30, 40), np.uint8))
    with pytest.raises(MaskError, match="orientation 6 turns it by a quarter and not the mask"):
        mask.require_shape((40, 30), orientation=6)
    with pytest.raises(MaskError, match="resize the mask"):
        mask.require_shape((40, 30), orientation=3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_a_mask_of_zeros_and_ones_is_binary_and_says_so(dtype, soft, tmp_path):
    binary = (soft > 127).astype(dtype)
    forms = [binary, binary[..., None]]
    if dtype != np.int64:
        Image.fromarray(binary).save(tmp_path / "binary.png")
        forms += [tmp_path / "binary.png", Image.fromarray(binary)]
    for form in forms:
        mask = Mask.of(form)
        np.testing.assert_array_equal(mask.as_float(), soft > 127)
        assert [note.kind for note in mask.notes] == ["mask-binary"]


@pytest.mark.parametrize("form", [np.uint8, np.uint16, np.float32])
def test_a_mask_far_below_white_is_said(form, soft):
    white = WHITE[np.dtype(form)]
    dim = (soft / 255 * 0.2 * white).astype(form)
    (note,) = Mask.of(dim).notes
    assert note.kind == "mask-dim"
    assert "20 % at most" in note.text or "19 % at most" in note.text
    assert not Mask.of((soft > 127) * form(white)).notes
    assert not Mask.of(np.zeros((3, 3), form)).notes


def test_a_mask_knows_its_box_and_its_area():
    values = np.zeros((10, 20), np.uint8)
    values[2:5, 7:11] = 255
    values[2, 7] = 51
    mask = Mask.of(values)
    assert mask.box == (slice(2, 5), slice(7, 11))
    assert mask.area == pytest.approx((11 + 0.2) / 200)
    assert not mask.is_empty
    assert Mask.of(np.zeros((3, 3), bool)).is_empty
    assert Mask.of(mask) is mask


@pytest.mark.parametrize("source", [None, 3, [[0, 1]], b"mask"])
def test_what_holds_no_mask_is_named(source):
    with pytest.raises(MaskError, match=f"the mask is a {type(source).__name__}: wanted"):
        Mask.of(source)


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr", "HSV"])
def test_pil_pictures_of_colour_spaces_are_no_masks(mode):
    with pytest.raises(MaskError, match=mode):
        Mask.of(Image.new(mode, (4, 4)))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_named(wrong):
    mask = np.zeros((4, 4), np.float32)
    mask[1, 2] = wrong
    with pytest.raises(MaskError, match="holds NaN or infinity"):
        Mask.of(mask)


def test_a_stack_of_masks_as_networks_give_it_is_named():
    with pytest.raises(MaskError, match=r"shape \(1, 6, 8\).*such as masks\[0\]"):
        Mask.of(np.zeros((1, 6, 8), bool))


def test_masks_of_32_bits_and_of_floats_are_read_from_files(soft, tmp_path):
    for dtype, values in (("u4", soft), ("i2", soft), ("f4", soft / 255), ("f2", soft / 255)):
        tifffile.imwrite(tmp_path / "mask.tif", values.astype(dtype), photometric="minisblack")
        np.testing.assert_allclose(coverage(tmp_path / "mask.tif"), soft / 255, atol=1e-3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "I", "I;16", "RGB", "RGBA", "RGBX"])
def test_pil_masks_of_every_mode_with_a_white(mode, soft):
    gray = Image.fromarray((soft > 127) * np.uint8(255))
    if mode == "I;16":
        given = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    else:
        given = (gray.convert("RGBA") if mode == "PA" else gray).convert(mode)
    np.testing.assert_array_equal(Mask.of(given).as_float(), soft > 127)

import numpy as np
import pytest
from PIL import Image

from samelight.errors import MaskError
from samelight.mask.mask import coerce_mask, fit_mask, read_mask, require_same_size


@pytest.fixture
def soft(rng):
    return rng.integers(0, 256, (12, 18), dtype=np.uint8)


def test_gray_files_of_any_depth(tmp_path, soft):
    Image.fromarray(soft).save(tmp_path / "gray.png")
    Image.fromarray(soft.astype(np.uint16) * 257).save(tmp_path / "gray16.png")
    Image.fromarray(np.repeat(soft[..., None], 3, axis=2)).save(tmp_path / "rgb.tif")
    Image.fromarray(soft > 127).save(tmp_path / "bilevel.png")
    for name in ("gray.png", "gray16.png", "rgb.tif"):
        mask = read_mask(tmp_path / name)
        assert mask.dtype == np.float32
        np.testing.assert_allclose(mask, soft / 255, atol=1e-6)
    np.testing.assert_array_equal(read_mask(tmp_path / "bilevel.png"), soft > 127)


def test_the_ends_are_exact(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "ends.png")
    assert read_mask(tmp_path / "ends.png").tolist() == [[0.0, 1.0]]


def test_a_cut_out_is_a_mask_by_its_alpha(tmp_path, rng, soft):
    colours = rng.integers(0, 256, (*soft.shape, 3), dtype=np.uint8)
    Image.fromarray(np.dstack([colours, soft])).save(tmp_path / "cutout.png")
    Image.fromarray(np.dstack([255 - soft, soft]), "LA").save(tmp_path / "la.png")
    for name in ("cutout.png", "la.png"):
        np.testing.assert_allclose(read_mask(tmp_path / name), soft / 255, atol=1e-6)


def test_an_opaque_alpha_is_ignored(tmp_path, soft):
    opaque = np.full_like(soft, 255)
    Image.fromarray(np.dstack([soft, soft, soft, opaque])).save(tmp_path / "opaque.png")
    np.testing.assert_allclose(read_mask(tmp_path / "opaque.png"), soft / 255, atol=1e-6)


def test_a_photo_given_as_mask_is_refused(tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    with pytest.raises(MaskError, match="holds colours"):
        read_mask(tmp_path / "photo.png")


def test_orientation_is_honoured(tmp_path, soft):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(soft).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(
        read_mask(tmp_path / "turned.png"), np.rot90(soft, -1) / 255, atol=1e-6
    )


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.png").write_text("dear diary")
    with pytest.raises(MaskError, match="is not a picture"):
        read_mask(tmp_path / "text.png")
    with pytest.raises(MaskError, match="is not a file"):
        read_mask(tmp_path / "missing.png")


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
        mask = coerce_mask(form)
        assert mask.dtype == np.float32
        np.testing.assert_allclose(mask, wanted, atol=1e-6)
    np.testing.assert_array_equal(coerce_mask(soft > 9), soft > 9)
    np.testing.assert_array_equal(coerce_mask(Image.fromarray(soft > 9)), soft > 9)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((4, 4), np.int64),
        np.full((4, 4), 255.0),
        np.full((4, 4), np.nan),
        np.zeros((0, 4)),
    ],
)
def test_arrays_that_are_no_masks(mask):
    with pytest.raises(MaskError):
        coerce_mask(mask)


def test_fit_mask_resizes_to_the_photo():
    mask = np.zeros((10, 15), np.float32)
    mask[:, 5:] = 1
    fitted = fit_mask(mask, (200, 300))
    assert fitted.shape == (200, 300)
    assert fitted.dtype == np.float32
    assert fitted[:, :80].max() == 0
    assert fitted[:, 120:].min() == 1


@pytest.mark.parametrize("shape", [(1024, 1535), (1023, 1536), (101, 152), (512, 768)])
def test_fit_mask_forgives_a_pixel_of_rounding(shape):
    assert fit_mask(np.ones((512, 768), np.float32), shape).shape == shape


@pytest.mark.parametrize("shape", [(768, 512), (512, 512), (1024, 1500)])
def test_fit_mask_refuses_other_proportions(shape):
    with pytest.raises(MaskError, match="proportions"):
        fit_mask(np.ones((512, 768), np.float32), shape)


def test_another_size_names_the_way_out():
    with pytest.raises(MaskError, match=r"\(512, 768\).*\(1024, 1536\).*--fit-mask"):
        require_same_size(np.ones((512, 768), np.float32), (1024, 1536))

"""`samelight harmonize`: what happens to the photo, and what is said when something is wrong."""

import json

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from samelight.io.photo import Photo, read_photo, write_photo
from samelight.models import registry
from tests.interfaces.cli.conftest import SHAPE

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def before_and_after(folder):
    return [read_photo(folder / name).pixels for name in ("photo.png", "out/result.png")]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_background_keeps_its_bits(harmonize, folder, coverage, rng, suffix, dtype):
    most = np.iinfo(dtype).max
    before = rng.integers(0, most, (*SHAPE, 3), dtype=dtype, endpoint=True)
    write_photo(folder / f"deep{suffix}", Photo(before))
    finished = harmonize(photo=f"deep{suffix}", output=f"out/result{suffix}")
    assert finished == (0, f"{folder}/out/result{suffix}\n", "")
    after = read_photo(folder / f"out/result{suffix}").pixels
    background = coverage == 0
    assert after.dtype == dtype
    assert after[background].tobytes() == before[background].tobytes()
    assert not np.array_equal(after, before)


def test_empty_mask_returns_the_photo_and_says_so(harmonize, folder):
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "mask.png")
    finished = harmonize()
    assert finished.code == 0
    assert "nothing was changed" in finished.err
    assert np.array_equal(*before_and_after(folder))


def test_strength_zero_returns_the_photo(harmonize, folder):
    assert harmonize("--strength", "0").code == 0
    assert np.array_equal(*before_and_after(folder))


def test_a_turned_photo_comes_out_upright_with_what_it_carried(harmonize, folder, rng):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "samelight"
    stored = rng.integers(0, 256, (SHAPE[1], SHAPE[0], 3), dtype=np.uint8)
    Image.fromarray(stored).save(folder / "turned.jpg", exif=exif, icc_profile=ICC)
    assert harmonize(photo="turned.jpg", output="out/upright.jpg").code == 0
    with Image.open(folder / "out/upright.jpg") as image:
        assert image.size == (SHAPE[1], SHAPE[0])
        assert image.getexif()[0x0112] == 1
        assert image.getexif()[0x010F].rstrip("\0") == "samelight"
        assert image.info["icc_profile"] == ICC


def test_a_mask_of_another_size_is_fitted_when_asked(harmonize, folder, coverage):
    Image.fromarray(coverage).resize((160, 120)).save(folder / "large.png")
    assert harmonize("--fit-mask", mask="large.png").code == 0


def test_the_sheet_shows_before_after_and_mask(harmonize, folder, coverage):
    finished = harmonize("--side-by-side", folder / "out/sheet.png")
    assert finished.out.splitlines() == [f"{folder}/out/result.png", f"{folder}/out/sheet.png"]
    sheet = read_photo(folder / "out/sheet.png").pixels
    before, after = before_and_after(folder)
    assert sheet.shape == (60, 3 * 80 + 2 * 12, 3)
    assert np.array_equal(sheet[:, :80], before)
    assert np.array_equal(sheet[:, 92:172], after)
    assert np.array_equal(sheet[:, -80:, 0], coverage)


@pytest.mark.parametrize(
    ("mode", "word"), [("L", "gray"), ("P", "palette"), ("CMYK", "CMYK"), ("RGB", None)]
)
def test_what_was_converted_is_said_once_on_stderr(harmonize, folder, mode, word):
    name = "in.png" if mode == "P" else "in.tif"
    Image.open(folder / "photo.png").convert(mode).save(folder / name)
    finished = harmonize(photo=name, output="out/out.tif")
    assert finished.code == 0
    assert len(finished.err.splitlines()) == (0 if word is None else 1)
    assert (word or "") in finished.err
    assert read_photo(folder / "out/out.tif").pixels.shape == (*SHAPE, 3)


def break_photo(folder, run):
    (folder / "text.jpg").write_text("dear diary")
    return run(photo="text.jpg")


def truncate_photo(folder, run):
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "whole.jpg")
    content = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
    return run(photo="cut.jpg")


def take_heic(folder, run):
    (folder / "in.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64)
    return run(photo="in.heic")


def resize_mask(folder, run):
    Image.open(folder / "mask.png").resize((160, 120)).save(folder / "large.png")
    return run(mask="large.png")


def crop_mask(folder, run):
    Image.open(folder / "mask.png").crop((0, 0, 60, 60)).save(folder / "square.png")
    return run("--fit-mask", mask="square.png")


def break_model(folder, run):
    (folder / "text.onnx").write_text("dear diary")
    return run(model=folder / "text.onnx")


BAD_INPUTS = {
    "missing photo": (lambda _, run: run(photo="nowhere.jpg"), "is not a file"),
    "missing mask": (lambda _, run: run(mask="nowhere.png"), "is not a file"),
    "text called jpg": (break_photo, "is not a picture"),
    "truncated jpeg": (truncate_photo, "cut short"),
    "heic without a codec": (take_heic, "HEVC"),
    "photo as mask": (lambda _, run: run(mask="photo.png"), "holds colours"),
    "mask of another size": (resize_mask, "--fit-mask"),
    "mask of other proportions": (crop_mask, "proportions"),
    "unknown model": (lambda _, run: run(model="moonlight"), "no model named 'moonlight'"),
    "missing model file": (lambda _, run: run(model="nowhere.onnx"), "missing"),
    "model that is none": (break_model, "not an ONNX file"),
    "provider not installed": (lambda _, run: run("--provider", "dml"), "no provider 'dml'"),
    "folder of the output missing": (lambda _, run: run(output="no/out.png"), "is not a folder"),
    "folder of the output a file": (lambda _, run: run(output="mask.png/o.png"), "cannot write"),
    "unknown ending": (lambda _, run: run(output="out/result.bmp"), "end its name in"),
    "sheet unwritable": (lambda f, run: run("--side-by-side", f / "no/s.png"), "cannot write"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_is_wrong_is_said_in_one_line(case, harmonize, refused, folder):
    make, reason = BAD_INPUTS[case]
    assert reason in refused(make(folder, harmonize))
    assert list((folder / "out").iterdir()) == []


def test_weights_with_a_wrong_checksum(harmonize, refused, folder, tiny_model, monkeypatch):
    row = {"method": "tiny", "file": "tiny.onnx", "sha256": "0" * 64, "size_px": 64}
    row |= {"licence": "Apache-2.0", "paper": "none", "parameters": 2, "results": {}, "card": ""}
    (folder / "models.json").write_text(json.dumps({"tiny.test-64": row}))
    (folder / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    monkeypatch.setattr(registry, "_folders", lambda: [folder])
    line = refused(harmonize(model="tiny.test-64"))
    assert "sha256" in line
    assert "reinstall" in line
    assert list((folder / "out").iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(harmonize, refused, folder, monkeypatch):
    def fail(self, *_, **options):
        raise pyvips.Error("the disc is full")

    for writer in ("pngsave", "pngsave_target"):
        monkeypatch.setattr(pyvips.Image, writer, fail, raising=False)
    assert "the disc is full" in refused(harmonize())
    assert list((folder / "out").iterdir()) == []


def test_a_page_is_picked_and_several_are_said(harmonize, refused, folder):
    before = Image.open(folder / "photo.png")
    black = Image.new("RGB", before.size)
    before.save(folder / "two.tif", save_all=True, append_images=[black])
    finished = harmonize(photo="two.tif")
    assert "two.tif holds 2 pictures: the first was taken (--page picks another" in finished.err
    finished = harmonize("--page", "2", photo="two.tif")
    assert not finished.err
    after = read_photo(folder / "out/result.png").pixels
    assert np.all(after[np.asarray(Image.open(folder / "mask.png")) == 0] == 0)
    assert "has no picture 3" in refused(harmonize("--page", "3", photo="two.tif"))


def test_a_large_picture_is_refused_unless_asked_for(harmonize, refused):
    assert "--max-megapixels" in refused(harmonize("--max-megapixels", "0.001"))


def test_what_the_format_cannot_hold_is_said(harmonize, folder):
    cutout = Image.open(folder / "photo.png").convert("RGBA")
    cutout.save(folder / "alpha.png")
    finished = harmonize(photo="alpha.png", output="out/result.jpg")
    assert finished.code == 0
    assert "out/result.jpg cannot hold transparency" in finished.err

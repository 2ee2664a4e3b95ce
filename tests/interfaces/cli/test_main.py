import json
import re
import subprocess
import sys

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

import samelight
from samelight.io.photo import Photo, read_photo, write_photo
from samelight.models import registry

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SHAPE = (60, 80)


@pytest.fixture
def folder(tmp_path, rng):
    """A photo and its mask, both small."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[15:45, 20:60] = 255
    mask[15, 20:60] = 128
    write_photo(tmp_path / "photo.png", Photo(rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def harmonize(run_cli, folder, tiny_model):
    """Run `samelight harmonize` in the folder, with any argument replaced."""

    def run(*more, photo="photo.png", mask="mask.png", output="out/result.png", model=tiny_model):
        return run_cli(
            *("harmonize", folder / photo, "--mask", folder / mask),
            *("--output", folder / output, "--model", model, *more),
        )

    return run


def mask_of(folder):
    return np.asarray(Image.open(folder / "mask.png"))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_background_keeps_its_bits(harmonize, folder, rng, suffix, dtype):
    most = np.iinfo(dtype).max
    before = rng.integers(0, most, (*SHAPE, 3), dtype=dtype, endpoint=True)
    write_photo(folder / f"deep{suffix}", Photo(before))
    finished = harmonize(photo=f"deep{suffix}", output=f"out/result{suffix}")
    assert finished == (0, f"{folder}/out/result{suffix}\n", "")
    after = read_photo(folder / f"out/result{suffix}").pixels
    background = mask_of(folder) == 0
    assert after.dtype == dtype
    assert after[background].tobytes() == before[background].tobytes()
    assert not np.array_equal(after, before)


def test_empty_mask_returns_the_photo_and_says_so(harmonize, folder):
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "mask.png")
    finished = harmonize()
    assert finished.code == 0
    assert "nothing was changed" in finished.err
    before, after = (read_photo(folder / name).pixels for name in ("photo.png", "out/result.png"))
    assert np.array_equal(before, after)


def test_strength_zero_returns_the_photo(harmonize, folder):
    assert harmonize("--strength", "0").code == 0
    before, after = (read_photo(folder / name).pixels for name in ("photo.png", "out/result.png"))
    assert np.array_equal(before, after)


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


def test_a_mask_of_another_size_is_fitted_when_asked(harmonize, folder):
    Image.fromarray(mask_of(folder)).resize((160, 120)).save(folder / "large.png")
    assert harmonize("--fit-mask", mask="large.png").code == 0


def test_the_sheet_shows_before_after_and_mask(harmonize, folder):
    finished = harmonize("--side-by-side", folder / "out/sheet.png")
    assert finished.out.splitlines() == [f"{folder}/out/result.png", f"{folder}/out/sheet.png"]
    sheet = read_photo(folder / "out/sheet.png").pixels
    assert sheet.shape == (60, 3 * 80 + 2 * 12, 3)
    assert np.array_equal(sheet[:, :80], read_photo(folder / "photo.png").pixels)
    assert np.array_equal(sheet[:, 92:172], read_photo(folder / "out/result.png").pixels)
    assert np.array_equal(sheet[:, -80:, 0], mask_of(folder))


def break_photo(folder, harmonize):
    (folder / "text.jpg").write_text("dear diary")
    return harmonize(photo="text.jpg")


def truncate_photo(folder, harmonize):
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "whole.jpg")
    content = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
    return harmonize(photo="cut.jpg")


def resize_mask(folder, harmonize):
    Image.fromarray(mask_of(folder)).resize((160, 120)).save(folder / "large.png")
    return harmonize(mask="large.png")


def crop_mask(folder, harmonize):
    Image.fromarray(mask_of(folder)[:, :60]).save(folder / "square.png")
    return harmonize("--fit-mask", mask="square.png")


def break_model(folder, harmonize):
    (folder / "text.onnx").write_text("dear diary")
    return harmonize(model=folder / "text.onnx")


BAD_INPUTS = {
    "missing photo": (lambda _, run: run(photo="nowhere.jpg"), "is not a file"),
    "missing mask": (lambda _, run: run(mask="nowhere.png"), "is not a file"),
    "text called jpg": (break_photo, "is not a picture"),
    "truncated jpeg": (truncate_photo, "cut short"),
    "photo as mask": (lambda _, run: run(mask="photo.png"), "holds colours"),
    "mask of another size": (resize_mask, "--fit-mask"),
    "mask of other proportions": (crop_mask, "proportions"),
    "unknown model": (lambda _, run: run(model="moonlight"), "no model named 'moonlight'"),
    "missing model file": (lambda _, run: run(model="nowhere.onnx"), "missing"),
    "model that is none": (break_model, "not an ONNX file"),
    "folder of the output missing": (lambda _, run: run(output="no/out.png"), "is not a folder"),
    "folder of the output a file": (lambda _, run: run(output="mask.png/o.png"), "cannot write"),
    "unknown ending": (lambda _, run: run(output="out/result.bmp"), "end its name in"),
    "sheet unwritable": (lambda f, run: run("--side-by-side", f / "no/s.png"), "cannot write"),
    "strength too large": (lambda _, run: run("--strength", "7"), "from 0 to 1.5"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_is_wrong_is_said_in_one_line(case, harmonize, folder):
    make, reason = BAD_INPUTS[case]
    finished = make(folder, harmonize)
    assert finished.code == 2
    assert finished.out == ""
    assert re.fullmatch(r"samelight: [^\n]+\n", finished.err)
    assert reason in finished.err
    assert list((folder / "out").iterdir()) == []


def test_weights_with_a_wrong_checksum(harmonize, folder, tiny_model, monkeypatch):
    row = {"method": "tiny", "file": "tiny.onnx", "sha256": "0" * 64, "size_px": 64}
    row |= {"licence": "Apache-2.0", "paper": "none", "parameters": 2, "results": {}, "card": ""}
    (folder / "models.json").write_text(json.dumps({"tiny.test-64": row}))
    (folder / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    monkeypatch.setattr(registry, "_folders", lambda: [folder])
    finished = harmonize(model="tiny.test-64")
    assert finished.code == 2
    assert re.fullmatch(r"samelight: [^\n]*sha256[^\n]*reinstall[^\n]*\n", finished.err)
    assert list((folder / "out").iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(harmonize, folder, monkeypatch):
    def fail(self, name, **options):
        raise pyvips.Error("the disc is full")

    monkeypatch.setattr(pyvips.Image, "pngsave_target", fail, raising=False)
    finished = harmonize()
    assert finished.code == 2
    assert "the disc is full" in finished.err
    assert list((folder / "out").iterdir()) == []


def test_an_interruption_is_130(harmonize, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("samelight.io.photo.read_photo", interrupt)
    assert harmonize().code == 130


@pytest.mark.parametrize("arguments", [[], ["harmonize"], ["moonlight"], ["harmonize", "--loud"]])
def test_bad_usage_is_2_without_a_traceback(run_cli, arguments):
    finished = run_cli(*arguments)
    assert finished.code == 2
    assert "Traceback" not in finished.err + finished.out


@pytest.mark.parametrize(
    ("mask", "code", "said"),
    [("mask.png", 0, ("{folder}/out/result.png\n", "")), ("none.png", 2, ("", "samelight: "))],
)
def test_a_process_leaves_its_result_its_words_and_its_code(folder, mask, code, said):
    script = "import sys; from samelight.interfaces.cli.main import run; sys.exit(run())"
    arguments = ["harmonize", "photo.png", "--mask", mask, "--output", f"{folder}/out/result.png"]
    arguments += ["--bold"]  # or it would have more to say
    finished = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=folder, capture_output=True, text=True
    )
    assert finished.returncode == code
    assert finished.stdout == said[0].format(folder=folder)
    assert finished.stderr.startswith(said[1])
    assert finished.stderr.count("\n") == (code != 0)
    assert (folder / "out/result.png").exists() == (code == 0)


def test_version(run_cli):
    assert run_cli("--version") == (0, f"samelight {samelight.__version__}\n", "")


def test_help_names_the_commands(run_cli):
    finished = run_cli("--help")
    assert finished.code == 0
    assert "harmonize" in finished.out
    assert "methods" in finished.out


def test_methods_lists_every_row(run_cli, tmp_path, monkeypatch):
    row = {"method": "tiny", "file": "tiny.onnx", "sha256": "0" * 64, "size_px": 64}
    row |= {"licence": "Apache-2.0", "paper": "A Paper [2021]", "parameters": 2, "card": ""}
    table = {"tiny.test-64": row | {"results": {"psnr_db": 30.5, "mse_255": 41.25}}}
    (tmp_path / "models.json").write_text(json.dumps(table))
    monkeypatch.setattr(registry, "_folders", lambda: [tmp_path])
    finished = run_cli("methods")
    assert finished.code == 0
    for word in ("tiny.test-64", "A Paper [2021]", "64 px", "Apache-2.0", "psnr_db 30.5"):
        assert word in finished.out

"""`samelight harmonize` and `samelight apply`: edges, saved corrections, LUTs, explanations."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from samelight.correction.field import Correction
from samelight.io.photo import Photo, read_photo, write_photo
from tests.profiles import DISPLAY_P3, rgb_profile

SHAPE = (60, 80)


@pytest.fixture
def folder(tmp_path, rng):
    mask = np.zeros(SHAPE, np.uint8)
    mask[15:45, 20:60] = 255
    write_photo(tmp_path / "photo.png", Photo(rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


@pytest.fixture
def edit(run_cli, folder, tiny_model):
    def run(command, *more, photo="photo.png", output="result.png"):
        first = [folder / "light.npz"] if command == "apply" else []
        model = ["--model", tiny_model] if command == "harmonize" else []
        return run_cli(
            *(command, *first, folder / photo, "--mask", folder / "mask.png"),
            *("--output", folder / output, *model, *more),
        )

    return run


def pixels_of(path):
    return read_photo(path).pixels


def test_a_saved_correction_gives_the_same_picture(edit, folder):
    made = edit("harmonize", "--save-correction", folder / "light.npz", output="first.png")
    assert made.out.splitlines() == [f"{folder}/first.png", f"{folder}/light.npz"]
    applied = edit("apply", output="second.png")
    assert applied == (0, f"{folder}/second.png\n", "")
    assert np.array_equal(pixels_of(folder / "first.png"), pixels_of(folder / "second.png"))


def test_strength_applies_to_a_saved_correction(edit, folder):
    Correction(Correction.identity().grid * np.float32(0.5)).save(folder / "light.npz")
    before = pixels_of(folder / "photo.png").astype(float)
    foreground = np.asarray(Image.open(folder / "mask.png")) > 0
    for strength, gain in ((0, 1.0), (0.5, 0.75), (1, 0.5), (1.5, 0.25)):
        assert edit("apply", "--strength", strength).code == 0
        after = pixels_of(folder / "result.png")
        assert abs(after - gain * before)[foreground].max() <= 0.5
        assert np.array_equal(after[~foreground], before[~foreground])


def test_a_correction_made_in_another_space_is_converted(edit, folder, rng):
    p3 = rgb_profile(DISPLAY_P3)
    Correction(Correction.identity().grid * np.float32(0.5), icc=p3).save(folder / "light.npz")
    assert edit("apply").code == 0
    changed = pixels_of(folder / "result.png").astype(int) - pixels_of(folder / "photo.png")
    assert abs(changed).max() > 50


def test_explain_is_json_and_nothing_else_on_stdout(edit, folder):
    finished = edit("harmonize", "--explain", "--cube", folder / "light.cube")
    told = json.loads(finished.out)
    assert told["files"] == [f"{folder}/result.png", f"{folder}/light.cube"]
    assert told["summary"]
    assert told["fit_psnr_db"] > 25
    assert told["cube"]["psnr_db"] > 20
    assert re.fullmatch(r"[^\n]+light.cube: one LUT [^\n]+ dB [^\n]+\n", finished.err)
    assert (folder / "light.cube").read_text().startswith('TITLE "samelight light"\n')


def test_it_says_when_it_holds_back_and_is_bold_on_request(run_cli, folder, correcting_model):
    asked = [folder / "photo.png", "--mask", folder / "mask.png", "--model", correcting_model]
    asked += ["--output", folder / "result.png", "--explain"]
    held_back, bold = run_cli("harmonize", *asked), run_cli("harmonize", *asked, "--bold")
    assert "does 25 % of what it would: --bold does all of it" in held_back.err
    assert bold.err == ""
    told = [json.loads(finished.out) for finished in (held_back, bold)]
    assert [one["share_percent"] for one in told] == [25, 100]
    expected = [{"left_alone": 12, "corrected": corrected} for corrected in (10, 4)]
    assert [one["expected_error_255"] for one in told] == expected
    assert 3 < told[1]["delta_e"] / told[0]["delta_e"] < 5


def test_apply_explains_and_writes_luts_too(edit, folder):
    Correction(Correction.identity().grid * np.float32(0.5)).save(folder / "light.npz")
    told = json.loads(edit("apply", "--explain", "--cube", folder / "light.cube").out)
    assert "darker" in told["summary"]
    assert "fit_psnr_db" not in told
    assert told["cube"]["psnr_db"] > 40


def test_edges_only_ever_take_away(edit, folder):
    photo = pixels_of(folder / "photo.png")
    changed = []
    for more in ((), ("--erode", 3), ("--feather", 4)):
        assert edit("harmonize", *more).code == 0
        changed.append((pixels_of(folder / "result.png") != photo).any(axis=2))
    whole, eroded, feathered = changed
    assert not (eroded & ~whole).any()
    assert not (feathered & ~whole).any()
    assert eroded.sum() < whole.sum()


@pytest.mark.parametrize(
    ("mode", "word"), [("L", "gray"), ("P", "palette"), ("CMYK", "CMYK"), ("RGB", None)]
)
def test_what_was_converted_is_said_once_on_stderr(edit, folder, mode, word):
    name = "in.png" if mode == "P" else "in.tif"
    Image.fromarray(pixels_of(folder / "photo.png")).convert(mode).save(folder / name)
    finished = edit("harmonize", photo=name, output="out.tif")
    assert finished.code == 0
    assert len(finished.err.splitlines()) == (0 if word is None else 1)
    assert (word or "") in finished.err
    assert pixels_of(folder / "out.tif").shape == (*SHAPE, 3)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--erode", -1), "from 0 to 200"),
        (("--feather", 900), "from 0 to 200"),
        (("--strength", 3), "from 0 to 1.5"),
        (("--cube", "no/where.cube"), "is not a folder"),
    ],
)
def test_bad_options_are_one_line_and_leave_nothing(edit, folder, more, reason):
    finished = edit("harmonize", *more)
    assert finished.code == 2
    assert re.fullmatch(r"samelight: [^\n]+\n", finished.err)
    assert reason in finished.err
    assert not (folder / "result.png").exists()


def test_a_file_that_is_no_correction(edit, folder):
    (folder / "light.npz").write_text("dear diary")
    finished = edit("apply")
    assert finished.code == 2
    assert "is not a correction" in finished.err
    assert not (folder / "result.png").exists()


def test_heic_without_a_codec_says_what_to_do(edit, folder):
    (folder / "in.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64)
    finished = edit("harmonize", photo="in.heic")
    assert finished.code == 2
    assert "HEVC" in finished.err


@pytest.mark.parametrize("command", ["harmonize", "apply"])
def test_help_of_the_photo_commands(run_cli, command):
    finished = run_cli(command, "--help")
    assert finished.code == 0
    for option in ("--strength", "--feather", "--erode", "--despill", "--cube", "--explain"):
        assert option in finished.out

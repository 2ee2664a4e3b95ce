"""Both photo commands: saved corrections, edges, LUTs and explanations."""

import json
import re

import numpy as np
import pytest

from samelight.correction.field import Correction
from samelight.io.photo import read_photo
from tests.profiles import DISPLAY_P3, rgb_profile


def pixels_of(path):
    return read_photo(path).pixels


def halve(folder, icc=None):
    Correction(Correction.identity().grid * np.float32(0.5), icc=icc).save(folder / "light.npz")


def test_a_saved_correction_gives_the_same_picture(harmonize, apply, folder):
    made = harmonize("--save-correction", folder / "light.npz")
    assert made == (0, f"{folder}/out/result.png\n{folder}/light.npz\n", "")
    assert apply(output="out/second.png") == (0, f"{folder}/out/second.png\n", "")
    first, second = (pixels_of(folder / "out" / name) for name in ("result.png", "second.png"))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, pixels_of(folder / "photo.png"))


def test_strength_applies_to_a_saved_correction(apply, folder, coverage):
    halve(folder)
    before = pixels_of(folder / "photo.png").astype(float)
    for strength, gain in ((0, 1.0), (0.5, 0.75), (1, 0.5), (1.5, 0.25)):
        assert apply("--strength", strength).code == 0
        after = pixels_of(folder / "out/result.png")
        assert abs(after - gain * before)[coverage == 255].max() <= 0.5
        assert np.array_equal(after[coverage == 0], before[coverage == 0])


def test_a_correction_made_in_another_space_is_converted(apply, folder):
    halve(folder, icc=rgb_profile(DISPLAY_P3))
    assert apply().code == 0
    changed = pixels_of(folder / "out/result.png").astype(int) - pixels_of(folder / "photo.png")
    assert abs(changed).max() > 50


def test_a_file_that_is_no_correction(apply, refused, folder):
    (folder / "light.npz").write_text("dear diary")
    assert "is not a correction" in refused(apply())
    assert not (folder / "out/result.png").exists()


def test_edges_only_ever_take_away(harmonize, folder):
    photo = pixels_of(folder / "photo.png")
    changed = []
    for more in ((), ("--erode", 3), ("--feather", 4)):
        assert harmonize(*more).code == 0
        changed.append((pixels_of(folder / "out/result.png") != photo).any(axis=2))
    whole, eroded, feathered = changed
    assert not (eroded & ~whole).any()
    assert not (feathered & ~whole).any()
    assert eroded.sum() < whole.sum()


def test_explain_is_json_and_nothing_else_on_stdout(harmonize, folder):
    finished = harmonize("--explain", "--cube", folder / "light.cube")
    told = json.loads(finished.out)
    assert told["files"] == [f"{folder}/out/result.png", f"{folder}/light.cube"]
    assert told["summary"]
    assert told["fit_psnr_db"] > 25
    assert told["cube"]["psnr_db"] > 20
    assert re.fullmatch(r"[^\n]+light.cube: one LUT [^\n]+ dB [^\n]+\n", finished.err)
    assert (folder / "light.cube").read_text().startswith('TITLE "samelight light"\n')


def test_apply_explains_and_writes_luts_too(apply, folder):
    halve(folder)
    told = json.loads(apply("--explain", "--cube", folder / "light.cube").out)
    assert "darker" in told["summary"]
    assert "fit_psnr_db" not in told
    assert told["cube"]["psnr_db"] > 40


@pytest.fixture
def explained(harmonize, correcting_model):
    """What is explained and said of a model that expects errors of 12 and 4 levels."""

    def run(*more):
        finished = harmonize("--explain", *more, model=correcting_model)
        return json.loads(finished.out), finished.err

    return run


def test_all_is_done_unless_the_gate_is_asked(explained):
    everything, silence = explained()
    quarter, said = explained("--gate", "auto")
    assert silence == ""
    assert "25 % of the correction was done" in said
    assert [told["applied_percent"] for told in (everything, quarter)] == [100, 25]
    for told in (everything, quarter):
        assert told["expected_error_255"] == {"composite": 12, "corrected": 4}
    assert 3 < everything["delta_e"] / quarter["delta_e"] < 5


@pytest.mark.parametrize("gate", ["off", "auto"])
def test_at_strength_zero_no_estimate_is_told(explained, gate):
    told, said = explained("--strength", "0", "--gate", gate)
    assert told["summary"] == "no visible change"
    assert not {"expected_error_255", "applied_percent"} & told.keys()
    assert said == ""

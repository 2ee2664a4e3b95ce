import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from samelight.errors import UsageError
from samelight.harmonizer import Harmonizer
from samelight.lab.calibrate import measure_folder
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.methods import METHODS
from samelight.lab.release import ReleaseOptions, parse_views, release
from samelight.lab.training.checkpoint import save_weights
from samelight.lab.training.record import begin_or_resume, record_of
from samelight.models.session import open_session
from samelight.models.spec import Gate, View
from tests.lab.pictures import write_pairs, write_photos
from tests.lab.records import with_views

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def write_run(root, method, config, start_from=None):
    """A finished run with random weights."""
    photos = PhotoFolder(write_photos(root / "photos"))
    run = root / "run"
    begin_or_resume(run, record_of(method, config, method.recipe, photos, start_from))
    torch.manual_seed(3)
    network = method.network(config.shape)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter += 0.02 * torch.randn_like(parameter)
    save_weights(run / "weights.safetensors", network)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Of our own method, small and quick."""
    method = METHODS["samelight"]
    tiny = with_views(method.configs["tiny"], 64)
    shape = replace(tiny.shape, pretrained=False, width=16, code_width=16, heads=2)
    return write_run(tmp_path_factory.mktemp("own"), method, replace(tiny, shape=shape), "them")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    return write_pairs(root / "one", 5), write_pairs(root / "other", 3)


@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("256", [View(size_px=256)]),
        ("512,256, 256-flip", [View(size_px=512), View(size_px=256), View(size_px=256, flip=True)]),
    ],
)
def test_views_are_read(text, views):
    assert parse_views(text) == tuple(views)


@pytest.mark.parametrize("text", ["", "512,", "512-256", "large", "256m", "-flip"])
def test_what_are_no_views_is_refused(text):
    with pytest.raises(UsageError, match="wanted sides such as 512,256,256-flip"):
        parse_views(text)


def test_a_file_says_what_its_run_was(tmp_path, run):
    about = json.loads((run / "run.json").read_text())
    released = release([run], tmp_path / "model.onnx", ReleaseOptions())
    assert (released.before, released.after) == ((), ())
    spec = open_session(released.exported.path).spec
    assert (spec.method, spec.answer, spec.error_estimate) == ("samelight", "correction", True)
    (training,) = spec.trainings
    assert training.configuration == about["config"]
    assert training.recipe == about["recipe"]
    assert training.started_from == "them"
    assert [line.split(":")[0] for line in training.data] == ["field", "photos", "zoo"]
    use = about["config"]["use"]
    assert [vars(view) for view in spec.views] == use["views"]
    assert (vars(spec.gate), vars(spec.window)) == (use["gate"], use["window"])
    assert released.gate == spec.gate


def test_what_is_chosen_is_in_the_file(tmp_path, run):
    chosen = ReleaseOptions(views=parse_views("128,64-flip"), gate=Gate(closed=3, open=30))
    spec = open_session(release([run], tmp_path / "model.onnx", chosen).exported.path).spec
    assert (spec.size_px, spec.views, spec.gate) == (128, chosen.views, chosen.gate)


def test_calibrated_on_folders_it_expects_what_is_there(tmp_path, run, pairs):
    released = release([run], tmp_path / "model.onnx", ReleaseOptions(calibrate=pairs))
    assert [folder.name for folder in released.before] == ["one", "other"]
    before = np.mean([folder.ratio for folder in released.before])
    assert abs(before - 1) > 0.05
    harmonizer = Harmonizer(released.exported.path)
    assert harmonizer.spec.gate == released.gate
    found = [measure_folder(harmonizer, folder) for folder in pairs]
    assert np.mean([folder.ratio for folder in found]) == pytest.approx(1, abs=2e-3)
    for now, told in zip(found, released.after, strict=True):
        np.testing.assert_allclose(now.expected, told.expected, rtol=2e-3)
        np.testing.assert_allclose(now.true, told.true, rtol=1e-3)


def test_a_gate_that_is_given_is_not_looked_for(tmp_path, run, pairs):
    chosen = ReleaseOptions(calibrate=pairs, gate=Gate(closed=2, open=9))
    assert release([run], tmp_path / "model.onnx", chosen).gate == chosen.gate


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ReleaseOptions(gate=Gate(closed=1, open=2)), "--gate is for networks that estimate"),
        (ReleaseOptions(views=parse_views("128,64")), "give it one view"),
        (ReleaseOptions(views=parse_views("100")), "multiple of"),
    ],
    ids=str,
)
def test_what_is_not_for_a_network_is_refused_before_anything_is_written(tmp_path, options, said):
    method = METHODS["giftnet"]
    run = write_run(tmp_path, method, method.configs["small"])
    with pytest.raises(UsageError, match=said):
        release([run], tmp_path / "model.onnx", options)
    with pytest.raises(UsageError, match="--calibrate is for networks that estimate"):
        release([run], tmp_path / "model.onnx", ReleaseOptions(calibrate=(tmp_path,)))
    assert not (tmp_path / "model.onnx").exists()

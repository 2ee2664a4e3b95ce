import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

import samelight
from samelight.errors import ModelError, UsageError
from samelight.models import registry
from samelight.models.registry import DEFAULT_MODEL, ModelRow, list_models
from samelight.models.session import open_session
from samelight.models.spec import Gate, ModelSpec, View, WindowRule
from tests.conftest import SIZE_PX, model_spec, write_tiny_model

SHIPPED = sorted(list_models())


@pytest.fixture
def shipped_tiny(tmp_path, monkeypatch) -> Path:
    """Pretend that the tiny network is the one shipped model; returns its file."""
    path = write_tiny_model(tmp_path / "tiny.onnx")
    row = {
        "method": "tiny",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size_px": SIZE_PX,
        "licence": "Apache-2.0",
        "paper": "none",
        "parameters": 2,
        "results": {"psnr_db": 30.5},
        "card": "tiny.md",
    }
    (tmp_path / "models.json").write_text(json.dumps({"tiny.test-64": row}))
    monkeypatch.setattr(registry, "_folders", lambda: [tmp_path])
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_opens_and_is_described(name):
    row = list_models()[name]
    session = open_session(name)
    assert session.spec.size_px == row.size_px
    assert session.spec.method == row.method
    assert name.startswith((f"{row.method}.", f"{row.method}-"))
    assert name.rpartition("-")[2] in (str(row.size_px), "s", "m", "l")
    assert (row.folder / row.card).is_file()
    assert row.licence
    assert row.parameters > 0


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_answers_as_its_spec_says(name, rng):
    session = open_session(name)
    spec = session.spec
    composite = rng.random((spec.size_px, spec.size_px, 3), dtype=np.float32)
    mask = np.ones(composite.shape[:2], np.float32)
    if spec.answer == "picture":
        assert session.picture(composite, mask).shape == composite.shape
        assert spec.gate is None
    else:
        grid, estimate = session.correction(composite, mask)
        assert grid.shape[2:] == (3, 4)
        assert (estimate is not None) == spec.error_estimate
        assert spec.window is not None
        assert spec.gate is not None


def test_no_weights_lie_about_unlisted():
    for folder in registry._folders():
        listed = {row.file for row in list_models().values() if row.folder == folder}
        assert {path.name for path in folder.glob("*.onnx")} == listed


def test_the_package_is_small():
    files = Path(samelight.__file__).parent.rglob("*")
    size = sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc")
    assert size < 12e6


def test_the_default_needs_no_other_package(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    assert list(list_models()) == [n for n in SHIPPED if n.startswith(DEFAULT_MODEL.split("-")[0])]
    with pytest.raises(ModelError, match=r"pip install \./weights"):
        open_session("moonlight.photos-384")


def test_the_default_is_shipped_once_anything_is():
    assert not SHIPPED or DEFAULT_MODEL in SHIPPED


def test_a_path_opens_an_exported_network(tiny_model, rng):
    session = open_session(tiny_model)
    assert (session.spec.size_px, session.spec.method) == (SIZE_PX, "tiny")
    composite = rng.random((SIZE_PX, SIZE_PX, 3), dtype=np.float32)
    mask = rng.random((SIZE_PX, SIZE_PX), dtype=np.float32)
    np.testing.assert_allclose(
        session.picture(composite, mask), 0.8 * composite + 0.1 * mask[..., None], atol=1e-6
    )


def test_a_session_is_opened_once(tiny_model):
    assert open_session(tiny_model) is open_session(str(tiny_model))


def test_a_new_export_is_not_taken_for_the_old(tmp_path):
    path = write_tiny_model(tmp_path / "mine.onnx")
    first = open_session(path)
    write_tiny_model(path)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert open_session(path) is not first


def test_shipped_table_is_read(shipped_tiny):
    row = list_models()["tiny.test-64"]
    assert isinstance(row, ModelRow)
    assert row.results == {"psnr_db": 30.5}
    assert open_session("tiny.test-64").spec.size_px == SIZE_PX


def test_an_unknown_name_lists_the_others(shipped_tiny):
    with pytest.raises(ModelError, match=r"no model named 'moonlight'.*tiny\.test-64"):
        open_session("moonlight")


def test_weights_with_another_checksum_are_refused(shipped_tiny):
    shipped_tiny.write_bytes(shipped_tiny.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"has sha256 .* wanted .* reinstall"):
        open_session("tiny.test-64")


def test_missing_weights_say_what_to_do(shipped_tiny):
    shipped_tiny.unlink()
    with pytest.raises(ModelError, match=r"missing.*reinstall"):
        open_session("tiny.test-64")


def test_files_that_are_no_networks_of_ours(tmp_path):
    with pytest.raises(ModelError, match=r"is missing.*check the path"):
        open_session(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("dear diary")
    with pytest.raises(ModelError, match="not an ONNX file"):
        open_session(tmp_path / "text.onnx")
    other = write_tiny_model(tmp_path / "other.onnx", spec=None)
    with pytest.raises(ModelError, match=r"no model spec inside.*samelight export"):
        open_session(other)


def test_a_file_that_is_not_as_its_spec_says_is_refused(tmp_path):
    path = write_tiny_model(tmp_path / "odd.onnx", model_spec("odd", answer="correction"))
    with pytest.raises(ModelError, match=r"wanted composite and mask, and \['correction'\]"):
        open_session(path)


def test_former_names_are_refused_with_the_new_one():
    with pytest.raises(ModelError, match=r"house\.photos-m is now called samelight-m"):
        open_session("house.photos-m")


def test_a_spec_survives_its_json():
    spec = ModelSpec(
        method="m",
        answer="correction",
        size_px=512,
        views=(View(size_px=512), View(size_px=256, flip=True)),
        window=WindowRule(around=2.5, least=0.4),
        error_estimate=True,
        gate=Gate(closed=1, open=9),
        configuration={"width": 160},
        training_data=("a: 3 photos, CC0",),
        started_from="samelight-m",
    )
    assert ModelSpec.from_json(spec.to_json(), "m") == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [("{}", "cannot read"), ('{"version": 2}', "version 2"), ("dear diary", "cannot read")],
)
def test_a_spec_that_cannot_be_read_says_what_to_do(text, said):
    with pytest.raises(ModelError, match=rf"mine\.onnx.*{said}.*export it again"):
        ModelSpec.from_json(text, "mine.onnx")


@pytest.mark.parametrize(("expected", "weight"), [(0, 0), (5, 0), (10, 0.5), (15, 1), (80, 1)])
def test_a_gate_opens_in_proportion(expected, weight):
    assert Gate(closed=5, open=15).weight(expected) == weight


@pytest.mark.parametrize(("closed", "opened"), [(8, 8), (9, 8), (np.nan, 8), (8, np.inf)])
def test_a_gate_that_is_none_is_refused(closed, opened):
    with pytest.raises(UsageError, match="a lower and a higher error"):
        Gate(closed=closed, open=opened)


def test_a_provider_that_is_not_there_is_one_line(tiny_model):
    with pytest.raises(UsageError, match=r"no provider 'cuda': install onnxruntime-gpu"):
        open_session(tiny_model, provider="cuda")
    with pytest.raises(UsageError, match="choose one of cpu, cuda, coreml, dml"):
        open_session(tiny_model, provider="abacus")


def test_an_answer_that_is_no_number_is_refused(tiny_model):
    composite = np.full((SIZE_PX, SIZE_PX, 3), np.nan, np.float32)
    with pytest.raises(ModelError, match="not numbers"):
        open_session(tiny_model).picture(composite, np.ones((SIZE_PX, SIZE_PX), np.float32))


def test_a_file_whose_names_are_no_text_is_refused_without_a_word_on_stdout(
    tiny_model, tmp_path, capfd
):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(tiny_model.read_bytes().replace(b"composite", b"comp\xdcsite"))
    with pytest.raises(ModelError, match="is not an ONNX file this runtime can open"):
        open_session(path)
    assert capfd.readouterr() == ("", "")

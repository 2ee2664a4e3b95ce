import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

import samelight
from samelight.errors import ModelError
from samelight.models import registry
from samelight.models.registry import DEFAULT_MODEL, list_models
from samelight.models.session import load_session
from samelight.models.spec import ModelRow
from tests.conftest import SIZE_PX, write_tiny_model

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
    session = load_session(name)
    assert session.size_px == row.size_px
    assert session.method == row.method
    assert session.predicts_one_map == (row.method == "samelight")
    assert name.startswith((f"{row.method}.", f"{row.method}-"))
    assert name.rpartition("-")[2] in (str(row.size_px), "s", "m", "l")
    assert (row.folder / row.card).is_file()
    assert row.licence
    assert row.parameters > 0


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_answers_with_a_picture(name, rng):
    session = load_session(name)
    composite = rng.random((session.size_px, session.size_px, 3), dtype=np.float32)
    image = session.run(composite, np.ones(composite.shape[:2], np.float32))
    assert image.shape == composite.shape
    assert image.dtype == np.float32


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
        load_session("moonlight.photos-384")


def test_the_default_is_shipped_once_anything_is():
    assert not SHIPPED or DEFAULT_MODEL in SHIPPED


def test_a_path_opens_an_exported_network(tiny_model, rng):
    session = load_session(tiny_model)
    assert (session.size_px, session.method) == (SIZE_PX, "tiny")
    composite = rng.random((SIZE_PX, SIZE_PX, 3), dtype=np.float32)
    mask = rng.random((SIZE_PX, SIZE_PX), dtype=np.float32)
    np.testing.assert_allclose(
        session.run(composite, mask), 0.8 * composite + 0.1 * mask[..., None], atol=1e-6
    )


def test_a_session_is_opened_once(tiny_model):
    assert load_session(tiny_model) is load_session(str(tiny_model))


def test_a_new_export_is_not_taken_for_the_old(tmp_path):
    path = write_tiny_model(tmp_path / "mine.onnx")
    first = load_session(path)
    write_tiny_model(path)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert load_session(path) is not first


def test_shipped_table_is_read(shipped_tiny):
    row = list_models()["tiny.test-64"]
    assert isinstance(row, ModelRow)
    assert row.results == {"psnr_db": 30.5}
    assert load_session("tiny.test-64").size_px == SIZE_PX


def test_an_unknown_name_lists_the_others(shipped_tiny):
    with pytest.raises(ModelError, match=r"no model named 'moonlight'.*tiny\.test-64"):
        load_session("moonlight")


def test_weights_with_another_checksum_are_refused(shipped_tiny):
    shipped_tiny.write_bytes(shipped_tiny.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"has sha256 .* wanted .* reinstall"):
        load_session("tiny.test-64")


def test_missing_weights_say_what_to_do(shipped_tiny):
    shipped_tiny.unlink()
    with pytest.raises(ModelError, match=r"missing.*reinstall"):
        load_session("tiny.test-64")


def test_files_that_are_no_networks_of_ours(tmp_path):
    with pytest.raises(ModelError, match=r"is missing.*check the path"):
        load_session(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("dear diary")
    with pytest.raises(ModelError, match="not an ONNX file"):
        load_session(tmp_path / "text.onnx")
    other = write_tiny_model(tmp_path / "other.onnx", size_px=None)
    with pytest.raises(ModelError, match="not a samelight network"):
        load_session(other)


def test_an_answer_that_is_no_number_is_refused(tiny_model):
    composite = np.full((SIZE_PX, SIZE_PX, 3), np.nan, np.float32)
    with pytest.raises(ModelError, match="not numbers"):
        load_session(tiny_model).run(composite, np.ones((SIZE_PX, SIZE_PX), np.float32))

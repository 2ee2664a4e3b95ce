"""docs/add-a-method.md is not only read: its example is trained, exported and run."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from samelight.lab.methods import METHODS
from tests.lab.pictures import write_photos

PAGE = Path(__file__).parents[2] / "docs" / "add-a-method.md"


@pytest.fixture
def toy(monkeypatch):
    """The page's code as a module; its method's line in METHODS."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = ModuleType("toy_method")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    monkeypatch.setitem(METHODS, "gain", module.GAIN)
    return module


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_method_trains_exports_and_runs_with_one_line_in_the_table(toy, run_cli, tmp_path):
    photos = write_photos(tmp_path / "photos")
    training = ["train", "gain", "--photos", photos, "--out", tmp_path / "run", "--workers", "0"]
    assert run_cli(*training, "--images", "640").code == 0
    assert run_cli("export", tmp_path / "run").code == 0
    composite = np.full((40, 60, 3), 120, np.uint8)
    composite[:, :30] = (200, 90, 40)
    Image.fromarray(composite).save(tmp_path / "composite.png")
    Image.fromarray(np.uint8(255) * (np.arange(60) >= 45)[None].repeat(40, 0)).save(
        tmp_path / "mask.png"
    )
    harmonizing = ["harmonize", tmp_path / "composite.png", "--mask", tmp_path / "mask.png"]
    harmonizing += ["--output", tmp_path / "out.png", "--model", tmp_path / "run" / "model.onnx"]
    finished = run_cli(*harmonizing)
    assert finished.code == 0, finished.err
    after = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.array_equal(after[:, :45], composite[:, :45])
    assert not np.array_equal(after[:, 45:], composite[:, 45:])

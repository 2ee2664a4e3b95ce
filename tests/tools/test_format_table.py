"""docs/photos.md says of each format what exiftool finds in a file that was written."""

import importlib
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_exiftool_finds(monkeypatch):
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool (Debian: libimage-exiftool-perl)")
    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = importlib.import_module("make_format_table")
    page = tool.PAGE.read_text("utf-8")
    assert tool.fill(page) == page, "run python tools/make_format_table.py"
    assert page.count("<!-- formats -->") == 1

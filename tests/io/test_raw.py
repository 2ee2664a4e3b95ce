import sys
from types import SimpleNamespace

import numpy as np
import pytest

from samelight.errors import PhotoError
from samelight.io.photo import read_photo


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "photo.NEF"
    path.write_bytes(b"no raw")
    return path


def test_without_the_extra_the_message_names_it(monkeypatch, file):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(PhotoError, match='the extra "raw"'):
        read_photo(file)
    with pytest.raises(PhotoError, match="is not a file"):
        read_photo(file.with_name("none.nef"))


def test_raw_files_are_developed_at_16_bits(monkeypatch, file):
    """On a stand-in for the library."""

    class Raw:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def postprocess(self, *, use_camera_wb, output_bps):
            assert use_camera_wb
            return np.zeros((4, 6, 3), f"u{output_bps // 8}")

    stub = SimpleNamespace(imread=lambda _: Raw(), LibRawError=RuntimeError)
    monkeypatch.setitem(sys.modules, "rawpy", stub)
    photo = read_photo(file)
    assert photo.pixels.dtype == np.uint16
    assert "developed" in photo.notes[0].text


def test_what_libraw_cannot_read(file):
    pytest.importorskip("rawpy")
    with pytest.raises(PhotoError, match="LibRaw"):
        read_photo(file)

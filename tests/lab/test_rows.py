import pytest

from samelight.errors import OutputError
from samelight.lab.rows import RowLog


def test_rows_come_back(tmp_path):
    log = RowLog(tmp_path / "rows.csv", ["name", "figure"])
    assert log.read() == []
    log.append([{"name": 'a, "b"', "figure": 1.5}])
    log.append([{"name": "c", "figure": 2}])
    rows = [{"name": 'a, "b"', "figure": "1.5"}, {"name": "c", "figure": "2"}]
    assert RowLog(log.path, ["name", "figure"]).read() == rows


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    log = RowLog(tmp_path / "rows.csv", ["name", "figure"])
    log.append([{"name": "a", "figure": 1}, {"name": "b", "figure": 2}])
    log.path.write_text(log.path.read_text()[:-2])
    assert [row["name"] for row in log.read()] == ["a"]
    log.append([{"name": "b", "figure": 2}])
    assert [row["name"] for row in log.read()] == ["a", "b"]


def test_other_columns_are_refused(tmp_path):
    RowLog(tmp_path / "rows.csv", ["other"]).append([{"other": 1}])
    with pytest.raises(OutputError, match="other columns"):
        RowLog(tmp_path / "rows.csv", ["name"]).read()

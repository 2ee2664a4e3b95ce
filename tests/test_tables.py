"""Figures in the documentation are those of the files of results."""

import importlib.util
from pathlib import Path

import pytest

from samelight.lab.evaluation.results import read_results
from samelight.models import list_models

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "benchmarks" / "make_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_what_the_script_writes(tables):
    marked = 0
    for name in tables.PAGES:
        page = (ROOT / name).read_text("utf-8")
        marked += page.count("<!-- table:")
        assert tables.fill(page) == page, f"run python benchmarks/make_tables.py: {name}"
    assert marked >= 3


def test_the_table_of_models_says_what_was_measured():
    for name, row in list_models().items():
        results = read_results(ROOT / "benchmarks" / name)
        (own,) = (contest for contest in results.contenders if contest.name == name)
        assert own.sha256 == row.sha256
        assert row.results["PSNR dB"] == round(own.total.psnr_db, 2)
        assert row.results["fMSE / composite"] == round(own.total.fmse_ratio, 3)
        assert row.results["improved"] == round(own.total.improved, 3)

"""Figures in the documentation are those of the files of results."""

import importlib
import json
from pathlib import Path

import pytest

from samelight.lab.evaluation.results import read_results
from samelight.models.registry import list_models

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    for folder in ("studies", "tools"):
        monkeypatch.syspath_prepend(ROOT / folder)


@pytest.fixture
def tables():
    return importlib.import_module("make_tables")


def test_tables_are_what_the_script_writes(tables):
    marked = 0
    for name in tables.PAGES:
        page = (ROOT / name).read_text("utf-8")
        assert "<!-- table:" in page or name.startswith("docs/methods")
        marked += page.count("<!-- table:")
        assert tables.fill(page) == page, f"run python tools/make_tables.py: {name}"
    assert marked >= 3


def test_pages_tell_the_memory_that_was_measured():
    measured = json.loads((ROOT / "results" / "full_resolution.json").read_text())["sizes"]
    mib = {row["megapixels"]: round(row["peak_mib"], -1) for row in measured}
    readme, photos = (
        " ".join((ROOT / page).read_text("utf-8").split())
        for page in ("README.md", "docs/photos.md")
    )
    assert f"{mib[24]} MiB, and {mib[100]} MiB for 100 megapixels" in readme
    assert f"100 megapixels take {mib[100]} MiB from JPEG to JPEG" in photos


def test_the_table_of_models_says_what_was_measured():
    for name, row in list_models().items():
        results = read_results(ROOT / "results" / name)
        (own,) = (result for result in results.entries if result.name == name)
        assert own.sha256 == row.sha256
        assert row.results["PSNR dB"] == round(own.total.psnr_db, 2)
        assert row.results["fMSE / composite"] == round(own.total.fmse_ratio, 3)
        assert row.results["improved"] == round(own.total.improved, 3)


def test_a_training_story_counts_images_and_minutes(tmp_path):
    story = importlib.import_module("training_story").story
    about = {"config": {"size_px": 384}, "recipe": {"batch": 32}, "photos": []}
    (tmp_path / "run.json").write_text(json.dumps(about))
    (tmp_path / "log.csv").write_text(
        "images,images_per_s,total\n1200,20,1\n2400,40,1\n3600,20,1\n"
    )
    # Scored twice at a checkpoint that a run went on from; the log's last rows were not written.
    scores = [(1200, 0.91234), (1200, 0.9), (4800, 0.8)]
    lines = [json.dumps({"images": images, "fmse_ratio": ratio}) for images, ratio in scores]
    (tmp_path / "figures.jsonl").write_text("\n".join(lines))
    told = story(tmp_path)
    # 1,200 at 20, 40 and 20 images/s, 60 + 30 + 60 s, and a third more.
    assert (told["images"], told["minutes"]) == (4800, 3)
    assert told["curve"] == [
        {"images": 1200, "fmse_ratio": 0.9},
        {"images": 4800, "fmse_ratio": 0.8},
    ]
    assert told["start_from"] is None

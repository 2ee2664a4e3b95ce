"""A few damaged files for every reader, and the process that guards many of them."""

import importlib
import os
import time
from pathlib import Path

import pytest

pytest.importorskip("tifffile")
TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("fuzz_readers")


@pytest.mark.parametrize("name", ["photos", "masks", "corrections", ".cube tables", "model files"])
def test_damaged_files_are_read_or_refused(fuzz, name):
    assert {fuzz.read_damaged(name, 1, index) for index in range(60)} == {"read", "refused"}


def test_the_same_seed_damages_the_same_files(fuzz):
    seeds = fuzz.READERS["masks"].seeds()
    files = [fuzz.damaged_file(seeds, 7, index) for index in range(20)]
    assert files == [fuzz.damaged_file(seeds, 7, index) for index in range(20)]
    assert files != [fuzz.damaged_file(seeds, 8, index) for index in range(20)]


def become_of(item):
    if item == "sleep":
        time.sleep(9)
    if item == "die":
        os._exit(1)
    return item


def test_what_hangs_or_dies_is_said_and_replaced(fuzz):
    guarded = importlib.import_module("guarded").Guarded(become_of, most_seconds=0.5)
    items = ["fine", "sleep", "fine", "die", "fine"]
    assert [guarded(item).kind for item in items] == ["fine", "slow", "fine", "crash", "fine"]
    guarded.close()

import json

import pytest

from samelight.models import registry
from samelight.models.registry import list_models

ROW = {
    "method": "tiny",
    "file": "tiny.onnx",
    "sha256": "0" * 64,
    "size_px": 64,
    "licence": "Apache-2.0",
    "paper": "A Paper [2021]",
    "parameters": 2_000_000,
    "card": "",
}


@pytest.fixture
def ship(tmp_path, monkeypatch):
    def ship(**results):
        rows = {name: ROW | {"results": figures} for name, figures in results.items()}
        (tmp_path / "models.json").write_text(json.dumps(rows))
        monkeypatch.setattr(registry, "_folders", lambda: [tmp_path])

    return ship


def test_every_model_is_listed_with_what_is_known_of_it(run_cli, ship):
    ship(tiny={"PSNR dB": 30.5})
    finished = run_cli("models")
    assert (finished.code, finished.err) == (0, "")
    row = finished.out.splitlines()[1].split("  ")
    words = [word.strip() for word in row if word]
    assert words == [
        *("tiny", "tiny", "A Paper [2021]", "Apache-2.0", "64 px", "2,000,000", "30.50")
    ]


def test_figures_stand_below_their_titles_in_the_units_of_the_readme(run_cli, ship):
    ship(
        one={"PSNR dB": 30.04, "fMSE / composite": 0.434, "improved": 0.864},
        other={"PSNR dB": 9.5, "fMSE / composite": 1, "improved": 0.05},
        new={},
    )
    header, *rows = run_cli("models").out.splitlines()
    ends = [header.index(title) + len(title) for title in ("PSNR dB", "composite", "improved")]
    cells = [
        [row[:end].split("  ")[-1].strip() for end in ends] + [row[ends[-1] :].strip()]
        for row in rows
    ]
    assert cells == [
        ["30.04", "0.434", "86.4 %", ""],
        ["9.50", "1.000", "5.0 %", ""],
        ["", "", "", ""],
    ]


def test_a_build_without_models_says_so(run_cli, ship):
    ship()
    assert run_cli("models") == (0, "", "this build ships no models\n")


@pytest.mark.lab
def test_every_method_is_listed_with_its_configurations(run_cli):
    from samelight.lab.methods import METHODS

    finished = run_cli("methods")
    assert (finished.code, finished.err) == (0, "")
    rows = finished.out.splitlines()[1:]
    assert len(rows) == len(METHODS)
    for row, (name, method) in zip(rows, METHODS.items(), strict=True):
        assert row.split()[0] == name
        assert ", ".join(method.configs) in row
        assert row.endswith((f"{method.recipe.images:,}", f"{method.recipe.images:,} "))


def test_shipped_figures_are_listed_as_the_readme_has_them(run_cli):
    out = run_cli("models").out
    for name, row in list_models().items():
        (line,) = [line for line in out.splitlines() if line.split()[0] == name]
        assert f"{row.results['PSNR dB']:.2f}" in line
        assert f"{100 * row.results['improved']:.1f} %" in line

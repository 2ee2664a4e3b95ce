from dataclasses import fields
from math import inf, isfinite, nextafter

import pytest
from typer.main import get_command

from samelight.errors import UsageError
from samelight.interfaces.cli import edit as edit_commands
from samelight.options import EditOptions

FIELDS = {field.name: field for field in fields(EditOptions)}
COMMANDS = get_command(edit_commands.app).commands
NEEDS_A_NETWORK = {"model", "gate", "provider", "threads"}


@pytest.mark.parametrize("name", FIELDS)
def test_every_option_of_an_edit_is_one_of_harmonize(name):
    (option,) = [one for one in COMMANDS["harmonize"].params if one.name == name]
    assert option.opts == ["--" + name.replace("_", "-")]
    assert option.default == FIELDS[name].default
    assert option.help == FIELDS[name].metadata["help"]
    assert not option.required


def test_apply_takes_those_that_ask_no_network():
    taken = {one.name for one in COMMANDS["apply"].params}
    assert taken & FIELDS.keys() == FIELDS.keys() - NEEDS_A_NETWORK


@pytest.fixture
def chosen(run_cli, folder, monkeypatch):
    """The options that reach the pipeline."""

    def run(*more, command="harmonize"):
        seen = []

        def edit(photo, mask, options, **_):
            seen.append(options)
            raise UsageError("that is all")

        monkeypatch.setattr("samelight.edit.edit", edit)
        finished = run_cli(command, folder / "photo.png", "-m", folder / "mask.png", *more)
        assert finished.err == "samelight: that is all\n"
        return seen[0]

    return run


def test_nothing_chosen_is_the_default(chosen):
    assert chosen() == EditOptions()


def test_what_is_chosen_reaches_the_pipeline(chosen):
    words = "--model samelight-s --strength 0.5 --gate auto --fit-mask --erode 2 --feather 1.5"
    words += " --despill --provider cuda --threads 3"
    assert chosen(*words.split()) == EditOptions(
        model="samelight-s",
        strength=0.5,
        gate="auto",
        fit_mask=True,
        erode=2,
        feather=1.5,
        despill=True,
        provider="cuda",
        threads=3,
    )


LIMITS = [
    (name, field.metadata[end], 1 if end == "most" else -1)
    for name, field in FIELDS.items()
    for end in ("least", "most")
    if isfinite(field.metadata[end])
]


@pytest.mark.parametrize(("name", "limit", "way"), LIMITS)
def test_the_ends_of_a_range_are_taken_and_no_more(chosen, run_cli, refused, name, limit, way):
    option = "--" + name.replace("_", "-")
    assert getattr(chosen(option, limit), name) == limit
    whole = FIELDS[name].type is not float
    beyond = limit + way if whole else nextafter(limit, way * inf)
    line = refused(run_cli("harmonize", "photo.png", "-m", "mask.png", option, beyond))
    assert option in line
    assert "range" in line


def test_no_number_is_refused(run_cli, refused):
    line = refused(run_cli("harmonize", "photo.png", "-m", "mask.png", "--strength", "nan"))
    assert "from 0 to 1.5" in line

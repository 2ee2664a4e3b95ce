"""The program as a process: its exit codes, what it says, and what it imports."""

import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import samelight
from samelight.errors import missing_extra
from samelight.interfaces.cli import main
from samelight.interfaces.cli.main import FILES
from tests.interfaces.cli.conftest import MAIN

COMMANDS = [command for file in FILES.values() for command in file.commands]
WITHIN = {
    "data": ["check", "masks", "synthesize", "illuminant"],
    "results": ["published", "table"],
}


def test_version(run_cli):
    assert run_cli("--version") == (0, f"samelight {samelight.__version__}\n", "")


def test_help_names_the_commands_in_whole_sentences(run_cli):
    finished = run_cli("--help")
    assert finished.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in finished.out
    assert finished.out.count(".\n") >= len(COMMANDS)
    assert "..." not in finished.out.partition("Commands:")[2]
    assert "--version" in finished.out


def test_nothing_asked_is_answered_by_help(run_cli):
    assert run_cli() == (2, run_cli("--help").out, "")


@pytest.mark.parametrize(
    "words",
    [
        [command, *more]
        for command in COMMANDS
        for more in ([], *([w] for w in WITHIN.get(command, ())))
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(run_cli, words):
    finished = run_cli(*words, "--help")
    assert finished.code == 0
    assert f"Usage: samelight {' '.join(words)} " in finished.out
    assert finished.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["moonlight"], "'moonlight': `samelight --help`"),
        (["harmonise"], "Did you mean 'harmonize'?"),
        (["harmonize"], "Missing argument 'composite': `samelight harmonize --help`"),
        (["harmonize", "a.png"], "Missing option '--mask' / '-m'"),
        (["harmonize", "a.png", "-m", "b.png", "--loud"], "--loud"),
        (["harmonize", "a.png", "-m", "b.png", "--stren", "1"], "--strength"),
        (["harmonize", "a.png", "-m", "b.png", "--erode", "many"], "'many' is not a valid int"),
        (["harmonize", "a.png", "-m", "b.png", "--gate", "on"], "'on' is not one of 'off', 'auto'"),
        (["harmonize", "a.png", "b.png", "-m", "c.png"], "unexpected extra argument"),
        (["data", "chek"], "`samelight data --help`"),
        (["data"], "Missing command"),
    ],
)
def test_what_is_not_understood_is_one_line_with_a_next_step(run_cli, refused, words, said):
    line = refused(run_cli(*words))
    assert said in line
    assert "--help` says what it takes\n" in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "harmonize a.png -m b.png --bold",
            "all of the correction is the default now; --gate auto",
        ),
        ("harmonize a.png -m b.png --shrink 3", "--erode"),
        ("harmonize a.png -m b.png --shrink=3", "--erode"),
        ("harmonize a.png -m b.png --model house.photos-m", "samelight-m"),
        ("export run --restraint 1 2", "--gate"),
        ("evaluate samelight-m --pairs p --peers all", "--baselines"),
        ("evaluate samelight-m --pairs p --output scores.csv", "--out DIR"),
        ("results table run --contender mkl", "--entry"),
        pytest.param(
            *("train house --photos p --out run", "now called samelight"), marks=pytest.mark.lab
        ),
    ],
)
def test_names_of_before_are_refused_with_those_of_today(run_cli, refused, folder, words, said):
    words = [str(folder / w) if w in ("a.png", "b.png") else w for w in words.split()]
    (folder / "photo.png").rename(folder / "a.png")
    (folder / "mask.png").rename(folder / "b.png")
    assert said in refused(run_cli(*words))


def test_an_exit_inside_keeps_its_code(run_program, folder):
    before = "import sys, samelight.io.photo as p\np.read_photo = lambda path, **_: sys.exit(7)"
    finished = run_program("harmonize", "photo.png", "-m", "mask.png", before=before, cwd=folder)
    assert (finished.returncode, finished.stdout, finished.stderr) == (7, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="has other signals")
def test_an_interruption_is_130_and_leaves_nothing(folder):
    before = (
        "import signal, time, samelight.io.photo as p\n"
        # A shell starts what runs in the background with interruptions ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "p.read_photo = lambda path, **_: (print('reading', flush=True), time.sleep(60))"
    )
    arguments = ["harmonize", "photo.png", "-m", "mask.png"]
    with subprocess.Popen(
        [sys.executable, "-c", f"{before}\n{MAIN}", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "reading\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")
    assert process.returncode == 130
    assert sorted(path.name for path in folder.iterdir()) == ["mask.png", "out", "photo.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="has other pipes")
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["models"]])
def test_a_broken_pipe_is_quiet(words):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", MAIN, *words]
    finished = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (finished.returncode, finished.stderr) == (1, b"")


def test_a_program_error_is_not_hidden(run_cli, folder, monkeypatch):
    def fail(path, **_):
        raise ZeroDivisionError

    monkeypatch.setattr("samelight.io.photo.read_photo", fail)
    with pytest.raises(ZeroDivisionError):
        run_cli("harmonize", folder / "photo.png", "-m", folder / "mask.png")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("train giftnet --photos . --out run", "torch"),
        ("export .", "torch"),
        ("methods", "torch"),
        ("data masks .", "skimage"),
    ],
)
def test_without_the_lab_its_extra_is_named(run_program, words, missing, folder):
    before = f"import sys\nsys.modules[{missing!r}] = None"
    finished = run_program(*words.split(), before=before, cwd=folder)
    command = words.split()[0]
    said = f"samelight: {command} needs {missing_extra('lab')} ({missing} is missing)\n"
    if find_spec("torch") is None:
        # Then the first that it comes upon is another.
        finished.stderr = re.sub(r"\(\w+ is", f"({missing} is", finished.stderr)
    assert (finished.returncode, finished.stdout, finished.stderr) == (2, "", said)


def test_the_command_of_the_contributing_page_is_one_file_and_one_line(run_cli, monkeypatch):
    page = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text("utf-8")
    file, line = (part.partition("```")[0] for part in page.split("```python\n")[1:3])
    paint = ModuleType("samelight.interfaces.cli.paint")
    monkeypatch.setitem(sys.modules, paint.__name__, paint)
    exec(file, vars(paint))
    monkeypatch.setitem(FILES, "paint", eval(f"{{{line.strip()}}}", vars(main))["paint"])
    assert run_cli("paint", "north", "--coats", "3", "--gate", "auto") == (0, "north\n", "")
    assert "colour of its room" in run_cli("--help").out
    assert run_cli("paint", "north", "--coats", "0").code == 2


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        ("--version", ["typer", "numpy", "rich", "pyvips", "PIL", "onnxruntime", "torch"]),
        ("--help", ["numpy", "rich", "pyvips", "PIL", "onnxruntime", "torch"]),
        ("harmonize --help", ["numpy", "rich", "pyvips", "PIL", "onnxruntime", "torch"]),
        ("train --help", ["numpy", "rich", "pyvips", "PIL", "onnxruntime", "torch"]),
        ("models", ["numpy", "pyvips", "PIL", "onnxruntime", "torch"]),
    ],
)
def test_nothing_heavy_is_imported_to_answer(run_program, words, heavy):
    before = (
        "import atexit, sys\n"
        f"names = {heavy}\n"
        "atexit.register(lambda: print(*[n for n in names if n in sys.modules], file=sys.stderr))"
    )
    finished = run_program(*words.split(), before=before)
    assert finished.returncode == 0
    assert finished.stderr == "\n"


def test_applying_a_correction_opens_no_runtime(run_program, folder):
    before = "import sys\nsys.modules['onnxruntime'] = None"
    from samelight.correction.field import Correction

    Correction.identity().save(folder / "light.npz")
    arguments = ["apply", "light.npz", "photo.png", "-m", "mask.png"]
    finished = run_program(*arguments, before=before, cwd=folder)
    assert (finished.returncode, finished.stdout) == (0, "photo.harmonized.png\n")

import pytest

from samelight.errors import UsageError
from samelight.interfaces.cli.terminal import Parser, add_command, add_commands, run_command


def paint(wall: str, coats: int, thick: bool) -> None:
    """Paint a wall.

    And let it dry.
    """
    raise LookupError(wall, coats, thick)


@pytest.fixture
def parser():
    parser = Parser(prog="house")
    command = add_command(add_commands(parser), paint)
    command.add_argument("wall")
    command.add_argument("--coats", type=int, default=2)
    command.add_argument("--thick", action="store_true")
    return parser


def test_a_command_gets_its_arguments_by_name(parser):
    with pytest.raises(LookupError) as painted:
        run_command(parser, ["paint", "north", "--thick"])
    assert painted.value.args == ("north", 2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND: `house --help`"),
        (["paint"], "wall: `house paint --help`"),
        (["paint", "north", "--coats", "many"], "invalid int value: 'many'"),
        (["paint", "north", "--coa", "3"], "unrecognized arguments: --coa 3"),
        (["rest"], "'rest'"),
    ],
)
def test_what_is_wrong_is_one_failure_with_a_next_step(parser, words, said):
    with pytest.raises(UsageError, match="--help` says what it takes") as refused:
        run_command(parser, words)
    assert said in str(refused.value)


def test_help_is_the_docstring(parser, capsys):
    for words, lines in ((["--help"], ["Paint a wall."]), (["paint", "--help"], ["let it dry"])):
        with pytest.raises(SystemExit) as answered:
            parser.parse_args(words)
        assert answered.value.code == 0
        printed = capsys.readouterr().out
        assert all(line in printed for line in lines)


COMMANDS = ["harmonize", "apply", "methods", "train", "export", "evaluate", "predict", "score"]
COMMANDS += ["data check", "data masks", "data synthesize", "data illuminant"]
COMMANDS += ["results published", "results table"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run_cli, command):
    finished = run_cli(*command.split(), "--help")
    assert finished.code == 0
    assert f"usage: samelight {command}" in finished.out
    assert finished.err == ""

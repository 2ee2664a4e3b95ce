"""The `samelight` command: quick answers, and one place where failures become one line.

The commands themselves are in the modules beside this one, which take longer to import.
"""

import sys

from samelight import __version__
from samelight.errors import SamelightError
from samelight.interfaces.cli.terminal import Parser, add_commands, remark, run_command

_EXIT_FAILURE = 2
_EXIT_INTERRUPTED = 130
_PHOTO_COMMANDS = ("harmonize", "apply")


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 2 for anything the user can put right, 130 when interrupted.
    """
    words = sys.argv[1:]
    try:
        parser = _parser()
        if not words:
            parser.print_help()
            return _EXIT_FAILURE
        run_command(parser, words)
    except SamelightError as error:
        remark("samelight: " + " ".join(str(error).split("\n")))
        return _EXIT_FAILURE
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0


def _parser() -> Parser:
    """Import no more commands than are asked for."""
    parser = Parser(
        prog="samelight",
        description="A pasted object, seen in the light of its new photograph.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"samelight {__version__}")
    if _command() == "--version":
        return parser
    commands = add_commands(parser)
    from samelight.interfaces.cli import edit

    edit.register(commands)
    if _command() not in _PHOTO_COMMANDS:
        from samelight.interfaces.cli import data, evaluate, train

        train.register(commands)
        evaluate.register(commands)
        data.register(commands)
    return parser


def _command() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else ""


if __name__ == "__main__":
    sys.exit(main())

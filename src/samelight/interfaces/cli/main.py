"""The `samelight` command: quick answers, and one place where failures become one line.

The commands themselves are in the modules beside this one, which take longer to import.
"""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from samelight import __version__
from samelight.errors import SamelightError
from samelight.interfaces.cli.terminal import Parser, add_commands, remark, run_command

_EXIT_FAILURE = 2
_EXIT_INTERRUPTED = 130
_PHOTO_COMMANDS = ("harmonize", "apply")


def run() -> int:
    """Run `main`; for one photo without tidying up, neither on the way nor at the end.

    Looking for cycles of dead objects among all that is imported, and taking the interpreter apart,
    each take as long as a network's pass. Pixels are freed when they are no longer used, as ever,
    and at the end there is nothing to save: results are whole files by then.
    """
    hurried = _command() in _PHOTO_COMMANDS
    if hurried:
        gc.disable()
    code = main()
    if code == 0 and hurried:
        sys.stdout.flush()
        os._exit(0)
    return code


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
    except SystemExit:
        # argparse has answered --help or --version.
        return 0
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
    if _command() == "harmonize" and not any(word.startswith("--model") for word in sys.argv):
        # Imported here: two threads that import wait for each other. What then opens the network
        # is no Python, and needs but another core while this one goes on.
        from samelight.models.session import load_session

        Thread(target=_open, args=(load_session,)).start()
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


def _open(load_session: Callable[[], object]) -> None:
    # What is wrong is said by the command, which asks for the same again.
    with suppress(SamelightError):
        load_session()


if __name__ == "__main__":
    sys.exit(run())

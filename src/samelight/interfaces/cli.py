"""The `samelight` command: quick answers, and one place where failures become one line.

The commands themselves are in `commands.py`, which takes longer to import.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TextIO

from samelight import __version__
from samelight.errors import SamelightError

_EXIT_FAILURE = 2
_EXIT_INTERRUPTED = 130
_PHOTO_COMMANDS = ("harmonize", "apply")


def run() -> int:
    """Run `main`; after a photo, leave at once.

    Taking the interpreter apart takes as long as a network's pass, and there is nothing to save:
    results are whole files by then.
    """
    try:
        return main()
    except SystemExit as finished:
        if finished.code != 0 or _command() not in _PHOTO_COMMANDS:
            raise
    sys.stdout.flush()
    os._exit(0)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 2 for anything the user can put right, 130 when interrupted.
    """
    if sys.argv[1:] == ["--version"]:
        _print_line(f"samelight {__version__}", sys.stdout)
        return 0
    try:
        _app()()
    except SamelightError as error:
        _print_line(f"samelight: {error}", sys.stderr)
        return _EXIT_FAILURE
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0


def _app() -> Callable[[], None]:
    """Import no more commands than are asked for."""
    command = _command()
    if command not in _PHOTO_COMMANDS:
        from samelight.interfaces.commands import app

        return app
    if command == "harmonize" and not any(word.startswith("--model") for word in sys.argv):
        # Imported here: two threads that import wait for each other. What then opens the network
        # is no Python, and needs but another core while this one goes on.
        from samelight.models import load_session

        Thread(target=_open, args=(load_session,)).start()
    from samelight.interfaces.editing import photo_app

    return photo_app()


def _command() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else ""


def _open(load_session: Callable[[], object]) -> None:
    # What is wrong is said by the command, which asks for the same again.
    with suppress(SamelightError):
        load_session()


def _print_line(text: str, stream: TextIO) -> None:
    stream.write(" ".join(text.split("\n")) + "\n")


if __name__ == "__main__":
    sys.exit(run())

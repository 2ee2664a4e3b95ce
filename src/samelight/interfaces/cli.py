"""The `samelight` command: quick answers, and one place where failures become one line.

The commands themselves are in `commands.py`, which takes longer to import.
"""

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
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in _PHOTO_COMMANDS:
        from samelight.interfaces.commands import app

        return app
    if command == "harmonize" and not any(word.startswith("--model") for word in sys.argv):
        # The network opens on another core while this one reads the command line and the photo.
        Thread(target=_open_default_model).start()
    from samelight.interfaces.editing import photo_app

    return photo_app()


def _open_default_model() -> None:
    from samelight.models import load_session

    # What is wrong is said by the command, which asks for the same again.
    with suppress(SamelightError):
        load_session()


def _print_line(text: str, stream: TextIO) -> None:
    stream.write(" ".join(text.split("\n")) + "\n")


if __name__ == "__main__":
    sys.exit(main())

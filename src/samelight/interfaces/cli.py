"""The `samelight` command: quick answers, and one place where failures become one line.

The commands themselves are in `commands.py`, which takes longer to import.
"""

import sys
from typing import TextIO

from samelight import __version__
from samelight.errors import SamelightError

_EXIT_FAILURE = 2
_EXIT_INTERRUPTED = 130


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 2 for anything the user can put right, 130 when interrupted.
    """
    if sys.argv[1:] == ["--version"]:
        _print_line(f"samelight {__version__}", sys.stdout)
        return 0
    try:
        from samelight.interfaces.commands import app

        app()
    except SamelightError as error:
        _print_line(f"samelight: {error}", sys.stderr)
        return _EXIT_FAILURE
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0


def _print_line(text: str, stream: TextIO) -> None:
    stream.write(" ".join(text.split("\n")) + "\n")


if __name__ == "__main__":
    sys.exit(main())

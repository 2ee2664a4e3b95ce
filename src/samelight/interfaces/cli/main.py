"""The `samelight` command: which file holds which command, and what becomes of a failure."""

import os
import sys
from typing import NamedTuple

from samelight import __version__
from samelight.errors import SamelightError, UsageError, missing_extra
from samelight.interfaces.cli.console import remark, tell

_EXIT_FAILURE = 2
_EXIT_INTERRUPTED = 130
# What Python's documentation recommends.
_EXIT_BROKEN_PIPE = 1


class CommandFile(NamedTuple):
    """A file beside this one, whose `app` is a typer that holds these commands."""

    commands: tuple[str, ...]
    extra: str | None = None
    """What of samelight must be installed for them beside the core."""


# A file is imported when one of its commands is asked for.
FILES = {
    "edit": CommandFile(("harmonize", "apply")),
    "models": CommandFile(("models", "methods"), extra="lab"),
    "train": CommandFile(("train", "export"), extra="lab"),
    "evaluate": CommandFile(("evaluate", "predict", "score", "results"), extra="lab"),
    "data": CommandFile(("data",), extra="lab"),
}


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 2 for anything the user can put right, 130 when interrupted, 1 when
        nobody reads the output any more.
    """
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except SamelightError as error:
        remark("samelight: " + " ".join(str(error).split()))
        return _EXIT_FAILURE
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # Or Python would fail once more when it writes, at its end, what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    return code


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        # Without typer, which takes longer to import than all else that this needs.
        tell(f"samelight {__version__}")
        return 0
    from samelight.interfaces.cli.program import run

    if not words:
        run(["--help"], FILES)
        return _EXIT_FAILURE
    asked = {name: file for name, file in FILES.items() if words[0] in file.commands}
    try:
        return run(words, asked or FILES)
    except ModuleNotFoundError as missing:
        extra = next((file.extra for file in asked.values()), None)
        if extra is None:
            raise
        package = str(missing.name).partition(".")[0]
        needed = f"{words[0]} needs {missing_extra(extra)} ({package} is missing)"
        raise UsageError(needed) from missing


if __name__ == "__main__":
    sys.exit(main())

"""What the commands share: where results and progress are shown."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")

# Wide enough that a table piped to a file is not folded at the 80 columns of a terminal.
_PIPED_WIDTH = 200


def results_console() -> Console:
    """A console on stdout that does not fold what is piped."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, markup=False)


def follow(steps: Iterable[Item], what: str, count: int) -> Iterable[Item]:
    """Show progress and the time left on stderr."""
    return track(steps, what, count, console=Console(stderr=True))

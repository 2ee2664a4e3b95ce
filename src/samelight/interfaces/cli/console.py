"""How the commands speak: results on stdout, everything else on stderr."""

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

# Wide enough that a table piped to a file is not folded at the 80 columns of a terminal.
_PIPED_WIDTH = 200


def tell(result: object) -> None:
    """Print a result, a line on stdout."""
    sys.stdout.write(f"{result}\n")


def remark(text: str) -> None:
    """Print what is no result, a line on stderr."""
    sys.stderr.write(f"{text}\n")


def tell_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> None:
    """Print a table on stdout.

    Args:
        header: a title for every column.
        rows: cells.
        words: how many columns hold words, aligned on the left; the others hold figures.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for number, title in enumerate(header):
        table.add_column(title, justify="left" if number < words else "right")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    Console(width=width, markup=False).print(table)


def follow(steps: Iterable[Item], what: str, count: int) -> Iterable[Item]:
    """Show progress and the time left on stderr."""
    from rich.console import Console
    from rich.progress import track

    return track(steps, what, count, console=Console(stderr=True))

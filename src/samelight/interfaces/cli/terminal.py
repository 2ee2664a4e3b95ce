"""How the commands take their arguments and say what they have to say."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from samelight.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse, but that what is wrong is told as every other failure is."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message}: `{self.prog} --help` says what it takes")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_commands(parser: Parser) -> Commands:
    """Let a parser take one of several commands."""
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def add_command(commands: Commands, run: Callable[..., None]) -> Parser:
    """Make a function a command of its name, explained by its docstring.

    Args:
        commands: where it is added.
        run: called with the arguments that are then added to the parser, by their names.
    """
    explained = run.__doc__ or ""
    parser = commands.add_parser(
        run.__name__,
        help=explained.partition("\n\n")[0],
        description=explained,
        allow_abbrev=False,
    )
    parser.set_defaults(command=run)
    return parser


def run_command(parser: Parser, words: list[str]) -> None:
    """Do what a command line asks for."""
    given = vars(parser.parse_args(words))
    given.pop("command")(**given)


def tell(result: object) -> None:
    """Print a result, a line on stdout."""
    sys.stdout.write(f"{result}\n")


def remark(text: str) -> None:
    """Print what is no result, a line on stderr."""
    sys.stderr.write(f"{text}\n")

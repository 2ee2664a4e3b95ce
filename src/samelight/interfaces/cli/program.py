"""The command line put together from its files, and run."""

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from samelight import __version__
from samelight.errors import UsageError
from samelight.interfaces.cli.console import tell
from samelight.interfaces.cli.former import FORMER_OPTIONS


def run(words: list[str], files: Iterable[str]) -> int:
    """Do what a command line asks for.

    Args:
        words: of the command line, without the program's name.
        files: names of the modules beside this one whose commands it may name.

    Returns:
        The exit code.

    Raises:
        UsageError: if it cannot be understood.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.callback()(samelight)
    for name in files:
        app.add_typer(import_module(f"samelight.interfaces.cli.{name}").app)
    command = get_command(app)
    # Not command.main(): it has words of its own for failures and interruptions.
    try:
        with command.make_context("samelight", words) as context:
            command.invoke(context)
    except typer.Exit as exit_:
        return exit_.exit_code
    except typer.TyperException as error:
        raise UsageError(_in_one_line(error)) from error
    return 0


def _tell_version(asked: bool) -> None:
    if asked:
        tell(f"samelight {__version__}")
        raise typer.Exit


def samelight(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """A pasted object, seen in the light of its new photograph."""


def _in_one_line(error: typer.TyperException) -> str:
    """What is wrong, and the next step."""
    option = getattr(error, "option_name", None)
    if option in FORMER_OPTIONS:
        return f"there is no {option} any more: {FORMER_OPTIONS[option]}"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "samelight"
    return f"{error.format_message().rstrip('.')}: `{command} --help` says what it takes"

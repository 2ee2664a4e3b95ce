"""Writing files: all or nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pyvips

from samelight.errors import OutputError


def require_writable_file(path: Path) -> None:
    """Refuse a place where no file could be written, before work is done for it.

    Args:
        path: where the file shall be.

    Raises:
        OutputError: if the folder is missing or closed, or a folder has that name.
    """
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: {path.parent} is not a folder, make it first")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: choose a folder and a name you may write to")


def write_whole(path: str | Path, write: Callable[[str], None]) -> None:
    """Write a file completely or not at all.

    Args:
        path: where the file shall be; an old one there is replaced.
        write: writes the file under the temporary name it is given, in the same folder.

    Raises:
        OutputError: if the file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.urandom(4).hex()}{path.suffix}")
    try:
        write(str(partial))
        partial.replace(path)
    except (OSError, pyvips.Error) as failure:
        reason = (str(failure).strip() or type(failure).__name__).splitlines()[-1]
        raise OutputError(f"cannot write {path}: {reason}") from failure
    finally:
        partial.unlink(missing_ok=True)

"""Where an edit's results go: checked before work is done for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from samelight.errors import OutputError


class Outputs(NamedTuple):
    """The files that an edit shall write; None = not wanted."""

    photo: Path
    correction: Path | None = None
    cube: Path | None = None
    sheet: Path | None = None
    """Before, after and mask side by side."""


_ENDINGS = {"correction": ".npz", "cube": ".cube"}
"""Of what is no photo."""


def default_output(photo: Path, *, force: bool) -> Path:
    """Name the result of a photo: beside it, and without loss whatever the photo came as.

    Args:
        photo: the photo.
        force: write over a file that is there.

    Raises:
        OutputError: if there is one.
    """
    output = photo.with_name(f"{photo.stem}.harmonized.png")
    if output.exists() and not force:
        raise OutputError(f"{output} is there: --force writes over it, --output names another file")
    return output


def require_outputs(outputs: Outputs, inputs: Mapping[str, Path]) -> None:
    """Refuse places where nothing can be written, or something would be lost.

    Args:
        outputs: what shall be written.
        inputs: what is read, by what it is.

    Raises:
        OutputError: saying which, and what to do.
    """
    from samelight.io.photo import require_writable_photo

    taken = {_place(path): f"it is the {what} itself" for what, path in inputs.items()}
    for what, path in outputs._asdict().items():
        if path is None:
            continue
        if what in _ENDINGS:
            require_ending(path, _ENDINGS[what])
        else:
            require_writable_photo(path)
        place = _place(path)
        if place in taken:
            raise OutputError(f"cannot write {path}: {taken[place]}, choose another name")
        taken[place] = f"the {what} shall be written there"


def require_ending(path: Path, ending: str) -> None:
    """Refuse a file whose name does not end as such files' do, or that cannot be written.

    Raises:
        OutputError: saying which, and what to do.
    """
    from samelight.io.files import require_writable_file

    if path.suffix.lower() != ending:
        raise OutputError(f"cannot write {path}: end its name in {ending}")
    require_writable_file(path)


def _place(path: Path) -> object:
    """The same for all names of one file."""
    if path.exists():
        found = path.stat()
        return found.st_dev, found.st_ino
    return path.resolve()

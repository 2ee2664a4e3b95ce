"""The shipped models, by name."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from samelight.errors import ModelError

DEFAULT_MODEL = "samelight-m"
REINSTALL = "reinstall samelight: in a checkout of it, pip install --force-reinstall ."
"""What to do where a shipped file is missing or not the one it should be."""


FORMER_NAMES = {
    "house.photos-m": "samelight-m",
    "house.photos-s": "samelight-s",
}
"""Today's names of shipped models by those they had."""


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """What is known of one shipped model.

    Attributes:
        folder: where its files lie.
        method: the published method it implements.
        file: name of the ONNX file among the weights.
        sha256: checksum of that file, hex.
        size_px: side of the square picture the network sees.
        licence: of the weights.
        paper: where the method was published.
        parameters: count.
        results: measured figures by name.
        card: name of the model card among the weights.
    """

    folder: Path
    method: str
    file: str
    sha256: str
    size_px: int
    licence: str
    paper: str
    parameters: int
    results: dict[str, float]
    card: str


def list_models() -> dict[str, ModelRow]:
    """Read the tables of shipped models, by name: our own, and what `samelight-weights` adds."""
    rows: dict[str, ModelRow] = {}
    for folder in _folders():
        table: dict[str, dict[str, Any]] = json.loads((folder / "models.json").read_text("utf-8"))
        rows |= {name: ModelRow(folder=folder, **row) for name, row in table.items()}
    return rows


def _folders() -> list[Path]:
    """Where weights lie: in this package, and in the one beside it where it is installed."""
    beside = find_spec("samelight_weights")
    more = [] if beside is None else beside.submodule_search_locations or []
    return [Path(__file__).parents[1] / "weights", *map(Path, more)]


def find_model(name_or_path: str | Path) -> tuple[Path, ModelRow | None]:
    """Find the file of a shipped model, or of an exported one.

    Args:
        name_or_path: a name from `list_models`, or a path ending in .onnx.

    Returns:
        The file, which exists, and the row of a shipped model.

    Raises:
        ModelError: if there is no such model, it has another name now, or its file is missing.
    """
    name = str(name_or_path)
    row = list_models().get(name)
    if name in FORMER_NAMES:
        raise ModelError(f"the model {name} is now called {FORMER_NAMES[name]}")
    if row is None and not name.endswith(".onnx"):
        shipped = ", ".join(list_models()) or "none in this build"
        raise ModelError(
            f"there is no model named {name!r}: choose one of [{shipped}] or give an .onnx file "
            "(the published methods' are a package of their own: "
            "in a checkout of samelight, pip install ./weights)"
        )
    path = row.folder / row.file if row else Path(name)
    if not path.is_file():
        next_step = REINSTALL if row else "check the path"
        raise ModelError(f"the file of model {name} is missing ({path}): {next_step}")
    return path, row

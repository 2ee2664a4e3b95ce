"""A CSV file that is written row by row and taken up again where it was cut off."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from samelight.errors import OutputError


class RowLog:
    """Rows of a long job: what is in the file is done.

    Args:
        path: the file; made with its first rows.
        fields: the columns.
    """

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        self.path, self.fields = path, list(fields)

    def read(self) -> list[dict[str, str]]:
        """Read the rows; a last line that was cut off is removed from the file.

        Raises:
            OutputError: if the file has other columns.
        """
        if not self.path.exists():
            return []
        text = self.path.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self.path.write_text(whole, "utf-8", newline="")
        reader = csv.DictReader(io.StringIO(whole))
        if whole and reader.fieldnames != self.fields:
            raise OutputError(f"{self.path} has other columns than wanted: move it away first")
        return list(reader)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, all of them or, if killed on the way, a part that `read` can tell."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.fields, lineterminator="\n")
        if not self.path.exists() or self.path.stat().st_size == 0:
            writer.writeheader()
        writer.writerows(rows)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())

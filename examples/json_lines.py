"""samelight for a program in another language: a JSON object a line in, one a line out.

    echo '{"photo": "composite.jpg", "mask": "mask.png", "output": "after.png", "strength": 0.8}' |
        python json_lines.py

All but photo, mask and output is a field of `EditOptions`. The network is opened once.
"""

import json
import sys
from typing import Any

from samelight.edit import EditOptions, edit
from samelight.errors import SamelightError
from samelight.io.photo import read_photo, write_photo
from samelight.mask.mask import Mask


def harmonize(photo: str, mask: str, output: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Edit one photo, and say what there is to say about it."""
    result = edit(read_photo(photo), Mask.of(mask), EditOptions(**options))
    write_photo(output, result.photo)
    notes = [{"kind": note.kind, "text": note.text} for note in result.notes]
    return {"output": output, "notes": notes, "seconds": result.seconds}


def main() -> None:
    """Answer every line of the standard input; what is wrong with one does not end the others."""
    for line in sys.stdin:
        try:
            answer = harmonize(**json.loads(line))
        except (SamelightError, TypeError, ValueError) as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

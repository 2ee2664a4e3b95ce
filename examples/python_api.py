"""Everything that `samelight.harmonize` takes, and what it gives back.

    python examples/python_api.py OUTPUT

mypy checks what it says of types; tests/test_examples.py runs it.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight import Mask, harmonize
from samelight.errors import SamelightError
from samelight.io.photo import Photo, read_photo

FOLDER = Path(__file__).parent


def from_a_path(output: Path) -> Photo:
    """Keeps all that the file has: depth, profile, EXIF, XMP, IPTC; and says what it could not."""
    photo: Photo = harmonize(FOLDER / "composite.jpg", FOLDER / "mask.png", strength=0.8)
    for note in photo.notes + photo.save(output):
        print(note.kind, note.text)  # noqa: T201
    return photo


def from_a_photo() -> Photo:
    """A photo that was read already; `page` picks one of several pictures of a TIFF or WebP."""
    read: Photo = read_photo(str(FOLDER / "composite.jpg"), page=1, max_megapixels=100)
    photo: Photo = harmonize(read, Mask.of(str(FOLDER / "mask.png")), gate="auto")
    return photo


def from_pillow() -> Image.Image:
    """Pictures of Pillow come back as such, with 8 bits."""
    with Image.open(FOLDER / "composite.jpg") as picture, Image.open(FOLDER / "mask.png") as mask:
        result: Image.Image = harmonize(picture, mask, feather=3.0)
    return result


def from_arrays() -> npt.NDArray[np.float32]:
    """Arrays come back with their type."""
    with Image.open(FOLDER / "composite.jpg") as picture, Image.open(FOLDER / "mask.png") as mask:
        pixels = np.asarray(picture, dtype=np.float32) / np.float32(255)
        coverage = np.asarray(mask.convert("L")) > 127
    result: npt.NDArray[np.float32] = harmonize(pixels, coverage, erode=1)
    return result


def what_is_refused() -> list[str]:
    """What is wrong is said in a line that names the next step; mypy knows wrong types as well."""
    refused = []
    for wrong in ("nowhere.jpg", np.zeros((4, 4)), None):
        try:
            harmonize(wrong, FOLDER / "mask.png")  # type: ignore[arg-type]
        except SamelightError as refusal:
            refused.append(str(refusal))
    try:
        harmonize(FOLDER / "composite.jpg", [[0, 1]])  # type: ignore[call-overload]
    except SamelightError as refusal:
        refused.append(str(refusal))
    return refused


def main(output: Path) -> None:
    """Run all of them."""
    pictures = [from_a_path(output).pixels, from_a_photo().pixels, np.asarray(from_pillow())]
    print([picture.shape for picture in [*pictures, from_arrays()]])  # noqa: T201
    print("\n".join(what_is_refused()))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))

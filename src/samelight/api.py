"""The Python face: what a script has in hand goes in, the same kind comes out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.edit import edit
from samelight.errors import PhotoError, UsageError
from samelight.io.photo import Photo, read_photo
from samelight.io.pil import photo_of_array, photo_of_pil, pil_of_photo
from samelight.limits import Provider
from samelight.mask.mask import Mask, MaskLike
from samelight.options import EditOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

ArrayT = TypeVar("ArrayT", bound=npt.NDArray[Any])


class EditKeywords(TypedDict, total=False):
    """The fields of `EditOptions`, which says what they mean, as keywords of `harmonize`."""

    model: str
    strength: float
    gate: Literal["off", "auto"]
    fit_mask: bool
    erode: int
    feather: float
    despill: bool
    provider: Provider
    threads: int | None


@overload
def harmonize(
    image: str | Path | Photo, mask: MaskLike, **options: "Unpack[EditKeywords]"
) -> Photo: ...


@overload
def harmonize(
    image: Image.Image, mask: MaskLike, **options: "Unpack[EditKeywords]"
) -> Image.Image: ...


@overload
def harmonize(image: ArrayT, mask: MaskLike, **options: "Unpack[EditKeywords]") -> ArrayT: ...


def harmonize(
    image: str | Path | Photo | Image.Image | npt.NDArray[Any],
    mask: MaskLike,
    **options: "Unpack[EditKeywords]",
) -> Photo | Image.Image | npt.NDArray[Any]:
    """Recolour a photo's foreground so that it looks photographed with its background.

    The opened network is kept, so that a second photo does not wait for it.

    Args:
        image: a path; a `Photo`; a PIL image, taken as it lies in memory; or an (H,W,3) array:
            uint8, uint16, or float32 in [0,1].
        mask: 1 = foreground: whatever `Mask.of` takes, such as a path, a PIL image or an array.
        options: the fields of `samelight.options.EditOptions`, such as strength=0.5 or gate="auto".

    Returns:
        For a path a `Photo`, whose `save` keeps bit depth, colour profile, EXIF and XMP; for an
        array an array of its type; for a PIL image one of 8 bits, with the alpha, EXIF and
        colour profile of the input.

    Raises:
        SamelightError: saying what was got and what is wanted.
    """
    chosen = _options(options)
    if isinstance(image, np.ndarray):
        return edit(photo_of_array(image), Mask.of(mask), chosen).pixels
    if isinstance(image, Image.Image):
        photo = edit(photo_of_pil(image), Mask.of(mask), chosen).photo
        return pil_of_photo(photo, image.info)
    if isinstance(image, (str, Path)):
        image = read_photo(image)
    if not isinstance(image, Photo):
        raise PhotoError(
            f"the image is a {type(image).__name__}: wanted a path, a PIL image or an (H,W,3) array"
        )
    return edit(image, Mask.of(mask), chosen).photo


def _options(given: EditKeywords) -> EditOptions:
    known = EditOptions.__dataclass_fields__
    for name in given:
        if name not in known:
            raise UsageError(f"there is no option {name!r}: choose from {', '.join(known)}")
    return EditOptions(**given)

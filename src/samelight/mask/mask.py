"""A mask as a value: which pixels are foreground, checked once, passed on everywhere."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.errors import MaskError
from samelight.io.decode import decode, open_picture, orientation
from samelight.io.metadata.exif import upright
from samelight.limits import MAX_MEGAPIXELS
from samelight.mask.box import Box, bounding_box
from samelight.mask.edges import erode_coverage, feather_coverage
from samelight.types import WHITE, Coverage, FloatArray, Note, as_float

MaskLike: TypeAlias = "Mask | str | Path | Image.Image | npt.NDArray[Any]"
"""Whatever `Mask.of` makes a mask from."""

# A gray mask saved as JPEG drifts a little between its channels; a photo differs far more.
_MOST_COLOUR = 0.1
# A brightest value below this share of white is said: it may be a mask of class numbers.
_FAR_BELOW_WHITE = 0.5


@dataclass(frozen=True, eq=False)
class Mask:
    """Which pixels are foreground, 1 = to be changed.

    Attributes:
        coverage: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
        notes: what was doubtful about it, for the user.
    """

    coverage: Coverage
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, source: MaskLike, *, max_megapixels: float = MAX_MEGAPIXELS) -> "Mask":
        """Make a mask from whatever holds one.

        Args:
            source: a mask; a path (JPEG, PNG, WebP, TIFF or AVIF); a PIL image, taken as it lies
                in memory; or an array (H,W), (H,W,1), (H,W,2..4): bool, integers whose maximum
                means 1, or floats in [0,1]. An alpha channel that is not opaque everywhere is the
                mask; otherwise gray values are. Values of 0 and 1 only are taken as no and yes.
            max_megapixels: larger files are refused before they are decoded.

        Raises:
            MaskError: if it cannot be read, or holds colours and no transparency.
        """
        if isinstance(source, Mask):
            return source
        if isinstance(source, (str, Path)):
            values, notes = _read(source, max_megapixels)
            mask = _checked(values, str(source))
            return replace(mask, notes=(*notes, *mask.notes))
        if isinstance(source, Image.Image):
            return _checked(_values_of_pil(source), "the mask")
        if isinstance(source, np.ndarray):
            return _checked(source, "the mask")
        raise MaskError(
            f"the mask is a {type(source).__name__}: wanted a path, a PIL image or an array"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.coverage.shape
        return height, width

    @cached_property
    def box(self) -> Box:
        """The rows and the columns that hold all of the foreground; empty for an empty mask."""
        return bounding_box(self.coverage)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is foreground."""
        return bool(self.box[0].stop == 0)

    @cached_property
    def area(self) -> float:
        """Share of the picture that is foreground, in [0,1]; soft pixels count in part."""
        return float(self.coverage.mean(dtype=np.float64)) / WHITE[self.coverage.dtype]

    def as_float(self) -> FloatArray:
        """The coverage as (H,W) float32 in [0,1]."""
        return as_float(self.coverage)

    def with_coverage(self, coverage: Coverage) -> "Mask":
        """The same mask with other values, its notes kept."""
        return replace(self, coverage=coverage)

    def eroded(self, width_px: int) -> "Mask":
        """Pull the foreground's edge in by so many pixels, 0 to 200."""
        return self.with_coverage(erode_coverage(self.coverage, width_px))

    def feathered(self, width_px: float) -> "Mask":
        """Let the foreground fade in over so many pixels inside its edge, 0 to 200."""
        return self.with_coverage(feather_coverage(self.coverage, width_px))

    def resized(self, shape: tuple[int, int]) -> "Mask":
        """Resize to a photo.

        Args:
            shape: its height and width.

        Returns:
            A mask of that shape; uint16 becomes float32.

        Raises:
            MaskError: if the proportions differ by more than a pixel of the coarser one.
        """
        if self.shape == shape:
            return self
        # By how many pixels of the coarser of the two they miss each other.
        across = abs(shape[0] * self.shape[1] - shape[1] * self.shape[0])
        if across / max(*shape, *self.shape) > 1:
            raise MaskError(
                f"mask is {self.shape}, image is {shape} (height, width): the proportions differ, "
                "so it is a mask of another picture, or of a crop"
            )
        given = self.as_float() if self.coverage.dtype == np.uint16 else self.coverage
        resized = Image.fromarray(given).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
        values = np.asarray(resized)
        return self.with_coverage(values if values.dtype == np.uint8 else values.clip(0, 1))

    def require_shape(self, shape: tuple[int, int], *, orientation: int = 1) -> None:
        """Refuse a mask of another size than its photo.

        Args:
            shape: height and width of the photo.
            orientation: the photo's EXIF orientation, 1 to 8.

        Raises:
            MaskError: naming the way out.
        """
        if self.shape == shape:
            return
        sizes = f"mask is {self.shape}, image is {shape} (height, width)"
        if self.shape == shape[::-1] and orientation in (5, 6, 7, 8):
            raise MaskError(
                f"{sizes}: the photo's EXIF orientation {orientation} turns it by a quarter and "
                "not the mask: turn the mask too, or save the photo upright first"
            )
        raise MaskError(f"{sizes}: resize the mask, or ask for it to be fitted (--fit-mask)")


def _read(path: str | Path, max_megapixels: float) -> tuple[npt.NDArray[Any], tuple[Note, ...]]:
    """Decode a mask file, upright: (H,W,bands) at the depth it has, and what there is to say."""
    opened = open_picture(path, MaskError, max_megapixels=max_megapixels)
    if opened.image.interpretation == "cmyk":
        raise MaskError(f"{path} is a CMYK picture: a mask is gray, or has transparency")
    stored, damage = decode(opened)
    return upright(stored, orientation(opened.image)), (*opened.notes, *damage)


def _values_of_pil(image: Image.Image) -> npt.NDArray[Any]:
    if image.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        raise MaskError(f"the mask is a {image.mode} picture: a mask is gray, or has transparency")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return np.asarray(image)


def _checked(values: npt.NDArray[Any], name: str) -> Mask:
    """Find the foreground in stored values, and say what is doubtful about it."""
    if values.size == 0 or values.ndim not in (2, 3):
        raise MaskError(f"{name} is an array of shape {values.shape}: wanted (H,W)")
    if values.ndim == 3 and values.shape[-1] > 4:
        way_out = "give one of them, such as masks[0]" if values.shape[0] <= 4 else "give its gray"
        raise MaskError(
            f"{name} is an array of shape {values.shape}: wanted (H,W), or (H,W,1..4) as gray, RGB "
            f"or with alpha; {way_out}"
        )
    coverage = _foreground(_to_known_type(values, name), name)
    brightest, white = float(coverage.max()), WHITE[coverage.dtype]
    if coverage.dtype != np.float32 and brightest == 1:
        text = f"{name} holds 0 and 1 only: 1 was taken for foreground, as if it were {white:.0f}"
        return Mask(coverage * coverage.dtype.type(white), (Note("mask-binary", text),))
    if 0 < brightest < _FAR_BELOW_WHITE * white:
        text = (
            f"the brightest value of {name} is {brightest:g} of {white:g}: the object is changed "
            f"by {100 * brightest / white:.0f} % at most; white is wholly foreground"
        )
        return Mask(coverage, (Note("mask-dim", text),))
    return Mask(coverage)


def _foreground(stored: npt.NDArray[Any], name: str) -> Coverage:
    """(H,W) from (H,W) or (H,W,1..4)."""
    if stored.ndim == 2:
        return stored
    bands, white = stored.shape[-1], WHITE[stored.dtype]
    if bands in (2, 4) and stored[..., -1].min() < white:
        return np.ascontiguousarray(stored[..., -1])
    if bands < 3:
        return np.ascontiguousarray(stored[..., 0])
    red, green, blue = (stored[..., channel] for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    colour = (most - np.minimum(np.minimum(red, green), blue)).max()
    if colour > _MOST_COLOUR * white:
        raise MaskError(
            f"{name} holds colours and no transparency: a mask is gray (white = foreground), "
            "or a cut-out with a transparent background"
        )
    if colour == 0:
        return np.asarray(most)
    return np.asarray(as_float(stored[..., :3]).mean(axis=-1))


def _to_known_type(values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Bring values to uint8, uint16, or float32 in [0,1]."""
    if values.dtype in (np.uint8, np.uint16):
        return values
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if np.issubdtype(values.dtype, np.integer):
        low, high = int(values.min()), int(values.max())
        if not (low >= 0 and high <= 65535):
            raise MaskError(f"{name} holds values from {low} to {high}: wanted 0 to 255 or 65535")
        return values.astype(np.uint8 if high <= 255 else np.uint16)
    if not np.issubdtype(values.dtype, np.floating):
        raise MaskError(f"{name} holds {values.dtype}: wanted bool, integers or floats")
    if not np.isfinite(values).all():
        raise MaskError(f"{name} holds NaN or infinity: replace them by 0 or 1")
    if not (values.min() >= 0 and values.max() <= 1):
        raise MaskError(f"{name} holds floats outside [0,1]: divide by its largest value")
    return values.astype(np.float32)

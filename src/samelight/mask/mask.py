"""Masks: which pixels are foreground, as float coverage with 1 = foreground."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyvips
from PIL import Image

from samelight.errors import MaskError
from samelight.io.files import decoding_error, open_image, orientation
from samelight.io.metadata.exif import upright
from samelight.types import Coverage, FloatArray

MaskLike: TypeAlias = str | Path | Image.Image | npt.NDArray[Any]

# A gray mask saved as JPEG drifts a little between its channels; a photo differs far more.
_MOST_COLOUR = 0.1


def read_mask(path: str | Path) -> FloatArray:
    """Read a mask file: gray of any depth, or the transparency of a cut-out.

    Args:
        path: JPEG, PNG, WebP, TIFF or AVIF. Its alpha channel is the mask unless it is opaque
            everywhere; otherwise its gray values are.

    Returns:
        (H,W) float32 in [0,1], 1 = foreground, upright.

    Raises:
        MaskError: if it is missing, damaged, or holds colours and no transparency.
    """
    return as_float(read_coverage(path))


def read_coverage(path: str | Path) -> Coverage:
    """Read a mask file at the depth it has, in a quarter of the memory of `read_mask`.

    Args:
        path: as for `read_mask`.

    Returns:
        (H,W) uint8 or uint16 whose maximum means 1, or float32 in [0,1]; upright.

    Raises:
        MaskError: as for `read_mask`.
    """
    image = open_image(path, MaskError)
    try:
        turned = orientation(image)
        if image.interpretation == "cmyk":
            raise MaskError(f"{path} is a CMYK picture: a mask is gray, or has transparency")
        stored = image.numpy()
    except pyvips.Error as failure:
        raise decoding_error(path, MaskError) from failure
    return upright(_coverage(stored, str(path)), turned)


def coerce_mask(mask: MaskLike) -> FloatArray:
    """Accept a mask in any of the forms that the Python API takes.

    Args:
        mask: a path; a PIL image, read as it lies in memory; or an (H,W) array: bool, uint8 or
            uint16 whose maximum means 1, or floats in [0,1].

    Returns:
        (H,W) float32 in [0,1], 1 = foreground.
    """
    if isinstance(mask, (str, Path)):
        return read_mask(mask)
    if isinstance(mask, Image.Image):
        if mask.mode == "P":
            mask = mask.convert("RGBA" if "transparency" in mask.info else "RGB")
        return as_float(_coverage(np.asarray(mask), "the mask"))
    if mask.ndim != 2:
        raise MaskError(f"the mask is an array of shape {mask.shape}: wanted (H,W)")
    return as_float(_coverage(mask, "the mask"))


def fit_mask(mask: Coverage, shape: tuple[int, int]) -> Coverage:
    """Resize a mask to its photo.

    Args:
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
        shape: height and width of the photo.

    Returns:
        A mask of that shape; uint16 becomes float32.

    Raises:
        MaskError: if the proportions differ by more than a pixel of the coarser one.
    """
    if mask.shape == shape:
        return mask
    # By how many pixels of the coarser of the two they miss each other.
    off_px = abs(shape[0] * mask.shape[1] - shape[1] * mask.shape[0]) / max(*shape, *mask.shape)
    if off_px > 1:
        raise MaskError(
            f"mask is {mask.shape}, image is {shape} (height, width): the proportions differ, "
            "so it is a mask of another picture, or of a crop"
        )
    given = as_float(mask) if mask.dtype == np.uint16 else mask
    resized = Image.fromarray(given).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    values = np.asarray(resized)
    return values if values.dtype == np.uint8 else values.clip(0, 1)


def require_same_size(mask: Coverage, shape: tuple[int, int]) -> None:
    """Refuse a mask of another size than its photo.

    Args:
        mask: (H,W).
        shape: height and width of the photo.

    Raises:
        MaskError: naming the way out.
    """
    if mask.shape != shape:
        raise MaskError(
            f"mask is {mask.shape}, image is {shape} (height, width): "
            "resize the mask or pass --fit-mask"
        )


def as_float(mask: Coverage) -> FloatArray:
    """Bring a mask of any accepted depth to [0,1].

    Args:
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
    """
    if mask.dtype == np.float32:
        return mask
    scaled: FloatArray = mask.astype(np.float32)
    scaled /= np.iinfo(mask.dtype).max
    return scaled


def _coverage(values: npt.NDArray[Any], name: str) -> Coverage:
    """Find the foreground in stored values: (H,W) or (H,W,1..4) of any type."""
    stored = _to_known_type(values, name)
    if stored.ndim == 2:
        return stored
    bands = stored.shape[-1]
    white = 1 if stored.dtype == np.float32 else np.iinfo(stored.dtype).max
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
    """Check the type, and bring all but uint8 and uint16 to float32 in [0,1]."""
    if values.size == 0:
        raise MaskError(f"{name} is empty: shape {values.shape}")
    if values.dtype in (np.uint8, np.uint16):
        return values
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if not np.issubdtype(values.dtype, np.floating):
        raise MaskError(f"{name} holds {values.dtype}: wanted bool, uint8, uint16 or float")
    if not (values.min() >= 0 and values.max() <= 1):
        raise MaskError(f"{name} holds floats outside [0,1]: divide by its largest value")
    return values.astype(np.float32)

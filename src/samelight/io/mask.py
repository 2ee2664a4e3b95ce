"""Masks: which pixels are foreground, as float coverage with 1 = foreground."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyvips
from PIL import Image

from samelight.errors import MaskError
from samelight.io.exif import upright
from samelight.io.files import decoding_error, open_image, orientation
from samelight.types import FloatArray

MaskLike: TypeAlias = str | Path | Image.Image | npt.NDArray[Any]

# A gray mask saved as JPEG drifts a little between its channels; a photo differs far more.
_MOST_COLOUR = 0.1


def read_mask(path: str | Path) -> FloatArray:
    """Read a mask file: gray of any depth, or the transparency of a cut-out.

    Args:
        path: JPEG, PNG, WebP or TIFF. Its alpha channel is the mask unless it is opaque
            everywhere; otherwise its gray values are.

    Returns:
        (H,W) float32 in [0,1], 1 = foreground, upright.

    Raises:
        MaskError: if it is missing, damaged, or holds colours and no transparency.
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
        return _coverage(np.asarray(mask), "the mask")
    if mask.ndim != 2:
        raise MaskError(f"the mask is an array of shape {mask.shape}: wanted (H,W)")
    return _coverage(mask, "the mask")


def fit_mask(mask: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Resize a mask to its photo.

    Args:
        mask: (H,W) in [0,1].
        shape: height and width of the photo.

    Returns:
        A mask of that shape.

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
    resized = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)


def require_same_size(mask: FloatArray, shape: tuple[int, int]) -> None:
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


def _coverage(values: npt.NDArray[Any], name: str) -> FloatArray:
    """Find the foreground in stored values: (H,W) or (H,W,1..4) of any type -> float32 [0,1]."""
    scaled = _to_unit_range(values, name)
    if scaled.ndim == 2:
        return scaled
    bands = scaled.shape[-1]
    if bands in (2, 4) and scaled[..., -1].min() < 1:
        return np.ascontiguousarray(scaled[..., -1])
    gray = scaled[..., : 3 if bands > 2 else 1]
    if np.ptp(gray, axis=-1).max() > _MOST_COLOUR:
        raise MaskError(
            f"{name} holds colours and no transparency: a mask is gray (white = foreground), "
            "or a cut-out with a transparent background"
        )
    return np.ascontiguousarray(gray.mean(axis=-1))


def _to_unit_range(values: npt.NDArray[Any], name: str) -> FloatArray:
    if values.size == 0:
        raise MaskError(f"{name} is empty: shape {values.shape}")
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if values.dtype in (np.uint8, np.uint16):
        scaled: FloatArray = values.astype(np.float32)
        scaled /= np.iinfo(values.dtype).max
        return scaled
    if not np.issubdtype(values.dtype, np.floating):
        raise MaskError(f"{name} holds {values.dtype}: wanted bool, uint8, uint16 or float")
    if not (values.min() >= 0 and values.max() <= 1):
        raise MaskError(f"{name} holds floats outside [0,1]: divide by its largest value")
    return values.astype(np.float32)

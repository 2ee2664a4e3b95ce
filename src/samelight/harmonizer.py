"""Photo and mask in, correction out, photo out: what the package is for."""

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.correction import Correction, require_strength
from samelight.errors import PhotoError
from samelight.io.mask import MaskLike, coerce_mask, require_same_size
from samelight.io.photo import Photo, read_photo, to_uint8
from samelight.models import DEFAULT_MODEL, load_session
from samelight.render import render
from samelight.shrink import shrink
from samelight.types import FloatArray, Pixels

ArrayT = TypeVar("ArrayT", bound=npt.NDArray[Any])


class Harmonizer:
    """One network, kept open, for any number of photos."""

    def __init__(self, model: str | Path | None = None, *, threads: int | None = None) -> None:
        """Open a network.

        Args:
            model: a shipped name or an exported .onnx file; None = the default model.
            threads: how many the network may use; None = as many as there are cores, at most 4.

        Raises:
            ModelError: if there is no such model, or its file is not the one it should be.
        """
        self._session = load_session(model or DEFAULT_MODEL, threads=threads)

    @property
    def size_px(self) -> int:
        """Side of the square picture the network sees."""
        return self._session.size_px

    def predict(self, pixels: Pixels, mask: FloatArray) -> Correction:
        """Work out what to do with a photo's foreground.

        Args:
            pixels: (H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1].
            mask: (H,W) float32 in [0,1], 1 = foreground.

        Returns:
            The correction, for the photo at any size; identity for an empty mask.
        """
        require_same_size(mask, pixels.shape[:2])
        if not mask.any():
            return Correction.identity()
        composite = shrink(pixels, self.size_px)
        small_mask = shrink(mask, self.size_px)
        harmonized = self._session.run(composite, small_mask)
        return Correction.fit(composite, harmonized, small_mask)

    def harmonize_photo(self, photo: Photo, mask: FloatArray, *, strength: float = 1.0) -> Photo:
        """Harmonize a photo read by `samelight.io.photo`, at its own depth.

        Args:
            photo: the photo.
            mask: (H,W) float32 in [0,1], 1 = foreground.
            strength: 0 = nothing, 1 = as the network says, up to 1.5.
        """
        return replace(photo, pixels=self._harmonize_pixels(photo.pixels, mask, strength))

    @overload
    def harmonize(
        self, image: str | Path | Image.Image, mask: MaskLike, *, strength: float = 1.0
    ) -> Image.Image: ...

    @overload
    def harmonize(self, image: ArrayT, mask: MaskLike, *, strength: float = 1.0) -> ArrayT: ...

    def harmonize(
        self,
        image: str | Path | Image.Image | npt.NDArray[Any],
        mask: MaskLike,
        *,
        strength: float = 1.0,
    ) -> Image.Image | npt.NDArray[Any]:
        """Recolour the foreground so that it looks photographed with its background.

        Args:
            image: a path; a PIL image, taken as it lies in memory; or an (H,W,3) array: uint8,
                uint16, or float32 in [0,1].
            mask: 1 = foreground: a path, a PIL image, or an (H,W) array (bool, uint8, uint16 or
                float in [0,1]).
            strength: 0 = nothing, 1 = as the network says, up to 1.5.

        Returns:
            An array for an array, of its type; otherwise an 8-bit PIL image, with the alpha, EXIF
            and colour profile of the input.

        Raises:
            SamelightError: saying what was got and what is wanted.
        """
        coverage = coerce_mask(mask)
        if isinstance(image, np.ndarray):
            _require_photo_array(image)
            return self._harmonize_pixels(image, coverage, strength)
        if isinstance(image, Image.Image):
            photo, info = _photo_of_pil(image), image.info
        else:
            photo = read_photo(image)
            info = {"icc_profile": photo.icc, "exif": photo.exif, "xmp": photo.xmp}
        return _pil_of_photo(self.harmonize_photo(photo, coverage, strength=strength), info)

    def _harmonize_pixels(self, pixels: Pixels, mask: FloatArray, strength: float) -> Pixels:
        require_same_size(mask, pixels.shape[:2])
        require_strength(strength)
        if strength == 0 or not mask.any():
            return np.copy(pixels)
        return render(pixels, mask, self.predict(pixels, mask).with_strength(strength))


@overload
def harmonize(
    image: str | Path | Image.Image,
    mask: MaskLike,
    *,
    model: str | Path | None = None,
    strength: float = 1.0,
) -> Image.Image: ...


@overload
def harmonize(
    image: ArrayT, mask: MaskLike, *, model: str | Path | None = None, strength: float = 1.0
) -> ArrayT: ...


def harmonize(
    image: str | Path | Image.Image | npt.NDArray[Any],
    mask: MaskLike,
    *,
    model: str | Path | None = None,
    strength: float = 1.0,
) -> Image.Image | npt.NDArray[Any]:
    """Harmonize one photo; `Harmonizer.harmonize` says what it takes and gives.

    Args:
        image: a path, a PIL image, or an (H,W,3) array.
        mask: 1 = foreground: a path, a PIL image, or an (H,W) array.
        model: a shipped name or an exported .onnx file; None = the default model.
        strength: 0 = nothing, 1 = as the network says, up to 1.5.

    Returns:
        An array for an array, otherwise a PIL image.
    """
    return Harmonizer(model).harmonize(image, mask, strength=strength)


def _require_photo_array(image: npt.NDArray[Any]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise PhotoError(f"the image is an array of shape {image.shape}: wanted (H,W,3)")
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise PhotoError(f"the image holds {image.dtype}: wanted uint8, uint16 or float32")
    if image.dtype == np.float32 and not (image.min() >= 0 and image.max() <= 1):
        raise PhotoError("the image holds floats outside [0,1]: divide by its white value")


def _photo_of_pil(image: Image.Image) -> Photo:
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    values = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    return Photo(values[..., :3], values[..., 3] if has_alpha else None)


def _pil_of_photo(photo: Photo, info: dict[Any, Any]) -> Image.Image:
    values = to_uint8(photo.pixels)
    if photo.alpha is not None:
        values = np.dstack([values, to_uint8(photo.alpha)])
    image = Image.fromarray(values)
    carried = ("icc_profile", "exif", "xmp", "dpi")
    image.info |= {key: info[key] for key in carried if info.get(key) is not None}
    return image

"""Photo and mask in, correction out, photo out: what the package is for."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from samelight.color.profile import from_srgb, to_srgb, usable_profile
from samelight.correction.field import Correction
from samelight.errors import PhotoError
from samelight.io.photo import Photo, read_photo, to_uint8
from samelight.mask.mask import MaskLike, coerce_mask, require_same_size
from samelight.models.registry import DEFAULT_MODEL, find_model
from samelight.models.session import ErrorEstimate, Session, load_session
from samelight.render.apply import render
from samelight.render.resample import WHOLE, resample, window_around
from samelight.types import Coverage, FloatArray, Pixels, require_strength

ArrayT = TypeVar("ArrayT", bound=npt.NDArray[Any])


class Prediction(NamedTuple):
    """A correction, and the small pictures it was fitted to, in the photo's own space."""

    correction: Correction
    composite: FloatArray
    """(S,S,3) in [0,1], the whole photo; a network that paints saw it."""
    harmonized: FloatArray
    """(S,S,3) in [0,1], what it answered, or what the correction it answered makes of that."""
    mask: FloatArray
    """(S,S) in [0,1], 1 = foreground."""
    error_estimate: ErrorEstimate | None = None
    """How wrong the network expects the foreground to be, and what it does, where it says so."""


class Harmonizer:
    """One network, kept open, for any number of photos."""

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        bold: bool = False,
        threads: int | None = None,
    ) -> None:
        """Choose a network; a shipped one is opened when the first photo has been resampled.

        Args:
            model: a shipped name or an exported .onnx file; None = the default model.
            bold: correct in full, also where the network doubts that much is wrong. For objects
                that look well by themselves; for those that need nothing it does too much.
            threads: how many the network may use; None = as many as there are cores, at most 4.

        Raises:
            ModelError: if there is no such model; here or on first use, if its file is not the one
                it should be.
        """
        self._model, self._bold, self._threads = model or DEFAULT_MODEL, bold, threads
        _, row = find_model(self._model)
        # A table knows the sizes of the shipped ones, so that a photo can be resampled while
        # another thread still opens the network.
        self.size_px = row.size_px if row else self._session.size_px
        """Side of the square picture the network sees."""

    @cached_property
    def _session(self) -> Session:
        return load_session(self._model, threads=self._threads)

    def predict(self, pixels: Pixels, mask: Coverage, *, icc: bytes | None = None) -> Correction:
        """Work out what to do with a photo's foreground.

        The network sees sRGB. In a photo with another profile what it answers is fitted in the
        photo's own space, so that pixels are corrected as they are and none is clipped to sRGB.
        A network that makes one map for the whole object sees the part of the photo around it
        (`samelight.render.resample.window_around`), any other the whole photo.

        Args:
            pixels: (H,W,3) encoded RGB: uint8, uint16, or float32 in [0,1].
            mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1;
                1 = foreground.
            icc: the photo's colour profile; None, or one that cannot be read, stands for sRGB.

        Returns:
            The correction, for the photo at any size; identity for an empty mask.
        """
        return self.inspect(pixels, mask, icc=icc).correction

    def inspect(self, pixels: Pixels, mask: Coverage, *, icc: bytes | None = None) -> "Prediction":
        """Predict, and keep the small pictures the correction was fitted to.

        Args:
            pixels: as for `predict`.
            mask: as for `predict`.
            icc: as for `predict`.
        """
        require_same_size(mask, pixels.shape[:2])
        composite, small_mask = resample(pixels, self.size_px), resample(mask, self.size_px)
        if not mask.any():
            return Prediction(Correction.identity(), composite, composite, small_mask)
        profile = usable_profile(icc) if icc else None
        shown = _in_srgb(composite, profile)
        if self._session.predicts_correction:
            view, view_mask = shown, small_mask
            window = window_around(mask) if self._session.predicts_one_map else WHOLE
            if window != WHOLE:
                view = _in_srgb(resample(pixels, self.size_px, window), profile)
                view_mask = resample(mask, self.size_px, window)
            grid, error_estimate = self._session.correct(view, view_mask, bold=self._bold)
            correction = Correction(grid)
            answer = render(shown, small_mask, correction)
        else:
            answer, error_estimate = self._session.run(shown, small_mask), None
            correction = None
        if profile is not None:
            # As a difference: what sRGB could not show is not lost, and what did not change stays.
            change = from_srgb(answer, profile) - from_srgb(shown, profile)
            answer = (composite + change).clip(0, 1)
        if correction is None or profile is not None:
            correction = replace(Correction.fit(composite, answer, small_mask), icc=profile)
        return Prediction(correction, composite, answer, small_mask, error_estimate)

    def harmonize_photo(self, photo: Photo, mask: Coverage, *, strength: float = 1.0) -> Photo:
        """Harmonize a photo read by `samelight.io.photo`, at its own depth and in its own space.

        Args:
            photo: the photo.
            mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1;
                1 = foreground.
            strength: 0 = nothing, 1 = as the network says, up to 1.5.
        """
        pixels = self._harmonize_pixels(photo.pixels, mask, strength, photo.icc)
        return replace(photo, pixels=pixels)

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

    def _harmonize_pixels(
        self, pixels: Pixels, mask: Coverage, strength: float, icc: bytes | None = None
    ) -> Pixels:
        require_same_size(mask, pixels.shape[:2])
        require_strength(strength)
        if strength == 0 or not mask.any():
            return np.copy(pixels)
        correction = self.predict(pixels, mask, icc=icc).with_strength(strength)
        return render(pixels, mask, correction)


def _in_srgb(picture: FloatArray, profile: bytes | None) -> FloatArray:
    return picture if profile is None else to_srgb(picture, profile)


def small_pair(pixels: Pixels, mask: Coverage, size_px: int = 256) -> Prediction:
    """Make the small pictures that are looked at, without a network: nothing is changed.

    Args:
        pixels: (H,W,3): uint8, uint16, or float32 in [0,1].
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1.
        size_px: side of the small pictures; as the default network's.
    """
    composite = resample(pixels, size_px)
    return Prediction(Correction.identity(), composite, composite, resample(mask, size_px))


@overload
def harmonize(
    image: str | Path | Image.Image,
    mask: MaskLike,
    *,
    model: str | Path | None = None,
    strength: float = 1.0,
    bold: bool = False,
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
    bold: bool = False,
) -> Image.Image | npt.NDArray[Any]:
    """Harmonize one photo; `Harmonizer.harmonize` says what it takes and gives.

    Args:
        image: a path, a PIL image, or an (H,W,3) array.
        mask: 1 = foreground: a path, a PIL image, or an (H,W) array.
        model: a shipped name or an exported .onnx file; None = the default model.
        strength: 0 = nothing, 1 = as the network says, up to 1.5.
        bold: correct in full, also where the network doubts that much is wrong.

    Returns:
        An array for an array, otherwise a PIL image.
    """
    return Harmonizer(model, bold=bold).harmonize(image, mask, strength=strength)


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
    icc = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    return Photo(values[..., :3], values[..., 3] if has_alpha else None, icc=icc)


def _pil_of_photo(photo: Photo, info: dict[Any, Any]) -> Image.Image:
    values = to_uint8(photo.pixels)
    if photo.alpha is not None:
        values = np.dstack([values, to_uint8(photo.alpha)])
    image = Image.fromarray(values)
    carried = ("icc_profile", "exif", "xmp", "dpi")
    image.info |= {key: info[key] for key in carried if info.get(key) is not None}
    return image

"""An opened model: pixels and a mask in, a correction out."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from samelight.color.profile import from_srgb, to_srgb, usable_profile
from samelight.correction.field import Correction
from samelight.limits import Provider
from samelight.mask.mask import Mask
from samelight.models.registry import DEFAULT_MODEL
from samelight.models.session import ErrorEstimate, open_session
from samelight.models.spec import ModelSpec
from samelight.render.apply import render
from samelight.render.resample import WHOLE, Window, resample, window_around
from samelight.types import FloatArray, Pixels


class Prediction(NamedTuple):
    """What a network says of one photo, and the small pictures it was asked with."""

    correction: Correction
    """All of it, in the photo's own space; the identity for an empty mask."""
    composite: FloatArray
    """(S,S,3) in [0,1], the whole photo, in its own space."""
    harmonized: FloatArray
    """(S,S,3) in [0,1]: what the network answered, or what its correction makes of the photo."""
    mask: FloatArray
    """(S,S) in [0,1], 1 = foreground."""
    error_estimate: ErrorEstimate | None = None
    """None where the model makes no estimate, or the mask is empty."""


class Harmonizer:
    """One network, kept open, for any number of photos."""

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
    ) -> None:
        """Open a network.

        Args:
            model: a shipped name or an exported .onnx file.
            provider: what runs it: "cpu", "cuda", "coreml" or "dml".
            threads: how many it may use; None = as many as there are cores, at most 4.

        Raises:
            ModelError: if there is no such model, or its file is not the one it should be.
            UsageError: if the provider is not installed.
        """
        self._session = open_session(model, provider=provider, threads=threads)

    @property
    def spec(self) -> ModelSpec:
        """How the model is used, and where it comes from."""
        return self._session.spec

    def predict(self, pixels: Pixels, mask: Mask, *, icc: bytes | None = None) -> Prediction:
        """Work out what to do with a photo's foreground.

        The network sees sRGB. In a photo with another profile what it answers is fitted in the
        photo's own space, so that pixels are corrected as they are and none is clipped to sRGB.

        Args:
            pixels: (H,W,3) encoded RGB: uint8, uint16, or float32 in [0,1].
            mask: of the same size.
            icc: the photo's colour profile; None, or one that cannot be read, stands for sRGB.

        Raises:
            MaskError: if the sizes differ.
        """
        height, width = pixels.shape[:2]
        mask.require_shape((height, width))
        size_px = self.spec.size_px
        composite, small_mask = (resample(v, size_px) for v in (pixels, mask.coverage))
        if mask.is_empty:
            return Prediction(Correction.identity(), composite, composite, small_mask)
        profile = usable_profile(icc) if icc else None
        shown = _in_srgb(composite, profile)
        correction, estimate = None, None
        if self.spec.answer == "picture":
            answer = self._session.picture(shown, small_mask)
        else:
            window = self._window(mask)
            view, view_mask = shown, small_mask
            if window != WHOLE:
                view = _in_srgb(resample(pixels, size_px, window), profile)
                view_mask = resample(mask.coverage, size_px, window)
            grid, estimate = self._session.correction(view, view_mask)
            correction = Correction(grid)
            answer = render(shown, small_mask, correction)
        if profile is not None:
            # As a difference: what sRGB could not show is not lost, and what did not change stays.
            change = from_srgb(answer, profile) - from_srgb(shown, profile)
            answer = (composite + change).clip(0, 1)
        if correction is None or profile is not None:
            correction = replace(Correction.fit(composite, answer, small_mask), icc=profile)
        return Prediction(correction, composite, answer, small_mask, estimate)

    def _window(self, mask: Mask) -> Window:
        """The part of the photo that the network is shown."""
        rule = self.spec.window
        if rule is None:
            return WHOLE
        return window_around(mask.coverage, around=rule.around, least=rule.least)


def _in_srgb(picture: FloatArray, profile: bytes | None) -> FloatArray:
    return picture if profile is None else to_srgb(picture, profile)

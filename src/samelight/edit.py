"""The pipeline: a photo and a mask in, the photo recoloured out. Every face of samelight calls it.

It prints nothing, reads no file but the model's, and writes none.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from samelight.color.profile import usable_profile
from samelight.correction.convert import convert_correction
from samelight.correction.field import Correction
from samelight.harmonizer import Harmonizer, Prediction
from samelight.io.photo import Photo
from samelight.mask.despill import despill
from samelight.mask.mask import Mask
from samelight.models.session import ErrorEstimate
from samelight.options import EditOptions
from samelight.render.apply import render
from samelight.render.resample import resample
from samelight.types import FloatArray, Note, Pixels

__all__ = ["EditOptions", "EditResult", "edit"]

# A gate that lets through less than this has held back so much that one should know.
_WORTH_SAYING = 0.5
# Side of the small pictures that describe a change where no network looked.
_SMALL_PX = 256


@dataclass(frozen=True, eq=False)
class EditResult:
    """What came out of an edit.

    Attributes:
        photo: the photo recoloured; metadata, alpha and depth as they came.
        mask: as it was used: fitted, eroded, feathered.
        correction: as it was carried out, in the photo's colour space: times the gate's weight
            and the strength.
        applied: how much of the network's correction the gate let through, in [0,1].
        error_estimate: what the network expects, in levels of 255; None where it makes none.
        composite: (S,S,3) in [0,1], the photo before, made small.
        small_mask: (S,S) in [0,1], the mask as it was used, made small.
        prediction: all that the network said; None for a correction that was given.
        notes: what was converted, dropped or doubtful, for the user.
        seconds: by stage: "mask", "predict", "render".
    """

    photo: Photo
    mask: Mask
    correction: Correction
    applied: float
    error_estimate: ErrorEstimate | None
    composite: FloatArray
    small_mask: FloatArray
    prediction: Prediction | None
    notes: tuple[Note, ...]
    seconds: dict[str, float]

    @property
    def pixels(self) -> Pixels:
        """(H,W,3), of the type that came in; where the mask is 0, the same bytes."""
        return self.photo.pixels


def edit(
    photo: Photo,
    mask: Mask,
    options: EditOptions | None = None,
    *,
    correction: Correction | None = None,
    in_place: bool = False,
) -> EditResult:
    """Recolour the foreground of a photo so that it looks photographed with its background.

    Args:
        photo: the composite.
        mask: its foreground.
        options: what to do; None = the defaults.
        correction: carry this out and ask no network; brought to the photo's colour space first.
        in_place: overwrite the photo's pixels, which saves their size in memory.

    Raises:
        MaskError: if the mask is of another size and is not to be fitted.
        ModelError: if there is no such model, or it is damaged.
        UsageError: if an option cannot be met: a provider or an extra that is not installed.
    """
    options = options or EditOptions()
    seconds: dict[str, float] = {}
    with _timed("mask", seconds):
        mask = _prepared(mask, photo, options)
        if options.despill:
            photo = replace(photo, pixels=despill(photo.pixels, mask.coverage))
    notes = [*photo.notes, *mask.notes]
    if mask.is_empty:
        notes.append(Note("mask-empty", "the mask is empty (black): nothing was changed"))
    prediction, applied = None, 1.0
    with _timed("predict", seconds):
        if correction is None:
            harmonizer = Harmonizer(
                options.model, provider=options.provider, threads=options.threads
            )
            prediction = harmonizer.predict(photo.pixels, mask, icc=photo.icc)
            correction = prediction.correction
            applied, said = _gate(harmonizer, prediction, options)
            notes += said
        else:
            correction = _in_space_of(photo, correction)
        composite, small_mask = _small(photo, mask, prediction)
        correction = correction.with_strength(applied * options.strength)
    with _timed("render", seconds):
        pixels = render(photo.pixels, mask.coverage, correction, in_place=in_place)
    return EditResult(
        photo=replace(photo, pixels=pixels),
        mask=mask,
        correction=correction,
        applied=applied,
        error_estimate=prediction.error_estimate if prediction else None,
        composite=composite,
        small_mask=small_mask,
        prediction=prediction,
        notes=tuple(dict.fromkeys(notes)),
        seconds=seconds,
    )


def _prepared(mask: Mask, photo: Photo, options: EditOptions) -> Mask:
    """The mask as it will be used."""
    height, width = photo.pixels.shape[:2]
    if options.fit_mask:
        mask = mask.resized((height, width))
    mask.require_shape((height, width), orientation=photo.orientation)
    return mask.eroded(options.erode).feathered(options.feather)


def _gate(
    harmonizer: Harmonizer, prediction: Prediction, options: EditOptions
) -> tuple[float, list[Note]]:
    """How much of the correction is let through, and what to say about it."""
    if options.gate == "off":
        return 1.0, []
    rule = harmonizer.spec.gate
    if rule is None:
        text = f"{options.model} estimates no errors, so it has no gate: all of it was done"
        return 1.0, [Note("gate-missing", text)]
    if prediction.error_estimate is None:
        return 1.0, []
    weight = rule.weight(prediction.error_estimate.composite)
    if weight >= _WORTH_SAYING or options.strength == 0:
        return weight, []
    text = (
        f"little is expected to be wrong: {100 * weight:.0f} % of the correction was done "
        "(gate off does all of it)"
    )
    return weight, [Note("gate-closed", text)]


def _in_space_of(photo: Photo, correction: Correction) -> Correction:
    """Bring a correction made for another colour profile to the photo's own."""
    return convert_correction(correction, usable_profile(photo.icc))


def _small(
    photo: Photo, mask: Mask, prediction: Prediction | None
) -> tuple[FloatArray, FloatArray]:
    if prediction is not None:
        return prediction.composite, prediction.mask
    return resample(photo.pixels, _SMALL_PX), resample(mask.coverage, _SMALL_PX)


@contextmanager
def _timed(stage: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - began

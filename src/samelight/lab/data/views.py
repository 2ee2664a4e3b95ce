"""From photos to one training example."""

import io
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from samelight.lab.color.augment import FOREGROUND_MIX, PHOTO_MIX, Scene, draw_augmentation, retouch
from samelight.lab.data.photos import PhotoFolder, unit_range
from samelight.lab.types import Picture
from samelight.render.resample import Window, window_around
from samelight.types import FloatArray

WINDOW_SIDES = (1.2, 3.0)
"""Of a window around an object, in the object's; the method's `ModelSpec` has what is in use."""
LEAST_WINDOW = 0.4
"""And at least, as a share of the photo's sides; the same in use."""


class Example(NamedTuple):
    """One training example; becomes a Batch when collated."""

    composite: FloatArray
    """(3,S,S) in [0,1]."""
    real: FloatArray
    """(3,S,S) in [0,1]."""
    mask: FloatArray
    """(1,S,S) in [0,1]."""


class Crop(NamedTuple):
    """A square cut from a photo, and its mask."""

    photo: FloatArray
    """(S,S,3) in [0,1]."""
    mask: FloatArray
    """(S,S) in [0,1]."""


@dataclass(frozen=True, kw_only=True)
class CompositeView:
    """A photo, relit as a whole at times, with its foreground recoloured.

    Relighting the target too makes "bring it to the average look" a poor strategy: only the
    background tells the light. Examples whose foreground is left alone teach to leave good
    pictures alone. The composite is quantised and at times compressed after recolouring, so that
    no trace of the edit remains in the file for the network to undo.
    """

    needs_masks: ClassVar[bool] = True
    least_window: float = 0.6
    """Sides of the smallest window that may lie anywhere, as a share of the photo's."""
    around_object: float = 0.0
    """Share of the examples whose window lies around the object, as in use; others lie anywhere."""
    borrowed_mask: float = 0.12
    """Share of examples of a photo without masks, under an object mask of another photo."""
    inverted: float = 0.12
    """Share whose background is taken for the foreground."""
    relit: float = 0.95
    before_relighting: float = 0.15
    """Share whose foreground stays as photographed, before a background that was relit."""
    untouched: float = 0.08
    second_retouch: float = 0.2
    """Share whose foreground is retouched once more after its augmentation's change."""
    rough_mask: float = 0.35
    """Share whose mask is a little too big, too small, or blurred."""
    noisy: float = 0.15
    compressed: float = 0.4
    augmentations: dict[str, float] = field(default_factory=lambda: dict(FOREGROUND_MIX))

    def __call__(self, photos: PhotoFolder, size_px: int, rng: np.random.Generator) -> Example:
        """Make one composite / real / mask example."""
        crop = self._draw_crop(photos, size_px, rng)
        mask = 1 - crop.mask if rng.random() < self.inverted else crop.mask
        photo = real = crop.photo
        region = foreground_colours(real, mask, rng)
        relit = rng.random() < self.relit
        if relit:
            scene = Scene(real, region, region)
            relight = draw_augmentation(PHOTO_MIX, rng)
            real = _clip(relight(scene, rng.uniform(0.1, 1.0), rng))
            region = foreground_colours(real, mask, rng)
        composite = real
        if rng.random() >= self.untouched:
            if relit and rng.random() < self.before_relighting:
                composite = photo
            else:
                scene = Scene(real, region, other_colours(photos, rng))
                composite = self._recolour(scene, rng)
        composite = real + mask[..., None] * (composite - real)
        composite = self._as_from_a_file(composite, rng)
        if rng.random() < self.rough_mask:
            mask = _roughen(mask, rng)
        # Outside the mask nothing is asked of the network: grain and compression stay there.
        real = composite + mask[..., None] * (real - composite)
        return Example(
            np.ascontiguousarray(composite.transpose(2, 0, 1)),
            np.ascontiguousarray(real.transpose(2, 0, 1)),
            mask[None],
        )

    def _draw_crop(self, photos: PhotoFolder, size_px: int, rng: np.random.Generator) -> Crop:
        for _ in range(8):
            owner = photos.with_masks[rng.integers(len(photos.with_masks))]
            mask = photos.mask(owner, int(rng.integers(len(photos.entries[owner].masks))))
            borrowed = rng.random() < self.borrowed_mask
            index = int(rng.integers(len(photos))) if borrowed else owner
            photo = photos.photo(index)
            if photo.shape[:2] != mask.shape:
                size = (photo.shape[1], photo.shape[0])
                mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))
            crop = _cut(photo, mask, self._draw_window(mask, rng), size_px, rng)
            if 0.01 < crop.mask.mean() < 0.85:
                break
        return crop

    def _draw_window(self, mask: Picture, rng: np.random.Generator) -> Window:
        if self.around_object and rng.random() < self.around_object and mask.any():
            return window_around(mask, around=rng.uniform(*WINDOW_SIDES), least=LEAST_WINDOW)
        width, height = rng.uniform(self.least_window, 1), rng.uniform(self.least_window, 1)
        left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        return Window(left, top, left + width, top + height)

    def _recolour(self, scene: Scene, rng: np.random.Generator) -> FloatArray:
        # From gentle to strong, as published composites are (fMSE near 1,400 on iHarmony4): small
        # edits alone make a timid network, strong ones alone a network that overdoes.
        strength = 0.12 + 0.98 * rng.beta(1.3, 1.1)
        recoloured = draw_augmentation(self.augmentations, rng)(scene, strength, rng)
        if rng.random() < self.second_retouch:
            again = Scene(_clip(recoloured), scene.region, scene.reference)
            recoloured = retouch(again, rng.uniform(0.1, 0.6), rng)
        return _clip(recoloured)

    def _as_from_a_file(self, composite: FloatArray, rng: np.random.Generator) -> FloatArray:
        if rng.random() < self.noisy:
            grain = rng.standard_normal(composite.shape, dtype=np.float32)
            composite = composite + np.float32(rng.uniform(0.003, 0.02)) * grain
        quantised = (np.clip(composite, 0, 1) * 255 + 0.5).astype(np.uint8)
        if rng.random() < self.compressed:
            quantised = _through_jpeg(quantised, int(rng.integers(60, 96)))
        return unit_range(quantised)


def _clip(image: FloatArray) -> FloatArray:
    clipped: FloatArray = np.clip(image, 0, 1)
    return clipped


def _cut(
    photo: Picture, mask: Picture, window: Window, size_px: int, rng: np.random.Generator
) -> Crop:
    """Cut a window out, make it square, flip at times."""
    box = window.box(mask.shape[1], mask.shape[0])
    bilinear = Image.Resampling.BILINEAR
    pixels = np.asarray(Image.fromarray(photo).resize((size_px, size_px), bilinear, box=box))
    cover = np.asarray(Image.fromarray(mask).resize((size_px, size_px), bilinear, box=box))
    if rng.random() < 0.5:
        pixels, cover = pixels[:, ::-1], cover[:, ::-1]
    return Crop(unit_range(pixels), unit_range(cover))


def foreground_colours(photo: FloatArray, mask: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Up to 2,000 colours of the foreground; of the whole photo where it is empty."""
    places = np.flatnonzero(mask > 0.5)
    if len(places) < 8:
        places = np.arange(mask.size)
    if len(places) > 2000:
        places = places[rng.integers(len(places), size=2000)]
    return photo.reshape(-1, 3)[places]


def other_colours(photos: PhotoFolder, rng: np.random.Generator) -> FloatArray:
    """The colours of an object in another photo, (M,3), from a small copy."""
    owner = photos.with_masks[rng.integers(len(photos.with_masks))]
    mask = photos.mask(owner, int(rng.integers(len(photos.entries[owner].masks))))
    photo = photos.photo(owner)
    step = max(1, min(mask.shape) // 48)
    colours = photo[::step, ::step][mask[::step, ::step] > 127]
    if len(colours) < 32:
        colours = photo[::step, ::step].reshape(-1, 3)
    return unit_range(colours)


def _roughen(mask: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Grow, shrink or blur a mask by about 1 % of its side."""
    image = Image.fromarray((mask * 255).astype(np.uint8))
    reach = 3 if mask.shape[0] < 192 else 5
    kind = rng.integers(3)
    if kind == 0:
        image = image.filter(ImageFilter.MaxFilter(reach))
    elif kind == 1:
        image = image.filter(ImageFilter.MinFilter(3))
    else:
        image = image.filter(
            ImageFilter.GaussianBlur(rng.uniform(0.5, max(0.5, 0.012 * mask.shape[0])))
        )
    return unit_range(np.asarray(image))


def _through_jpeg(pixels: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))

"""From photos to one training example."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from samelight.color.spaces import linear_to_srgb, srgb_to_linear
from samelight.lab.color.augment import (
    FOREGROUND_MIX,
    PHOTO_MIX,
    Scene,
    at_distance,
    draw_augmentation,
    draw_distance,
    local_light,
)
from samelight.lab.color.development import expose_as_subject
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.pictures import cut_out, unit_range
from samelight.lab.types import Picture
from samelight.render.resample import Window, window_around
from samelight.types import FloatArray

WINDOW_SIDES = (1.2, 3.0)
"""Of a window around an object, in the object's; the method's `ModelSpec` has what is in use."""
LEAST_WINDOW = 0.4
"""And at least, as a share of the photo's sides; the same in use."""

_COLOURS, _FEW_COLOURS = 1200, 400
"""Of a region: what an augmentation may look at, and what its distance is measured on."""


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
    number: int
    """Of the object the mask is of, in `PhotoFolder.objects`."""


@dataclass(frozen=True, kw_only=True)
class CompositeView:
    """A photo, relit as a whole at times, with its foreground recoloured.

    Relighting the target too makes "bring it to the average look" a poor strategy: only the
    background tells the light. Examples whose foreground is left alone teach to leave good
    pictures alone. The composite is quantised and at times compressed after recolouring, so that
    no trace of the edit remains in the file for the network to undo.
    """

    needs_masks: ClassVar[bool] = True
    least_window: float = 0.4
    """Sides of the smallest window that may lie anywhere, as a share of the photo's."""
    around_object: float = 0.5
    """Share of the examples whose window lies around the object, as in use; others lie anywhere."""
    borrowed_mask: float = 0.1
    """Share of examples of any photo, under an object mask of another one."""
    inverted: float = 0.1
    """Share whose background is taken for the foreground."""
    softened: float = 0.25
    """Share with a blurred photo, foreground or background: sharpness must tell nothing."""
    relit: float = 0.8
    """Share of photos relit as a whole before anything else (after SSH's two augmentations)."""
    untouched: float = 0.22
    """Share in which nothing is to be done."""
    before_relighting: float = 0.52
    """Share of the relit and touched ones whose foreground stays as photographed."""
    as_subject: float = 0.6
    """Share of these that are exposed as one exposes a subject, and developed."""
    distances: tuple[float, float] = (4.0, 90.0)
    """Least and largest root-mean-square change of a recoloured foreground, in levels of 255."""
    alike_donors: float = 0.7
    """Share of donors of colour transfer that are among the objects most like the foreground."""
    local_light: float = 0.15
    """Share of recoloured foregrounds that are shaded a little from place to place."""
    noisy: float = 0.2
    """Share with grain in the photo, foreground or background."""
    compressed: float = 0.4
    """Share that went through a JPEG file."""
    rough_mask: float = 0.35
    """Share whose mask is a little too big, too small, or blurred."""
    foreground_mix: Mapping[str, float] = field(default_factory=lambda: dict(FOREGROUND_MIX))
    photo_mix: Mapping[str, float] = field(default_factory=lambda: dict(PHOTO_MIX))

    def __call__(self, photos: PhotoFolder, size_px: int, rng: np.random.Generator) -> Example:
        """Make one composite / real / mask example."""
        crop = self._draw_crop(photos, size_px, rng)
        mask = 1 - crop.mask if rng.random() < self.inverted else crop.mask
        photo = real = self._softened(crop.photo, mask, rng)
        relit = rng.random() < self.relit
        if relit:
            real = self._relit(photo, rng)
        composite = real
        if rng.random() >= self.untouched:
            if relit and rng.random() < self.before_relighting:
                composite = self._as_photographed(photo, mask, rng)
            else:
                donor = photos.draw_donor(crop.number, self.alike_donors, rng)
                composite = self._recoloured(real, mask, object_colours(photos, donor), rng)
        composite = real + mask[..., None] * (composite - real)
        composite = self._as_from_a_file(composite, mask, rng)
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
            number = photos.draw_object(rng)
            owner, which = photos.objects[number]
            mask = photos.mask(owner, which)
            borrowed = rng.random() < self.borrowed_mask
            photo = photos.photo(photos.draw_photo(rng) if borrowed else owner)
            if photo.shape[:2] != mask.shape:
                size = (photo.shape[1], photo.shape[0])
                mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))
            pixels, cover = _cut(photo, mask, self._draw_window(mask, rng), size_px, rng)
            if 0.01 < cover.mean() < 0.85:
                break
        return Crop(pixels, cover, number)

    def _draw_window(self, mask: Picture, rng: np.random.Generator) -> Window:
        if self.around_object and rng.random() < self.around_object and mask.any():
            return window_around(mask, around=rng.uniform(*WINDOW_SIDES), least=LEAST_WINDOW)
        width, height = rng.uniform(self.least_window, 1), rng.uniform(self.least_window, 1)
        left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        return Window(left, top, left + width, top + height)

    def _softened(
        self, photo: FloatArray, mask: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Blur the photo, its foreground or its background at times; the target is blurred too."""
        if rng.random() >= self.softened:
            return photo
        sigma = np.exp(rng.uniform(np.log(0.4), np.log(2.0))) * photo.shape[0] / 256
        blur = ImageFilter.GaussianBlur(float(sigma))
        blurred = unit_range(np.asarray(Image.fromarray(_quantised(photo)).filter(blur)))
        soft: FloatArray = photo + _draw_region(mask, rng) * (blurred - photo)
        return soft

    def _relit(self, photo: FloatArray, rng: np.random.Generator) -> FloatArray:
        """The whole photo in another light."""
        region = region_colours(photo, np.ones_like(photo[..., 0]), rng)
        edit = draw_augmentation(self.photo_mix, rng)(Scene(region, region), rng)
        return _clip(edit(photo, rng.uniform(0.2, 1.0)))

    def _as_photographed(
        self, photo: FloatArray, mask: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """The foreground as it was before the photo was relit, or exposed as a subject is."""
        if rng.random() >= self.as_subject:
            return photo
        development = expose_as_subject(region_colours(photo, mask, rng), rng)
        return _on_foreground(photo, mask, development)

    def _recoloured(
        self, real: FloatArray, mask: FloatArray, donor: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """The foreground under one augmentation, as far as a drawn distance."""
        region = region_colours(real, mask, rng)
        edit = draw_augmentation(self.foreground_mix, rng)(Scene(region, donor), rng)
        strength = at_distance(edit, region[:_FEW_COLOURS], draw_distance(rng, *self.distances))
        recoloured = _on_foreground(real, mask, lambda colours: edit(colours, strength))
        if rng.random() < self.local_light:
            shading = local_light(len(real), rng)
            recoloured = _clip(linear_to_srgb(srgb_to_linear(recoloured) * shading))
        return recoloured

    def _as_from_a_file(
        self, composite: FloatArray, mask: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Grain at times, 8 bits, and JPEG at times."""
        if rng.random() < self.noisy:
            grain = rng.standard_normal(composite.shape, dtype=np.float32)
            where = _draw_region(mask, rng)
            composite = composite + np.float32(rng.uniform(0.003, 0.02)) * grain * where
        quantised = _quantised(np.clip(composite, 0, 1))
        if rng.random() < self.compressed:
            quantised = _through_jpeg(quantised, int(rng.integers(60, 96)))
        return unit_range(quantised)


def _draw_region(mask: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw where something happens: everywhere, in the foreground, or in the background."""
    regions = (np.ones_like(mask), mask, 1 - mask)
    where: FloatArray = regions[int(rng.integers(3))][..., None]
    return where


def _on_foreground(
    image: FloatArray, mask: FloatArray, recolour: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Recolour the pixels that the mask covers at all, and clip them."""
    covered = mask > 0
    recoloured: FloatArray = image.copy()
    recoloured[covered] = _clip(recolour(image[covered]))
    return recoloured


def _clip(image: FloatArray) -> FloatArray:
    clipped: FloatArray = np.clip(image, 0, 1)
    return clipped


def _quantised(image: FloatArray) -> Picture:
    quantised: Picture = (image * 255 + 0.5).astype(np.uint8)
    return quantised


def _cut(
    photo: Picture, mask: Picture, window: Window, size_px: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Cut a window out, make it square, flip at times."""
    pixels, cover = (cut_out(picture, window, size_px) for picture in (photo, mask))
    if rng.random() < 0.5:
        pixels, cover = pixels[:, ::-1], cover[:, ::-1]
    return unit_range(pixels), unit_range(cover)


def region_colours(photo: FloatArray, mask: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Up to 1,200 colours of the foreground, (N,3); of the whole photo where it is empty."""
    places = np.flatnonzero(mask > 0.5)
    if len(places) < 8:
        places = np.arange(mask.size)
    if len(places) > _COLOURS:
        places = places[rng.integers(len(places), size=_COLOURS)]
    return photo.reshape(-1, 3)[places]


def object_colours(photos: PhotoFolder, number: int) -> FloatArray:
    """The colours of an object, (M,3), from a small copy of its photo."""
    owner, which = photos.objects[number]
    mask, photo = photos.mask(owner, which), photos.photo(owner)
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

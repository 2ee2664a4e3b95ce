"""Two crops of one plain photo under two look-up tables: what SSH trains on."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from samelight.color.lut import apply_lut
from samelight.lab.color.random_lut import random_lut, random_luts, read_luts
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.pictures import cut_out, unit_range
from samelight.lab.types import Picture
from samelight.render.resample import Window
from samelight.types import FloatArray


class TransferExample(NamedTuple):
    """A content, two references and what the content looks like in the second one's style."""

    content: FloatArray
    """(3,S,S) in [0,1]: crop A under table alpha."""
    same_style: FloatArray
    """(3,S,S) in [0,1]: crop B under table alpha."""
    other_style: FloatArray
    """(3,S,S) in [0,1]: crop B under table beta."""
    target: FloatArray
    """(3,S,S) in [0,1]: crop A under table beta."""
    content_mask: FloatArray
    """(1,S,S), 1 = visible to the network."""
    reference_mask: FloatArray
    """(1,S,S), 1 = visible to the network."""


@dataclass(frozen=True, kw_only=True)
class CropsView:
    """SSH's dual augmentation: crops and look-up tables; needs no object masks.

    The published pair, two overlapping crops, is a third of the examples. In the others both crops
    are the same window: an ellipse of it is the content and what surrounds that the reference. So
    the network meets what it is given in use, an object and its background with a hole, which show
    nothing twice (ours).
    """

    needs_masks: ClassVar[bool] = False
    luts: int | None = None
    """Random smooth tables in the bank; None = new ones for every example (ours). SSH's authors
    used a hundred of Adobe's."""
    lut_folder: str | None = None
    """Folder of .cube files to use instead."""
    whole: float = 0.35
    """Share of examples of two crops that are wholly visible."""
    unchanged: float = 0.1
    """Share with one table for both: nothing to do."""

    def __call__(
        self, photos: PhotoFolder, size_px: int, rng: np.random.Generator
    ) -> TransferExample:
        """Draw a photo, two overlapping windows and two tables."""
        photo = photos.photo(int(rng.integers(len(photos))))
        first, second = _windows(rng)
        visible = np.ones((1, size_px, size_px), dtype=np.float32)
        masks = (visible, visible)
        if rng.random() >= self.whole:
            ellipse = _ellipse(size_px, rng)
            second, masks = first, (ellipse, 1 - ellipse)
        alpha, beta = (self._lut(rng) for _ in range(2))
        if rng.random() < self.unchanged:
            beta = alpha
        flip = rng.random() < 0.5
        content, reference = (_cut(photo, window, size_px, flip=flip) for window in (first, second))
        styled = [
            unit_range(apply_lut(crop, table)).transpose(2, 0, 1)
            for crop, table in ((content, alpha), (reference, alpha), (reference, beta),
                                (content, beta))
        ]  # fmt: skip
        return TransferExample(*(np.ascontiguousarray(array) for array in (*styled, *masks)))

    def _lut(self, rng: np.random.Generator) -> FloatArray:
        if self.luts is None and self.lut_folder is None:
            return random_lut(rng, rng.uniform(0.4, 1.2))
        bank = _bank(self.luts, self.lut_folder)
        return bank[rng.integers(len(bank))]


def _ellipse(size_px: int, rng: np.random.Generator) -> FloatArray:
    """1 inside an ellipse, (1,S,S); never empty, and never everything."""
    place = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px
    (top, left), (high, wide) = rng.uniform(0.2, 0.8, 2), rng.uniform(0.12, 0.45, 2)
    distance = ((place[:, None] - top) / high) ** 2 + ((place[None] - left) / wide) ** 2
    # On a tiny picture no pixel's centre may lie inside.
    ellipse: FloatArray = (distance < max(1, distance.min() * 1.001)).astype(np.float32)[None]
    return ellipse


def _windows(rng: np.random.Generator) -> tuple[Window, Window]:
    """Two windows of 50-90 % of each side whose overlap is 20-80 % of their union, if it can be."""
    for _ in range(8):
        first, second = _window(rng), _window(rng)
        if 0.2 < _overlap(first, second) < 0.8:
            break
    return first, second


def _window(rng: np.random.Generator) -> Window:
    wide, high = rng.uniform(0.5, 0.9), rng.uniform(0.5, 0.9)
    left, top = rng.uniform(0, 1 - wide), rng.uniform(0, 1 - high)
    return Window(left, top, left + wide, top + high)


def _overlap(first: Window, second: Window) -> float:
    wide = min(first.right, second.right) - max(first.left, second.left)
    high = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(wide, 0) * max(high, 0)
    areas = [(w.right - w.left) * (w.bottom - w.top) for w in (first, second)]
    return shared / (sum(areas) - shared)


def _cut(photo: Picture, window: Window, size_px: int, *, flip: bool) -> Picture:
    pixels = cut_out(photo, window, size_px)
    return np.ascontiguousarray(pixels[:, ::-1]) if flip else pixels


@cache
def _bank(count: int | None, folder: str | None) -> list[FloatArray]:
    if folder is not None:
        return list(read_luts(Path(folder)).values())
    return random_luts(count or 0)

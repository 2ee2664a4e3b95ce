"""Build composite / real pairs from photos with masks, in iHarmony4's layout.

Three kinds, after three published data sets:

- "iharmony4": the object is recoloured towards an object of another photo by one of the four
  families iHarmony4 was made with (Cong et al. 2020).
- "luts": one photo, two crops, two 3-D LUTs (Jiang et al. 2021); the triplet's content and
  reference are written beside the pair.
- "ccharmony": the object is taken from one real light to another (Niu et al. 2023).

Composite number n depends on the seed and n alone. Photos are read as they are needed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from samelight.color.lut import apply_lut
from samelight.io.files import write_whole
from samelight.lab.color.charts import Light
from samelight.lab.color.illuminant import change_light
from samelight.lab.color.random_lut import random_lut
from samelight.lab.color.transfer import IHARMONY4_TRANSFERS, regrain
from samelight.lab.data.build.scene import object_colours, read_scene
from samelight.lab.data.photos import PhotoEntry
from samelight.lab.data.triples import paste
from samelight.lab.pictures import unit_range
from samelight.lab.types import Pixels8
from samelight.mask.box import Box, bounding_box
from samelight.types import FloatArray

KINDS = ("iharmony4", "luts", "ccharmony")

# A change that newly clips more of the object than this is drawn again, at most so often (ours).
_MOST_CLIPPED, _DRAWS = 0.05, 4
_SAMPLES = 4096
_JPEG_QUALITY = 95


class Job(NamedTuple):
    """One composite to be made."""

    number: int
    entry: PhotoEntry
    mask: Path
    variant: int


class Row(NamedTuple):
    """Where a composite comes from: a line of index.csv."""

    name: str
    family: str
    photo: str
    mask: str
    reference: str
    """The other photo, the LUTs or the lights."""
    source: str
    licence: str
    seed: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Makes composites of one kind.

    Args:
        kind: one of KINDS.
        entries: photos that have masks.
        out: folder of the data set.
        seed: of all that is drawn.
        size_px: longest side of what is written; smaller photos stay as they are.
        suffix: ".jpg" (quality 95, full colour resolution) or ".png".
        lights: for "ccharmony".
        luts: tables for "luts", by name; none = they are drawn.
    """

    kind: str
    entries: list[PhotoEntry]
    out: Path
    seed: int = 0
    size_px: int = 512
    suffix: str = ".jpg"
    lights: list[Light] = field(default_factory=list)
    luts: dict[str, FloatArray] = field(default_factory=dict)

    def jobs(self, per_mask: int) -> Iterator[Job]:
        """List the composites: `per_mask` for every mask of every photo."""
        number = 0
        for entry in self.entries:
            for mask in entry.masks:
                for variant in range(1, per_mask + 1):
                    yield Job(number, entry, mask, variant)
                    number += 1

    def __call__(self, job: Job) -> Row | None:
        """Make and write one composite; None if the mask holds nothing to recolour."""
        rng = np.random.default_rng((self.seed, job.number))
        photo, mask = read_scene(job.entry.path, job.mask, self.size_px)
        if not (mask > 0.5).any():
            return None
        if self.kind == "luts":
            return self._lut_triplet(job, photo, mask, rng)
        name = f"{job.mask.stem}_{job.variant}"
        recolour = self._real_light if self.kind == "ccharmony" else self._other_object
        composite, family, reference = recolour(job, photo, mask, rng)
        self._write("real_images", job.entry.path.stem, photo, once=True)
        self._write_mask(job.mask.stem, mask)
        self._write("composite_images", name, composite)
        return self._row(job, name, family, reference)

    def _other_object(
        self, job: Job, photo: Pixels8, mask: FloatArray, rng: np.random.Generator
    ) -> tuple[Pixels8, str, str]:
        """Towards an object of another photo."""

        def draw() -> tuple[Pixels8, str, str]:
            family = list(IHARMONY4_TRANSFERS)[rng.integers(len(IHARMONY4_TRANSFERS))]
            other = self._another(job.entry, rng)
            which = other.masks[rng.integers(len(other.masks))]
            colours = object_colours(other.path, which)
            composite = _transferred(family, photo, mask, colours, rng)
            return composite, family, which.name

        return _least_clipped(draw, photo, mask)

    def _real_light(
        self, job: Job, photo: Pixels8, mask: FloatArray, rng: np.random.Generator
    ) -> tuple[Pixels8, str, str]:
        """From the photo's own light, or a drawn one, through the standard light to another."""
        own = [light for light in self.lights if light.name == job.entry.path.stem]

        def draw() -> tuple[Pixels8, str, str]:
            drawn = rng.permutation(len(self.lights))[:2]
            here = own[0] if own else self.lights[drawn[0]]
            there = self.lights[drawn[1]]
            if there is here:
                there = self.lights[drawn[0]]
            box = bounding_box(mask)
            colours = unit_range(photo[box])
            moved = _quantised(change_light(colours, here.to_standard, there.from_standard))
            composite = _pasted_in(box, moved, mask, photo)
            return composite, "illuminant", f"{here.name} -> {there.name}"

        return _least_clipped(draw, photo, mask)

    def _lut_triplet(
        self, job: Job, photo: Pixels8, mask: FloatArray, rng: np.random.Generator
    ) -> Row | None:
        """Content A under LUT a, reference B under LUT b, target A under LUT b; A and B overlap."""
        windows = [_draw_window(photo.shape[:2], rng) for _ in range(2)]
        content, reference = (photo[window] for window in windows)
        covered = mask[windows[0]]
        if not (covered > 0.5).any():
            content, covered = photo, mask
        (alpha, name_alpha), (beta, name_beta) = self._draw_luts(rng)
        before, target = apply_lut(content, alpha), apply_lut(content, beta)
        real = f"{job.mask.stem}-{job.variant}"
        name = f"{real}_1_1"
        self._write("content_images", name, before)
        self._write("reference_images", name, apply_lut(reference, beta))
        self._write("real_images", real, target)
        self._write_mask(f"{real}_1", covered)
        self._write("composite_images", name, paste(before, covered, target))
        return self._row(job, name, "lut", f"{name_alpha}, {name_beta}")

    def _draw_luts(self, rng: np.random.Generator) -> list[tuple[FloatArray, str]]:
        if not self.luts:
            return [(random_lut(rng), "drawn") for _ in range(2)]
        names = [list(self.luts)[k] for k in rng.permutation(len(self.luts))[:2]]
        return [(self.luts[name], name) for name in (names * 2)[:2]]

    def _another(self, entry: PhotoEntry, rng: np.random.Generator) -> PhotoEntry:
        other = self.entries[rng.integers(len(self.entries))]
        if other is entry and len(self.entries) > 1:
            return self._another(entry, rng)
        return other

    def _row(self, job: Job, name: str, family: str, reference: str) -> Row:
        entry = job.entry
        files = entry.path.name, job.mask.name
        return Row(
            name, family, *files, reference, entry.source, entry.licence, self.seed, job.number
        )

    def _write(self, folder: str, stem: str, image: Pixels8, *, once: bool = False) -> None:
        path = self.out / folder / f"{stem}{self.suffix}"
        if once and path.exists():
            return
        jpeg = {"quality": _JPEG_QUALITY, "subsampling": 0}
        options: dict[str, Any] = jpeg if self.suffix == ".jpg" else {"compress_level": 1}
        write_whole(path, lambda partial: Image.fromarray(image).save(partial, **options))

    def _write_mask(self, stem: str, mask: FloatArray) -> None:
        path = self.out / "masks" / f"{stem}.png"
        if not path.exists():
            stored = Image.fromarray(np.rint(mask * 255).astype(np.uint8))
            write_whole(path, lambda partial: stored.save(partial, compress_level=1))


def _transferred(
    family: str,
    photo: Pixels8,
    mask: FloatArray,
    colours: FloatArray,
    rng: np.random.Generator,
) -> Pixels8:
    box = bounding_box(mask)
    before = unit_range(photo[box])
    inside = before.reshape(-1, 3)[np.flatnonzero(mask[box] > 0.5)]
    if len(inside) > _SAMPLES:
        inside = inside[rng.integers(len(inside), size=_SAMPLES)]
    recolour = IHARMONY4_TRANSFERS[family](inside, colours)
    if family == "idt":
        after = regrain(before, recolour, radius=max(2, max(before.shape) // 96), step=2)
    else:
        after = recolour(before)
    return _pasted_in(box, _quantised(after), mask, photo)


def _pasted_in(box: Box, part: Pixels8, mask: FloatArray, photo: Pixels8) -> Pixels8:
    composite: Pixels8 = photo.copy()
    composite[box] = paste(part, mask[box], photo[box])
    return composite


def _least_clipped(
    draw: Callable[[], tuple[Pixels8, str, str]], photo: Pixels8, mask: FloatArray
) -> tuple[Pixels8, str, str]:
    """Draw until hardly anything is newly clipped; after a few times take the best."""
    inside = np.flatnonzero(mask > 0.5)
    fresh = _clipped(photo.reshape(-1, 3)[inside])
    tried = []
    for _ in range(_DRAWS):
        drawn = draw()
        clipped = _clipped(drawn[0].reshape(-1, 3)[inside]) - fresh
        if clipped < _MOST_CLIPPED:
            return drawn
        tried.append((clipped, drawn))
    return min(tried, key=lambda one: one[0])[1]


def _clipped(colours: Pixels8) -> float:
    return float(((colours == 0) | (colours == 255)).mean())


def _quantised(colours: FloatArray) -> Pixels8:
    levels: Pixels8 = np.rint(np.clip(colours, 0, 1) * np.float32(255)).astype(np.uint8)
    return levels


def _draw_window(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[slice, slice]:
    """A window of 70-90 % of each side: two of them share 20-80 % of their union (SSH: unknown)."""
    spans = []
    for side in shape:
        length = max(1, int(side * rng.uniform(0.7, 0.9)))
        start = int(rng.integers(side - length + 1))
        spans.append(slice(start, start + length))
    return spans[0], spans[1]

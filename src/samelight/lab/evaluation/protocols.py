"""Ways of scoring, by name: the dialects that published numbers are in, and ours.

The same images give different figures in each, because repositories resize, round, paste and
normalise differently. Sources: the evaluation code of junleen/RainNet and chenhaoxing/HDNet,
SamsungLabs/image_harmonization, rakutentech/PCT-Net-Image-Harmonization and ZHKKKe/Harmonizer.
docs/benchmark.md has the table and what is not reproduced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from samelight.errors import UsageError
from samelight.lab.data.triples import Triple, paste
from samelight.lab.evaluation.metrics import (
    SSIM_RADIUS,
    Map,
    decibels,
    foreground_ssim,
    squared_error,
    ssim,
    ssim_map,
    weighted_mean,
)
from samelight.lab.types import Pixels8
from samelight.mask.box import Box, bounding_box
from samelight.render.taps import interpolation_taps
from samelight.types import FloatArray, Pixels

BINS = (0.05, 0.15)
"""Shares of the image between which RainNet, HDNet and DiffHarmony divide the test set."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way of scoring."""

    name: str
    size_px: int | None = None
    """Side of the square that everything is resized to; None = each image's own size."""
    resampling: Literal["none", "pillow", "two-tap"] = "none"
    """pillow = antialiased bilinear; two-tap = bilinear between the 4 nearest pixels (OpenCV)."""
    mask: Literal["soft", "binary"] = "soft"
    """binary = above one half, resized by nearest neighbour, as Pillow does with 1-bit images."""
    recomposed: bool = False
    """Whether the composite's background is replaced by the real image's after resizing."""
    rounded: bool = True
    """Whether outputs are whole 8-bit levels, or floats of 0-255."""
    background: Literal["restored", "blended", "not counted", "as predicted"] = "restored"
    """restored = the composite's pixels where the mask is 0; blended = output and composite mixed
    by the mask; not counted = errors are multiplied by the mask; as predicted = left alone."""
    fmse: Literal["weighted", "masked", "whole"] = "weighted"
    """Over three times the mask's area: sum of m d², of (m d)², or of d² over the whole image."""
    peak: Literal["255", "real's maximum", "output's range"] = "255"
    """Of the PSNR."""
    epsilon: float = 0.0
    """Added to the MSE inside the PSNR."""
    bins: tuple[float, ...] = BINS
    """Shares of foreground at which tables are divided."""


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(name="samelight"),
        Protocol(
            name="dovenet",
            size_px=256,
            resampling="pillow",
            mask="binary",
            recomposed=True,
            background="blended",
            fmse="whole",
        ),
        Protocol(
            name="idih",
            size_px=256,
            resampling="two-tap",
            rounded=False,
            background="as predicted",
            peak="real's maximum",
            epsilon=1e-6,
        ),
        Protocol(name="pctnet", rounded=False, background="not counted", epsilon=1e-6),
        Protocol(
            name="harmonizer",
            mask="binary",
            rounded=False,
            background="blended",
            fmse="masked",
            peak="output's range",
        ),
    )
}


class Case(NamedTuple):
    """A triple as a protocol sees it."""

    composite: Pixels8
    mask: FloatArray
    real: Pixels8

    @property
    def foreground(self) -> float:
        """Share of the image under the mask."""
        return float(self.mask.mean(dtype=np.float64))


class Figures(NamedTuple):
    """One output's distance from the real image."""

    psnr_db: float
    mse_255: float
    fmse_255: float
    ssim: float
    fssim: float


def find_protocol(name: str) -> Protocol:
    """Look a protocol up.

    Raises:
        UsageError: naming those there are.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"there is no protocol {name!r}: choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def prepare(triple: Triple, protocol: Protocol) -> Case:
    """Resize a triple, its mask, and put the background where the protocol wants it."""
    composite, mask, real = triple
    if protocol.mask == "binary":
        mask = (mask > 0.5).astype(np.float32)
    if protocol.size_px is not None:
        composite, real = (_resize(image, protocol) for image in (composite, real))
        mask = _resize_mask(mask, protocol)
    if protocol.recomposed:
        composite = paste(composite, mask, real)
    return Case(composite, mask, real)


def entry_input(case: Case, protocol: Protocol) -> Pixels:
    """The composite as a entry gets it: uint8 if outputs are rounded, else float32 [0,1]."""
    if protocol.rounded:
        return case.composite
    scaled: FloatArray = case.composite.astype(np.float32) / np.float32(255)
    return scaled


class Scorer:
    """Scores any number of outputs for one case.

    Where the mask is 0 the protocols (but for "as predicted") score the same pixels for every
    output: that part is worked out once, and outputs are looked at inside the mask's box only.

    Args:
        case: the triple, prepared under the same protocol.
        protocol: how.
    """

    def __init__(self, case: Case, protocol: Protocol) -> None:
        self.case, self.protocol = case, protocol
        self._below = case.real if protocol.background == "not counted" else case.composite
        self._error = squared_error(self._below, case.real)
        self._similarity = ssim_map(self._below, case.real)
        free = protocol.background == "as predicted"
        where = np.ones_like(case.mask) if free else case.mask
        self._box = bounding_box(where) if where.any() else None

    def __call__(self, output: Pixels) -> Figures:
        """Score one output.

        Args:
            output: (H,W,3), 0-255: uint8, or floats, which are clipped.
        """
        case, protocol = self.case, self.protocol
        values = self._scored_values(output)
        squared, similarity = self._maps(values)
        counted = squared * case.mask if protocol.background == "not counted" else squared
        mse = float(counted.mean() / 3)
        return Figures(
            psnr_db=decibels(mse + protocol.epsilon, _peak(protocol, values, case.real)),
            mse_255=mse,
            fmse_255=_foreground_error(protocol, squared, case.mask),
            ssim=ssim(similarity),
            fssim=foreground_ssim(similarity, case.mask),
        )

    def _scored_values(self, output: Pixels) -> Pixels:
        """The picture that is compared with the real one, (H,W,3)."""
        if self._box is None or output is self._below:
            return self._below
        part: Pixels = output[self._box]
        part = part if part.dtype == np.uint8 else np.clip(part, 0, 255)
        if self.protocol.background == "restored":
            inside = self.case.mask[self._box][..., None] > 0
            part = np.where(inside, part, self._below[self._box])
        elif self.protocol.background == "blended":
            part = self._blend(part, self._box)
            part = np.rint(part) if self.protocol.rounded else part
        values = self._below.astype(part.dtype)
        values[self._box] = part
        return values

    def _blend(self, values: Pixels, box: Box) -> FloatArray:
        below = self._below[box].astype(np.float32)
        change: FloatArray = values - below
        return below + self.case.mask[box][..., None] * change

    def _maps(self, values: Pixels) -> tuple[Map, Map]:
        """Squared error and structural similarity of every pixel."""
        squared, similarity = self._error.copy(), self._similarity.copy()
        if self._box is not None and values is not self._below:
            real, mask = self.case.real, self.case.mask
            squared[self._box] = squared_error(values[self._box], real[self._box])
            # A pixel changes the windows within 3 pixels of it; those read 3 pixels further.
            whole = self.protocol.background == "as predicted"
            span = np.ones_like(mask) if whole else mask
            changed, read = bounding_box(span, SSIM_RADIUS), bounding_box(span, 2 * SSIM_RADIUS)
            seen = values[read]
            if self.protocol.background == "not counted":
                seen = self._blend(seen, read)
            part = ssim_map(seen, real[read])
            inner = tuple(
                slice(c.start - r.start, c.stop - r.start)
                for c, r in zip(changed, read, strict=True)
            )
            similarity[changed] = part[inner]
        return squared, similarity


def _foreground_error(protocol: Protocol, squared: Map, mask: FloatArray) -> float:
    if protocol.fmse == "weighted":
        return weighted_mean(squared, mask) / 3
    area = float(mask.sum(dtype=np.float64))
    if area == 0:
        return 0.0
    weights = mask.astype(np.float64) ** 2 if protocol.fmse == "masked" else 1.0
    return float((squared * weights).sum() / (3 * area))


def _peak(protocol: Protocol, values: Pixels, real: Pixels8) -> float:
    if protocol.peak == "real's maximum":
        return float(real.max())
    if protocol.peak == "output's range":
        return float(values.max()) - float(values.min())
    return 255.0


def _resize(image: Pixels8, protocol: Protocol) -> Pixels8:
    size = protocol.size_px
    if size is None:
        return image
    if protocol.resampling == "pillow":
        return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
    return np.rint(_two_tap(image.astype(np.float32), size)).astype(np.uint8)


def _resize_mask(mask: FloatArray, protocol: Protocol) -> FloatArray:
    size = protocol.size_px
    if size is None:
        return mask
    if protocol.mask == "binary":
        nearest = Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST)
        return np.asarray(nearest)
    return _two_tap(mask[..., None], size)[..., 0]


def _two_tap(values: FloatArray, size_px: int) -> FloatArray:
    """Bilinear between the nearest pixels, without antialiasing: (H,W,C) -> (S,S,C) float32."""
    down = interpolation_taps(size_px, values.shape[0])
    across = interpolation_taps(size_px, values.shape[1])
    near, far = values[down.near], values[down.far]
    rows: FloatArray = near + (far - near) * down.share[:, None, None]
    left, right = rows[:, across.near], rows[:, across.far]
    resized: FloatArray = left + (right - left) * across.share[:, None]
    return resized

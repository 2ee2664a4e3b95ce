"""The one noun: a smooth, low-resolution field of affine colour transforms."""

import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np

from samelight.correction.fit import fit_grid
from samelight.errors import CorrectionError, UsageError
from samelight.types import FloatArray, require_strength

_FILE_VERSION = 1
# What numpy raises on a file that is missing, empty, cut short, or not of its kind.
_UNREADABLE = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError,
    BadZipFile, zlib.error, NotImplementedError,
)  # fmt: skip
# Unpacked; a grid of 1024 x 1024 cells and a colour profile are less.
_MOST_BYTES = 64 << 20
_IDENTITY = np.eye(3, 4)

# Ours, chosen by docs/full-resolution.md's table: with 64x64 cells, a window of 0.7 cells
# keeps a network's own answer to 43 dB; a wider one blurs it, a narrower one copies its noise.
GRID_SHAPE = (64, 64)


class FitError(NamedTuple):
    """How far a correction is from the pictures it was fitted to, inside the mask."""

    psnr_db: float
    """Of the rendered foreground against the wanted one, peak 1; infinite if they are equal."""
    largest: float
    """Largest difference of any channel of any pixel, in [0,1]."""


@dataclass(frozen=True, eq=False)
class Correction:
    """What to do with each colour, at each place: `corrected = A @ rgb + b`.

    Attributes:
        grid: (h,w,3,4) float32, `[A | b]` per cell for encoded colours in [0,1]. Cell centres lie
            as in half-pixel ("align_corners=False") resizing, whatever the size of the photo.
        icc: colour profile of the photo whose colours it speaks of; None = sRGB.
    """

    grid: FloatArray
    icc: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse a grid of another shape, or with values that are not numbers."""
        if self.grid.ndim != 4 or self.grid.shape[2:] != (3, 4) or 0 in self.grid.shape:
            raise UsageError(f"a correction's grid is (h,w,3,4), got {self.grid.shape}")
        if self.grid.dtype != np.float32 or not np.isfinite(self.grid).all():
            raise UsageError("a correction's grid holds finite float32 numbers only")

    @classmethod
    def identity(cls, shape: tuple[int, int] = (1, 1)) -> "Correction":
        """Make the correction that changes nothing.

        Args:
            shape: cells down and across.
        """
        return cls(np.tile(_IDENTITY.astype(np.float32), (*shape, 1, 1)))

    @classmethod
    def fit(
        cls,
        source: FloatArray,
        target: FloatArray,
        mask: FloatArray,
        *,
        shape: tuple[int, int] = GRID_SHAPE,
    ) -> "Correction":
        """Find the smooth affine field that turns one small picture into another.

        A least-squares fit in a Gaussian window around every cell, pulled towards the one affine
        map that suits the whole foreground, so that a cell with few foreground pixels follows
        the rest; that map is itself pulled towards identity.

        Args:
            source: (H,W,3) in [0,1], before.
            target: (H,W,3) in [0,1], after; where the mask is soft, already blended by it.
            mask: (H,W) in [0,1], how much each pixel counts; 1 = foreground.
            shape: cells down and across.

        Returns:
            The correction; identity where the mask is empty. `fit_error` says how near it comes.

        Raises:
            UsageError: if the sizes differ.
        """
        if source.shape != target.shape or source.shape != (*mask.shape, 3):
            raise UsageError(
                f"source {source.shape}, target {target.shape} and mask {mask.shape} "
                "must be (H,W,3), (H,W,3) and (H,W) of one size"
            )
        total_weight = float(np.square(mask, dtype=np.float64).sum())
        if not total_weight > 0:
            return cls.identity(shape)
        return cls(fit_grid(source, target, mask, shape))

    def with_strength(self, strength: float) -> "Correction":
        """Do less or more of the same.

        Args:
            strength: 0 = nothing, 1 = this correction, up to 1.5 = half as much again.
        """
        require_strength(strength)
        identity = _IDENTITY.astype(np.float32)
        return replace(self, grid=identity + np.float32(strength) * (self.grid - identity))

    def fit_error(self, source: FloatArray, target: FloatArray, mask: FloatArray) -> FitError:
        """Measure how near rendering comes to the pictures given to `fit`.

        Args:
            source: (H,W,3) in [0,1], before.
            target: (H,W,3) in [0,1], after.
            mask: (H,W) in [0,1], 1 = foreground.
        """
        from samelight.render.apply import render

        foreground = mask > 0
        if not foreground.any():
            return FitError(psnr_db=math.inf, largest=0.0)
        rendered = render(source.astype(np.float32), mask.astype(np.float32), self)
        error = (rendered - target)[foreground].astype(np.float64)
        mean_square = float(np.mean(error**2))
        psnr_db = -10 * math.log10(mean_square) if mean_square else math.inf
        return FitError(psnr_db=psnr_db, largest=float(np.abs(error).max()))

    def save(self, path: str | Path) -> None:
        """Write a small file that `Correction.load` reads back.

        Args:
            path: where to write; the name is taken as it is.
        """
        profile = np.frombuffer(self.icc or b"", dtype=np.uint8)
        version = np.array(_FILE_VERSION)
        with Path(path).open("wb") as file:
            np.savez_compressed(file, version=version, grid=self.grid, icc=profile)

    @classmethod
    def load(cls, path: str | Path) -> "Correction":
        """Read what `save` wrote.

        Args:
            path: the file.

        Raises:
            CorrectionError: if it is missing, of another version, or something else.
        """
        try:
            with ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > _MOST_BYTES:
                raise CorrectionError(f"{path} holds {size >> 20} MiB, more than any correction")
            with np.load(path, allow_pickle=False) as stored:
                version, grid = int(stored["version"]), stored["grid"]
                # Files of the first builds have no profile.
                icc = stored["icc"].tobytes() if "icc" in stored.files else b""
        except _UNREADABLE as error:
            raise CorrectionError(f"{path} is not a correction saved by samelight") from error
        if version != _FILE_VERSION:
            raise CorrectionError(
                f"{path} is a correction of version {version}, this samelight reads version "
                f"{_FILE_VERSION}: update samelight or save it again"
            )
        try:
            return cls(grid, icc or None)
        except UsageError as error:
            raise CorrectionError(f"{path} is damaged: {error}") from error

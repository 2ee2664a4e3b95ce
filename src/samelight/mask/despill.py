"""Despill: a rim that kept its old background's colour takes on the object's own.

Needs the extra `matting` (pymatting).
"""

from typing import Any

import numpy as np

from samelight.errors import UsageError, missing_extra
from samelight.mask.edges import edge_band, erode_coverage, feather_coverage, require_width
from samelight.types import WHITE, Coverage, FloatArray, Pixels, as_float

# Ours: enough surroundings for a tile's colours to be those of the whole picture's estimate.
_TILE_PX, _MARGIN_PX = 512, 64
# Ours: a rim of two thousandths of the short side, the width of a careful cut-out's halo.
_RIM_SHARE = 0.002
_LEAST_RIM_PX = 2


def rim_width_px(shape: tuple[int, int]) -> int:
    """Choose how wide a rim to mend.

    Args:
        shape: height and width of the photo.
    """
    return max(_LEAST_RIM_PX, round(_RIM_SHARE * min(shape)))


def despill(pixels: Pixels, mask: Coverage, width_px: int | None = None) -> Pixels:
    """Replace the rim's colours by what the inside of the object says they are.

    Along the edge a pixel mixes the object with whatever it was photographed in front of. The
    object's share is estimated twice by multi-level foreground estimation (Germer et al. 2020):
    with the mask as it is, and with one that trusts only what lies deeper inside. The difference
    is the spill, and is taken away in proportion to the mask.

    Args:
        pixels: (H,W,3) RGB: uint8, uint16, or float32 in [0,1].
        mask: (H,W) float32 in [0,1], or uint8 or uint16 whose maximum means 1; 1 = foreground.
        width_px: how far the spill reaches into the object; None = by the photo's size.

    Returns:
        A new array like `pixels`; only the rim differs.

    Raises:
        UsageError: if the extra is not installed, or the width out of range.
    """
    estimate = _estimator()
    width_px = rim_width_px(mask.shape) if width_px is None else width_px
    require_width("despill", width_px)
    trusted = as_float(feather_coverage(erode_coverage(mask, (width_px + 1) // 2), width_px))
    rim = edge_band(mask, trusted)
    mended = np.copy(pixels)
    white = np.float32(WHITE[pixels.dtype])
    for tile, wide in _tiles(mask.shape):
        if not rim[tile].any():
            continue
        rgb = pixels[wide].astype(np.float32) / white
        coverage = as_float(mask[wide])
        spill = estimate(rgb, coverage) - estimate(rgb, trusted[wide])
        clean = (rgb - coverage[..., None] * spill).clip(0, 1) * white
        inner = tuple(
            slice(t.start - w.start, t.stop - w.start) for t, w in zip(tile, wide, strict=True)
        )
        values = clean[inner] if pixels.dtype == np.float32 else np.rint(clean[inner])
        np.copyto(mended[tile], values.astype(pixels.dtype), where=rim[tile][..., None])
    return mended


def _tiles(shape: tuple[int, int]) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Cut a picture into tiles, each with the wider part that is looked at for it."""
    tiles = []
    for top in range(0, shape[0], _TILE_PX):
        for left in range(0, shape[1], _TILE_PX):
            bottom, right = min(top + _TILE_PX, shape[0]), min(left + _TILE_PX, shape[1])
            wide = (
                slice(max(0, top - _MARGIN_PX), min(bottom + _MARGIN_PX, shape[0])),
                slice(max(0, left - _MARGIN_PX), min(right + _MARGIN_PX, shape[1])),
            )
            tiles.append(((slice(top, bottom), slice(left, right)), wide))
    return tiles


def _estimator() -> Any:  # noqa: ANN401 - pymatting has no types
    try:
        from pymatting import estimate_foreground_ml
    except ImportError as missing:
        raise UsageError(f"despill needs {missing_extra('matting')}") from missing

    def estimate(rgb: FloatArray, coverage: FloatArray) -> FloatArray:
        found: FloatArray = estimate_foreground_ml(rgb, coverage).astype(np.float32)
        return found

    return estimate

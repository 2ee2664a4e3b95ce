"""How far an image is from the real one, on values of 0-255.

These are the figures of the "samelight" protocol; `protocol.py` has the other dialects.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from samelight.types import FloatArray

Pixels255 = npt.NDArray[Any]
"""(H,W,3), 0-255."""

Map = npt.NDArray[np.float64]
"""(H,W)."""

# Wang et al. 2004 (SSIM): K1, K2; the window is scikit-image's default, 7 x 7 without weights.
_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SSIM_RADIUS = 3
_MIDDLE = np.float32(128)
_BAND_ROWS = 32


def squared_error(output: Pixels255, real: Pixels255) -> Map:
    """Squared difference of every pixel, summed over its three channels."""
    difference = output.astype(np.float64) - real
    error: Map = np.einsum("hwc,hwc->hw", difference, difference)
    return error


def mse_255(output: Pixels255, real: Pixels255) -> float:
    """Mean squared error over all pixels and channels."""
    return float(squared_error(output, real).mean() / 3)


def decibels(mse: float, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio of a mean squared error, dB; infinite for no error."""
    return float("inf") if mse == 0 else float(10 * np.log10(peak**2 / mse))


def psnr_db(output: Pixels255, real: Pixels255) -> float:
    """Peak signal-to-noise ratio in dB, peak 255; infinite for equal images."""
    return decibels(mse_255(output, real))


def foreground_mse_255(output: Pixels255, real: Pixels255, mask: FloatArray) -> float:
    """Squared error weighted by the mask, over three times the mask's area (iDIH's fMSE).

    Args:
        output: (H,W,3), 0-255.
        real: (H,W,3), 0-255.
        mask: (H,W) in [0,1].

    Returns:
        The error; 0 for an empty mask.
    """
    return weighted_mean(squared_error(output, real), mask) / 3


def weighted_mean(values: Map, mask: FloatArray) -> float:
    """Mean of (H,W) values weighted by a mask in [0,1]; 0 for an empty mask (iDIH's epsilon)."""
    weights = mask.astype(np.float64)
    return float((values * weights).sum() / (weights.sum() + 1e-6 / 3))


def ssim_map(output: Pixels255, real: Pixels255) -> Map:
    """Structural similarity around every pixel, averaged over the channels.

    Wang et al. 2004 with scikit-image's defaults: 7 x 7 windows without weights, sample
    covariance, K1 = 0.01, K2 = 0.03, range 255, mirrored borders.

    Returns:
        (H,W) in [-1,1].
    """
    height, margin = output.shape[0], SSIM_RADIUS
    edges = [(margin, margin), (margin, margin), (0, 0)]
    here, there = (np.pad(image, edges, mode="symmetric") for image in (output, real))
    similarity = np.empty(output.shape[:2], dtype=np.float64)
    # In bands of rows: the many intermediate values then stay in the processor's cache.
    for top in range(0, height, _BAND_ROWS):
        rows = slice(top, min(top + _BAND_ROWS, height) + 2 * margin)
        similarity[top : top + _BAND_ROWS] = _ssim_band(here[rows], there[rows])
    return similarity


def _ssim_band(output: Pixels255, real: Pixels255) -> Map:
    """SSIM of (h+6,w+6,3) with the borders already there -> (h,w)."""
    # Around mid-gray, so that float32 keeps small variances: within 1e-4 of scikit-image's.
    here, there = (
        np.ascontiguousarray(np.moveaxis(image, -1, 0), dtype=np.float32) - _MIDDLE
        for image in (output, real)
    )
    means = [_window_mean(image) for image in (here, there)]
    size = (2 * SSIM_RADIUS + 1) ** 2
    unbiased = np.float32(size / (size - 1))
    covariance = unbiased * (_window_mean(here * there) - means[0] * means[1])
    # Only the sum of both variances is asked for.
    squares = means[0] * means[0] + means[1] * means[1]
    variances = unbiased * (_window_mean(here * here + there * there) - squares)
    for mean in means:
        mean += _MIDDLE
    similarity = (2 * means[0] * means[1] + _SSIM_C1) * (2 * covariance + _SSIM_C2)
    similarity /= (means[0] * means[0] + means[1] * means[1] + _SSIM_C1) * (variances + _SSIM_C2)
    mean_of_channels: Map = similarity.mean(axis=0, dtype=np.float64)
    return mean_of_channels


def _window_mean(planes: FloatArray) -> FloatArray:
    """Mean over every 7 x 7 window: (C,h+6,w+6) -> (C,h,w)."""
    two = planes[:, :-1] + planes[:, 1:]
    four = two[:, :-2] + two[:, 2:]
    sums = four[:, :-3] + two[:, 4:-1] + planes[:, 6:]
    two = sums[..., :-1] + sums[..., 1:]
    four = two[..., :-2] + two[..., 2:]
    sums = four[..., :-3] + two[..., 4:-1] + sums[..., 6:]
    mean: FloatArray = sums * np.float32(1 / 49)
    return mean


def ssim(similarity: Map) -> float:
    """Mean of a similarity map without its border of 3 pixels (scikit-image's SSIM)."""
    inner = similarity[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]
    return float(inner.mean() if inner.size else similarity.mean())


def foreground_ssim(similarity: Map, mask: FloatArray) -> float:
    """Mean of a similarity map weighted by the mask: fSSIM; 1 for an empty mask.

    Ours: the papers that report fSSIM (ccHarmony's table) do not define it.
    """
    return weighted_mean(similarity, mask) if mask.any() else 1.0

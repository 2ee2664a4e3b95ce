"""How far an image is from the real one, on values of 0-255."""

from typing import Any

import numpy as np
import numpy.typing as npt

from samelight.types import FloatArray

Pixels255 = npt.NDArray[Any]
"""(H,W,3), 0-255."""


def mse_255(output: Pixels255, real: Pixels255) -> float:
    """Mean squared error over all pixels and channels."""
    difference = output.astype(np.float32) - real.astype(np.float32)
    return float(np.mean(difference * difference, dtype=np.float64))


def psnr_db(output: Pixels255, real: Pixels255) -> float:
    """Peak signal-to-noise ratio in dB, peak 255; infinite for equal images."""
    error = mse_255(output, real)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def foreground_mse_255(output: Pixels255, real: Pixels255, mask: FloatArray) -> float:
    """Squared error weighted by the mask, over three times the mask's area (iDIH's fMSE).

    Args:
        output: (H,W,3), 0-255.
        real: (H,W,3), 0-255.
        mask: (H,W) in [0,1].

    Returns:
        The error; 0 for an empty mask.
    """
    difference = output.astype(np.float32) - real.astype(np.float32)
    error = np.sum(difference * difference * mask[..., None], dtype=np.float64)
    return float(error / (3 * mask.sum(dtype=np.float64) + 1e-6))

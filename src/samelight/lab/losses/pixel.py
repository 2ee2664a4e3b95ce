"""Pixel losses, normalised by the foreground's area."""

from torch import Tensor

MIN_AREA = 100 / 256**2
"""Smallest area, as a share of the image: 100 pixels at 256 squared, as in DucoNet and HDNet."""


def foreground_squared_error(output: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Foreground-normalised squared error (iDIH's fnMSE with a minimum area of 100 at 256²).

    Per image: the sum over all pixels and channels divided by three times the mask's area.

    Args:
        output: (B,3,H,W), nominally in [0,1].
        real: (B,3,H,W) in [0,1].
        mask: (B,1,H,W) in [0,1].

    Returns:
        Scalar, the mean over images.
    """
    return _per_foreground((output - real).square(), mask)


def foreground_absolute_error(output: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Foreground-normalised absolute error; shapes and normalisation as the squared one (ours)."""
    return _per_foreground((output - real).abs(), mask)


def _per_foreground(error: Tensor, mask: Tensor) -> Tensor:
    pixels = mask.shape[-1] * mask.shape[-2]
    area = mask.sum(dim=(1, 2, 3)).clamp(min=MIN_AREA * pixels)
    return (error.float().sum(dim=(1, 2, 3)) / (3 * area)).mean()

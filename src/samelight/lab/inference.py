"""A network as it is used: what it says of several views of one picture, averaged.

Views of several sizes and mirrored ones are test-time augmentation (ours; measured in
docs/methods/samelight.md). The export traces `answer`, so the views are inside the file's graph.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from samelight.errors import UsageError
from samelight.lab.contract import CorrectionNetwork, Network, Predicted, Use
from samelight.models.spec import View


def require_use(network: Network, use: Use) -> None:
    """Refuse to use a network in a way that it is not made for.

    Raises:
        UsageError: for sizes that do not suit it, or several views where none can be averaged.
    """
    for view in use.views:
        require_size(network, view.size_px)
    if not isinstance(network, CorrectionNetwork) and (len(use.views) > 1 or use.views[0].flip):
        raise UsageError(
            "this network answers with a picture, which is not averaged: give it one view"
        )


def require_size(network: Network, size_px: int) -> None:
    """Refuse pictures of a size that a network cannot take.

    Raises:
        UsageError: saying what the side must be a multiple of.
    """
    if size_px < 1 or size_px % network.multiple_of:
        raise UsageError(
            f"pictures of {size_px} px do not suit the network: choose a multiple of "
            f"{network.multiple_of}"
        )


def answer(network: Network, use: Use, composite: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """What the exported file answers.

    Args:
        network: in evaluation mode.
        use: how it is used.
        composite: (B,3,S,S) in [0,1], sRGB-encoded RGB, S = use.size_px.
        mask: (B,1,S,S) in [0,1], 1 = foreground.

    Returns:
        Coefficients and expected errors as `Predicted` has them; or the picture alone, (B,3,S,S).
    """
    if isinstance(network, CorrectionNetwork):
        return predict_views(network, use, composite, mask)
    return (network(composite, mask),)


def harmonize(network: Network, use: Use, composite: Tensor, mask: Tensor) -> Tensor:
    """The picture that all of the answer makes of the composite: (B,3,S,S) in [0,1]."""
    if isinstance(network, CorrectionNetwork):
        predicted = predict_views(network, use, composite, mask)
        return network.rendered(predicted, composite, mask).clamp(0, 1)
    image: Tensor = network(composite, mask)
    return image


def predict_views(
    network: CorrectionNetwork, use: Use, composite: Tensor, mask: Tensor
) -> Predicted:
    """The mean over all views of the coefficients, and of the expected errors' logarithms."""
    coefficients, errors = [], []
    for view in use.views:
        seen = (_seen(picture, use.size_px, view) for picture in (composite, mask))
        predicted = network.predict(*seen)
        # Cells that were seen from behind are put back where they belong.
        cells = predicted.coefficients.flip(3) if view.flip else predicted.coefficients
        coefficients.append(cells)
        errors.append(predicted.errors)
    if len(use.views) == 1:
        return Predicted(coefficients[0], errors[0])
    return Predicted(torch.stack(coefficients).mean(0), torch.stack(errors).log().mean(0).exp())


def _seen(picture: Tensor, size_px: int, view: View) -> Tensor:
    """One view of a picture of a given side."""
    factor = size_px // view.size_px
    small = F.avg_pool2d(picture, factor) if factor > 1 else picture
    return small.flip(3) if view.flip else small

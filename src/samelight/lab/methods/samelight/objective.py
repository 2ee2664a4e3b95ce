"""What the network is trained by: the corrected composite, and the errors it expects."""

import torch
from torch import Tensor

from samelight.lab.contract import Batch, Losses, Objective
from samelight.lab.losses.pixel import foreground_squared_error
from samelight.lab.methods.samelight.config import SamelightLoss
from samelight.lab.methods.samelight.network import Samelight
from samelight.lab.nn.regions import resize_mask


class SamelightObjective(Objective):
    """Squared error of the corrected composite, small, and of what error is expected."""

    def __init__(self, network: Samelight, loss: SamelightLoss) -> None:
        super().__init__()
        self.network: Samelight = network
        self.loss = loss

    def forward(self, batch: Batch) -> Losses:
        """Compare with the real image."""
        predicted = self.network.predict(batch.composite, batch.mask)
        size = [min(self.loss.compare_px, side) for side in batch.mask.shape[-2:]]
        small = Batch(*(resize_mask(part, size) for part in batch))
        image = self.network.rendered(predicted, small.composite, small.mask)
        squared = foreground_squared_error(image, small.real, small.mask)
        with torch.no_grad():
            pictures = (small.composite, image.clamp(0, 1))
            found = [levels_off(picture, small.real, small.mask) for picture in pictures]
            errors = torch.stack(found, dim=1)
        error = (predicted.errors.log1p() - errors.log1p()).square().mean()
        total = self.loss.squared_weight * squared + self.loss.error_weight * error
        return Losses(total, {"squared": squared, "error": error})


def levels_off(image: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Root mean square error over each image's foreground, in levels of 255: (B,)."""
    square = (mask * (image - real)).square().mean(dim=1).sum(dim=(1, 2))
    area = mask.square().sum(dim=(1, 2, 3)).clamp(min=1e-6)
    return 255 * (square / area).sqrt()

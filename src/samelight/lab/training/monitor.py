"""A quick look at a network while it trains: low-resolution figures and a strip of pictures."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from samelight.lab.contract import Batch, Network, Use
from samelight.lab.data.pairs import Pair
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.inference import harmonize
from samelight.lab.pictures import cut_out, read_mask_picture, read_picture, unit_range
from samelight.lab.types import Picture
from samelight.render.resample import WHOLE
from samelight.types import FloatArray

SHOWN = 8
BATCH = 10


class Monitor:
    """Scores a network on composites with known answers, all kept in memory.

    Args:
        composites: N of them, at the size that the network is given in this use.
        use: how it is used.
        strips: folder for pictures: composite, output, real, one row each.
    """

    def __init__(self, composites: Batch, use: Use, strips: Path) -> None:
        self.composite, self.real, self.mask = composites
        self.use, self.strips = use, strips

    @torch.no_grad()
    def __call__(self, network: Network, images_seen: int) -> dict[str, float]:
        """Return mean fMSE relative to the composites', and the share of pairs improved."""
        device = next(network.parameters()).device
        outputs = []
        for start in range(0, len(self.composite), BATCH):
            part = slice(start, start + BATCH)
            seen = self.composite[part].to(device), self.mask[part].to(device)
            output = harmonize(network, self.use, *seen)
            outputs.append(output.float().cpu())
        output = torch.cat(outputs)
        before = _errors(self.composite, self.real, self.mask)
        after = _errors(output, self.real, self.mask)
        self._write_strip(output, images_seen)
        return {"fmse_ratio": float(after.mean() / before.mean()),
                "improved": float((after < before).mean())}  # fmt: skip

    def _write_strip(self, output: torch.Tensor, images_seen: int) -> None:
        step = max(1, len(output) // SHOWN)
        columns = [self.composite[::step], output[::step], self.real[::step]]
        rows = torch.cat([torch.cat(list(column[:SHOWN]), dim=2) for column in columns], dim=1)
        pixels = (rows.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
        self.strips.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(self.strips / f"{images_seen:08d}.jpg", quality=90)


def _errors(
    output: torch.Tensor, real: torch.Tensor, mask: torch.Tensor
) -> npt.NDArray[np.float64]:
    triples = zip(output, real, mask, strict=True)
    return np.array(
        [foreground_mse_255(_pixels(a), _pixels(b), m[0].numpy()) for a, b, m in triples]
    )


def _pixels(image: torch.Tensor) -> FloatArray:
    """(3,H,W) in [0,1] as (H,W,3), 0-255."""
    pixels: FloatArray = image.permute(1, 2, 0).numpy() * 255
    return pixels


def read_composites(pairs: Sequence[Pair], size_px: int) -> Batch:
    """Read the triples of a data set, whole, each as a square of a given side."""
    return Batch(
        composite=_stack((read_picture(pair.composite) for pair in pairs), size_px),
        real=_stack((read_picture(pair.real) for pair in pairs), size_px),
        mask=_stack((read_mask_picture(pair.mask) for pair in pairs), size_px),
    )


def make_composites(
    photos: PhotoFolder, view: CompositeView, size_px: int, *, count: int, seed: int
) -> Batch:
    """Make composites as training does; the same seed makes the same ones.

    Args:
        photos: those that the network has not seen, as a rule.
        view: how they are made.
        size_px: their side.
        count: how many.
        seed: apart from those that trainings take.
    """
    rngs = (np.random.default_rng((seed, number)) for number in range(count))
    columns = zip(*(view(photos, size_px, rng) for rng in rngs), strict=True)
    return Batch(*(torch.from_numpy(np.stack(column)) for column in columns))


def _stack(pictures: Iterable[Picture], size_px: int) -> torch.Tensor:
    """(N,C,S,S) in [0,1]."""
    small = (unit_range(cut_out(picture, WHOLE, size_px)) for picture in pictures)
    planes = [picture.reshape(size_px, size_px, -1) for picture in small]
    return torch.from_numpy(np.stack(planes)).permute(0, 3, 1, 2).contiguous()

"""A quick look at a network while it trains: low-resolution figures and a strip of pictures."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps

from samelight.lab.contract import Network, Use
from samelight.lab.data.pairs import Pair
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.lab.inference import harmonize
from samelight.types import FloatArray

SHOWN = 8
BATCH = 10


class Monitor:
    """Scores a network on pairs as it is used, but for being shown whole photos.

    Args:
        pairs: the triples; all are kept in memory at the size of the network's input.
        use: how the network is used.
        strips: folder for pictures: composite, output, real, one row each.
    """

    def __init__(self, pairs: list[Pair], use: Use, strips: Path) -> None:
        self.use, self.strips = use, strips
        self.composite = _stack([pair.composite for pair in pairs], "RGB", use.size_px)
        self.real = _stack([pair.real for pair in pairs], "RGB", use.size_px)
        self.mask = _stack([pair.mask for pair in pairs], "L", use.size_px)

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


def _stack(paths: list[Path], mode: str, size_px: int) -> torch.Tensor:
    arrays = []
    for path in paths:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert(mode)
            small = upright.resize((size_px, size_px), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, dtype=np.float32) / np.float32(255)
        arrays.append(torch.from_numpy(pixels.reshape(size_px, size_px, -1)).permute(2, 0, 1))
    return torch.stack(arrays)

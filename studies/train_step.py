"""How long a training step of the samelight network takes, and what it owes to `Depthwise`.

`python studies/train_step.py` times steps on random pictures, on one thread, in both precisions,
with the gradient of frozen depthwise convolutions that is ours and with PyTorch's, and with freed
memory kept as in training.
"""

import argparse
import statistics
import sys
import time

import torch

from samelight.lab.contract import Objective
from samelight.lab.methods import METHODS
from samelight.lab.nn.backbone import Depthwise, SamePadded
from samelight.lab.training.memory import keep_freed_memory


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size-px", type=int, default=192)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=7, help="of which the median is taken")
    args = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    method = METHODS["samelight"]
    config = method.configs["small"]
    objective = method.objective(method.network(config.shape), config.loss)
    objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ours = Depthwise.forward
    for title, forward in (("ours", ours), ("PyTorch's", SamePadded.forward)):
        Depthwise.forward = forward  # type: ignore[method-assign]
        for half in (True, False):
            step = time_step(objective, args.size_px, args.batch, args.steps, half=half)
            precision = "bf16-mixed" if half else "32-true"
            speed = args.batch / step
            sys.stdout.write(f"{title} {precision}: {step:.2f} s, {speed:.0f} images/s\n")


def time_step(objective: Objective, size: int, batch: int, steps: int, *, half: bool) -> float:
    """Seconds of one step, forward and backward."""
    mask = torch.zeros(batch, 1, size, size)
    mask[..., size // 4 : size // 2, size // 3 : size // 2] = 1
    pictures = (torch.rand(batch, 3, size, size) for _ in range(2))
    layout = torch.channels_last
    example = objective.batch(*(part.contiguous(memory_format=layout) for part in pictures), mask)
    seconds = []
    # The first step is not counted: kernels are made and memory is found.
    for _ in range(steps + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            losses = objective(example)
        losses.total.backward()
        objective.zero_grad()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()

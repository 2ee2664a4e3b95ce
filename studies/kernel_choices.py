"""Ways to render 24 megapixels, side by side: docs/full-resolution.md has the table.

`python studies/kernel_choices.py` needs numba and onnx beside samelight; it takes a minute.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from samelight.correction.field import Correction
from samelight.render.apply import render
from samelight.render.native import load_kernel

_SHAPE = (4000, 6000)
_RUNS = 5


def main() -> None:
    """Time each way: the first call, and the median of the next."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (500, 750, 3), dtype=np.uint8)
    pixels = coarse.repeat(8, axis=0).repeat(8, axis=1)
    mask = np.ones(_SHAPE, np.float32)
    noise = rng.normal(0, 0.05, (64, 64, 3, 4))
    correction = Correction((np.eye(3, 4) + noise).astype(np.float32))
    wanted = render(pixels, mask, correction)
    _say(f"compiled loop: {load_kernel() is not None}")
    ways = {
        "C, ctypes": lambda: render(pixels, mask, correction),
        "numpy, tiles": lambda: _without_kernel(pixels, mask, correction),
        "numba": _numba_way(pixels, mask, correction),
        "onnxruntime graph": _onnxruntime_way(pixels, mask, correction),
    }
    for name, way in ways.items():
        start = time.perf_counter()
        answer = way()
        first = time.perf_counter() - start
        seconds = statistics.median(_time(way) for _ in range(_RUNS))
        largest = int(np.abs(answer.astype(np.int16) - wanted).max())
        _say(f"{name:20} first {first:.3f} s, then {seconds:.3f} s, differs by {largest}")


def _time(way: Callable[[], Any]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _without_kernel(pixels: Any, mask: Any, correction: Correction) -> Any:  # noqa: ANN401
    os.environ["SAMELIGHT_NO_KERNEL"] = "1"
    try:
        return render(pixels, mask, correction)
    finally:
        del os.environ["SAMELIGHT_NO_KERNEL"]


def _numba_way(pixels: Any, mask: Any, correction: Correction) -> Callable[[], Any]:  # noqa: ANN401
    """Write the loop for numba, which compiles it on its first call."""
    grid = correction.grid.copy()
    grid[..., 3] *= 255

    def way() -> Any:  # noqa: ANN401
        from numba import njit, prange

        if "loop" not in cache:

            @njit(parallel=True, fastmath=True)
            def loop(px, mask, grid, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
                height, width = mask.shape
                down, across = grid.shape[:2]
                for y in prange(height):
                    v = min(max((y + 0.5) * down / height - 0.5, 0), down - 1)
                    top = int(v)
                    under = min(top + 1, down - 1)
                    row = grid[top] + (grid[under] - grid[top]) * np.float32(v - top)
                    for x in range(width):
                        u = min(max((x + 0.5) * across / width - 0.5, 0), across - 1)
                        left = int(u)
                        right, share = min(left + 1, across - 1), np.float32(u - left)
                        r, g, b = px[y, x]
                        for c in range(3):
                            a, d = row[left, c], row[right, c]
                            one = a[0] * r + a[1] * g + a[2] * b + a[3]
                            two = d[0] * r + d[1] * g + d[2] * b + d[3]
                            new = min(max(one + share * (two - one), 0), 255)
                            old = np.float32(px[y, x, c])
                            out[y, x, c] = np.uint8(old + mask[y, x] * (new - old) + 0.5)

            cache["loop"] = loop
        out = np.empty_like(pixels)
        cache["loop"](pixels, mask, grid, out)
        return out

    cache: dict[str, Any] = {}
    return way


def _onnxruntime_way(pixels: Any, mask: Any, correction: Correction) -> Callable[[], Any]:  # noqa: ANN401
    """Resize the grid to bands of rows and multiply, as a graph; mask and all in float."""
    cache: dict[str, Any] = {}

    def way() -> Any:  # noqa: ANN401
        if "session" not in cache:
            cache["session"] = _graph_session()
        taps = (np.arange(_SHAPE[0]) + 0.5) * (64 / _SHAPE[0]) - 0.5
        taps = taps.clip(0, 63)
        near = taps.astype(int)
        far, share = np.minimum(near + 1, 63), (taps - near).astype(np.float32)
        grid = correction.grid.reshape(64, 64, 12)
        out = np.empty_like(pixels)
        for top in range(0, _SHAPE[0], 100):
            band = slice(top, top + 100)
            rows = grid[near[band]]
            rows = rows + (grid[far[band]] - rows) * share[band][:, None, None]
            feed = {
                "pixels": pixels[band],
                "coefficients": np.ascontiguousarray(rows.transpose(0, 2, 1)),
                "mask": mask[band][..., None],
            }
            out[band] = cache["session"].run(None, feed)[0]
        return out

    return way


def _graph_session() -> Any:  # noqa: ANN401
    import onnxruntime
    from onnx import parser

    text = """
    <ir_version: 9, opset_import: ["" : 18]>
    band (uint8[H,6000,3] pixels, float[H,12,64] coefficients, float[H,6000,1] mask)
        => (uint8[H,6000,3] out)
    <float white = {255}, float zero = {0}, int64[4] shape = {0,0,3,4}, float half = {0.5},
     int64[3] sizes3 = {100,12,6000}, int64[1] last = {-1}, int64[2] split = {3,1}>
    {
        small = Cast <to = 1> (pixels)
        before = Div (small, white)
        wide = Resize <mode = "linear"> (coefficients, , , sizes3)
        turned = Transpose <perm = [0, 2, 1]> (wide)
        affine = Reshape (turned, shape)
        a, b = Split <axis = 3> (affine, split)
        column = Unsqueeze (before, last)
        mixed = MatMul (a, column)
        moved = Add (mixed, b)
        flat = Squeeze (moved, last)
        one = Div (white, white)
        clipped = Clip (flat, zero, one)
        change = Sub (clipped, before)
        blended = Mul (change, mask)
        after = Add (before, blended)
        scaled = Mul (after, white)
        rounded = Round (scaled)
        out = Cast <to = 2> (rounded)
    }
    """
    return onnxruntime.InferenceSession(parser.parse_model(text).SerializeToString())


if __name__ == "__main__":
    main()

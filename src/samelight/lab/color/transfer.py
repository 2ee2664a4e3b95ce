"""Classical colour transfer: learn from two sets of colours a map that takes one to the other.

Every transfer has the same shape, so that baselines and data set builders share them: given the
colours `here` (N,3) and `there` (M,3), it returns a map of colours (...,3) -> (...,3). Colours are
sRGB-encoded, [0,1]; maps may leave the range.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from samelight.color.spaces import lab_to_rgb, linear_to_srgb, rgb_to_lab, srgb_to_linear
from samelight.types import FloatArray

ColourMap = Callable[[FloatArray], FloatArray]
Transfer = Callable[[FloatArray, FloatArray], ColourMap]

# Standard deviations below these are taken for these, so that flat colours are not blown up:
# about 1/4 of an 8-bit level, and 1/1000 of a unit of L*, a*, b*.
_LEAST_DEVIATION_RGB, _LEAST_DEVIATION_LAB = 1e-3, 1e-3

_PART = 4096

_IDT_ROUNDS = 12
_IDT_QUANTILES = np.linspace(0, 1, 65)
_IDT_SAMPLES = 4096


def mean_shift(here: FloatArray, there: FloatArray) -> ColourMap:
    """Move the mean in Lab, keep everything else (ours)."""
    shift = _lab(there).mean(axis=0) - _lab(here).mean(axis=0)
    return lambda colours: _rgb(_lab(colours) + shift)


def mean_and_deviation(strength: float) -> Transfer:
    """Match mean and deviation of L*, a* and b*, part of the way (Reinhard et al. 2001).

    Their l-alpha-beta is replaced by CIE Lab, as all of this field's baselines do.

    Args:
        strength: 0 = nothing, 1 = all the way; the rest is interpolated in Lab.
    """

    def transfer(here: FloatArray, there: FloatArray) -> ColourMap:
        lab_here, lab_there = _lab(here), _lab(there)
        gain = lab_there.std(axis=0) / np.maximum(lab_here.std(axis=0), _LEAST_DEVIATION_LAB)
        from_mean, to_mean = lab_here.mean(axis=0), lab_there.mean(axis=0)

        def move(colours: FloatArray) -> FloatArray:
            lab = _lab(colours)
            moved = (lab - from_mean) * gain + to_mean
            return _rgb(lab + np.float32(strength) * (moved - lab))

        return move

    return transfer


def covariance(here: FloatArray, there: FloatArray) -> ColourMap:
    """Match mean and covariance in RGB by the linear map that moves colours least.

    Pitie and Kokaram 2007 (Monge-Kantorovich): S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2. It reaches the
    statistics of Xiao and Ma's 2006 transfer in correlated RGB, whose rotation is ambiguous.
    """
    floor = _LEAST_DEVIATION_RGB**2
    source = _matrix_power(_covariance(here), 0.5, floor)
    inverse = _matrix_power(_covariance(here), -0.5, floor)
    middle = _matrix_power(source @ _covariance(there) @ source, 0.5, 0.0)
    matrix = (inverse @ middle @ inverse).T.astype(np.float32)
    from_mean, to_mean = here.mean(axis=0), there.mean(axis=0)

    def move(colours: FloatArray) -> FloatArray:
        moved: FloatArray = (colours - from_mean) @ matrix + to_mean
        return moved

    return move


def histogram(here: FloatArray, there: FloatArray) -> ColourMap:
    """Match each channel's cumulative histogram in RGB (Fecker et al. 2008)."""
    curves = [_histogram_curve(here[:, c], there[:, c]) for c in range(3)]

    def move(colours: FloatArray) -> FloatArray:
        moved = [np.interp(colours[..., c], *curves[c]) for c in range(3)]
        return np.stack(moved, axis=-1).astype(np.float32)

    return move


def distribution(here: FloatArray, there: FloatArray) -> ColourMap:
    """Match the whole RGB distribution by matching one axis after another (Pitie et al. 2007).

    Iterative distribution transfer: 12 rounds, each along three random orthogonal axes (always
    the same ones), through 65 quantiles of at most 4,096 colours (counts: ours).
    """
    rng = np.random.default_rng(0)
    moving, target = _thin(here), _thin(there)
    rounds = []
    for _ in range(_IDT_ROUNDS):
        axes = np.linalg.qr(rng.standard_normal((3, 3)))[0].astype(np.float32)
        nodes = _increasing(np.quantile(moving @ axes, _IDT_QUANTILES, axis=0))
        values = np.quantile(target @ axes, _IDT_QUANTILES, axis=0)
        rounds.append((axes, nodes, values))
        moving = _move_along(moving, axes, nodes, values)

    def move(colours: FloatArray) -> FloatArray:
        moved = colours.reshape(-1, 3)
        for axes, nodes, values in rounds:
            moved = _move_along(moved, axes, nodes, values)
        return moved.reshape(colours.shape)

    return move


IHARMONY4_TRANSFERS: Mapping[str, Transfer] = {
    "lab": mean_and_deviation(1.0),
    "rgb": covariance,
    "histogram": histogram,
    "idt": distribution,
}
"""The four ways in which iHarmony4 was made (Cong et al. 2020): global transfer in Lab (Reinhard
2001) and in RGB (Xiao 2006), cumulative histogram (Fecker 2008), iterative distribution transfer
(Pitie 2007)."""


def gray_world(here: FloatArray, there: FloatArray) -> ColourMap:
    """Bring the mean of each channel over in linear light: white balance and exposure (ours)."""
    darkest = np.float32(1e-4)
    gains = srgb_to_linear(there).mean(axis=0) + darkest
    gains /= srgb_to_linear(here).mean(axis=0) + darkest
    return lambda colours: linear_to_srgb(srgb_to_linear(colours) * gains)


def regrain(before: FloatArray, recolour: ColourMap, radius: int, step: int = 1) -> FloatArray:
    """Recolour a picture and give it the grain and edges of the original.

    In place of Pitie et al.'s regraining: the change of colour is made locally linear in the
    original by a guided filter (He et al. 2010), so that noise and banding are not amplified.

    Args:
        before: (H,W,3), the original.
        recolour: what to do with its colours.
        radius: of the filter's windows, in pixels looked at.
        step: look at every step-th pixel of each axis only; the filter is smooth anyway.

    Returns:
        (H,W,3), not clipped.
    """
    flat = 0.02**2  # windows with less deviation than this get their mean change (ours)
    few = np.ascontiguousarray(before[::step, ::step])
    after = recolour(few)
    mean, mean_after = _box_mean(few, radius), _box_mean(after, radius)
    variance = _box_mean(few * few, radius) - mean * mean
    slope = _box_mean(few * after, radius) - mean * mean_after
    # Towards slope 1, "keep the grain", where the window is flat.
    slope = (slope + flat) / (variance + flat)
    fields = (slope, mean_after - slope * mean)
    gain, shift = (_enlarged(_box_mean(f, radius), step, before.shape) for f in fields)
    return gain * before + shift


def _enlarged(field: npt.NDArray[np.float64], step: int, shape: tuple[int, ...]) -> FloatArray:
    """Repeat every value of (h,w,3) `step` times along both axes, cut to the shape."""
    single = field.astype(np.float32)
    larger: FloatArray = single.repeat(step, axis=0).repeat(step, axis=1)
    return larger[: shape[0], : shape[1]]


def _lab(colours: FloatArray) -> FloatArray:
    return _in_parts(rgb_to_lab, colours)


def _rgb(lab: FloatArray) -> FloatArray:
    return _in_parts(lab_to_rgb, lab)


def _in_parts(convert: ColourMap, colours: FloatArray) -> FloatArray:
    """Convert a few thousand colours at a time: the steps in between stay in the cache."""
    flat = colours.reshape(-1, 3)
    converted = np.empty_like(flat)
    for start in range(0, len(flat), _PART):
        converted[start : start + _PART] = convert(flat[start : start + _PART])
    return converted.reshape(colours.shape)


def _covariance(colours: FloatArray) -> npt.NDArray[np.float64]:
    centred = colours.astype(np.float64) - colours.mean(axis=0, dtype=np.float64)
    spread: npt.NDArray[np.float64] = centred.T @ centred / len(colours)
    return spread


def _matrix_power(
    symmetric: npt.NDArray[np.float64], power: float, floor: float
) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(symmetric)
    scaled = vectors * np.maximum(values, floor) ** power
    power_of: npt.NDArray[np.float64] = scaled @ vectors.T
    return power_of


def _histogram_curve(
    here: FloatArray, there: FloatArray
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Nodes and values of the curve that takes one channel's cumulative histogram to another's."""
    nodes, counts = np.unique(here, return_counts=True)
    levels, level_counts = np.unique(there, return_counts=True)
    reached = np.cumsum(counts) / len(here)
    values = np.interp(reached, np.cumsum(level_counts) / len(there), levels)
    return nodes.astype(np.float64), values


def _thin(colours: FloatArray) -> FloatArray:
    step = -(-len(colours) // _IDT_SAMPLES)
    return colours[::step]


def _increasing(quantiles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Make equal quantiles differ a little, as interpolation wants."""
    raised: npt.NDArray[np.float64] = quantiles + 1e-7 * np.arange(len(quantiles))[:, None]
    return raised


def _move_along(
    colours: FloatArray,
    axes: FloatArray,
    nodes: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
) -> FloatArray:
    along = colours @ axes
    moved = [np.interp(along[:, k], nodes[:, k], values[:, k]) for k in range(3)]
    back: FloatArray = np.stack(moved, axis=-1).astype(np.float32) @ axes.T
    return back


def _box_mean(values: FloatArray | npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """Average over the (2r+1)^2 window around every pixel; borders are mirrored.

    Args:
        values: (H,W) or (H,W,C), any size from 1 x 1.
        radius: r, at least 1.

    Returns:
        The same shape, float64.
    """
    edges = [(radius + 1, radius)] * 2 + [(0, 0)] * (values.ndim - 2)
    # One more row and column in front: a window's sum is a difference of two running sums.
    sums = np.pad(values.astype(np.float64), edges, mode="symmetric")
    side = 2 * radius + 1
    for axis in (0, 1):
        np.cumsum(sums, axis=axis, out=sums)
        sums = np.moveaxis(sums, axis, 0)
        sums = np.moveaxis(sums[side:] - sums[:-side], 0, axis)
    return sums / side**2

"""Poisson's equation inside a mask, from coarse to fine."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samelight.mask.box import bounding_box
from samelight.types import FloatArray

Region = npt.NDArray[np.bool_]
Field = npt.NDArray[np.float64]

_COARSEST_PX = 24
_STEPS_FINE, _STEPS_COARSEST = 60, 400
# Relative to the right-hand side: far below a quarter of an 8-bit level.
_TOLERANCE = 1e-6


class _System(NamedTuple):
    """`neighbours * d - sum of d over inside neighbours = jumps`, on the inside pixels."""

    inside: Field
    """(H,W,1), 0 or 1."""
    neighbours: Field
    """(H,W,1): how many of the four lie in the picture."""
    jumps: Field
    """(H,W,3): colour outside minus colour inside, summed over outside neighbours."""


def harmonic_fill(image: FloatArray, inside: Region) -> FloatArray:
    """Find the smoothest change of a region's colours that makes them meet their surroundings.

    Args:
        image: (H,W,3).
        inside: (H,W); must leave something outside.

    Returns:
        (H,W,3), what to add; 0 outside. Discrete Laplace equation on four neighbours, solved to
        about 1e-4 of the largest jump.
    """
    window = bounding_box(inside, margin=1)
    filled = np.zeros_like(image)
    filled[window] = _solve(image[window].astype(np.float64), inside[window])
    return filled


def _solve(image: Field, inside: Region) -> Field:
    system = _system(image, inside)
    guess = np.zeros_like(image)
    steps = _STEPS_COARSEST
    if min(inside.shape) >= 2 * _COARSEST_PX:
        coarse = _halve_system(image, inside)
        if coarse is not None:
            guess = _double(_solve(*coarse), inside.shape) * system.inside
            steps = _STEPS_FINE
    return _conjugate_gradients(system, guess, steps)


def _system(image: Field, inside: Region) -> _System:
    member = inside[..., None].astype(np.float64)
    neighbours = _sum_of_neighbours(np.ones_like(member))
    outside = 1 - member
    jumps = _sum_of_neighbours(image * outside) - _sum_of_neighbours(outside) * image
    return _System(member, neighbours, jumps * member)


def _sum_of_neighbours(values: Field) -> Field:
    total = np.zeros_like(values)
    total[1:] += values[:-1]
    total[:-1] += values[1:]
    total[:, 1:] += values[:, :-1]
    total[:, :-1] += values[:, 1:]
    return total


def _conjugate_gradients(system: _System, guess: Field, steps: int) -> Field:
    """Jacobi-preconditioned, all three channels at once with steps of their own."""

    def apply(values: Field) -> Field:
        return (system.neighbours * values - _sum_of_neighbours(values)) * system.inside

    solution = guess
    residual = system.jumps - apply(solution)
    scaled = residual / system.neighbours
    direction = scaled.copy()
    energy = (residual * scaled).sum(axis=(0, 1))
    enough = _TOLERANCE**2 * ((system.jumps**2 / system.neighbours).sum(axis=(0, 1)) + 1e-30)
    for _ in range(steps):
        if (energy <= enough).all():
            break
        image = apply(direction)
        step = energy / np.maximum((direction * image).sum(axis=(0, 1)), 1e-300)
        solution = solution + step * direction
        residual = residual - step * image
        scaled = residual / system.neighbours
        before, energy = energy, (residual * scaled).sum(axis=(0, 1))
        direction = scaled + energy / np.maximum(before, 1e-300) * direction
    return solution


def _halve_system(image: Field, inside: Region) -> tuple[Field, Region] | None:
    """Bring colours and region to half the size; None where the region would vanish or fill it."""
    height, width = (side // 2 * 2 for side in inside.shape)
    blocks = (height // 2, 2, width // 2, 2)
    member = inside[:height, :width].astype(np.float64)
    share = member.reshape(blocks).mean(axis=(1, 3))
    coarse_inside = share > 0.5
    if coarse_inside.all() or not coarse_inside.any():
        return None
    # Inside and outside colours are averaged apart: a mixed block would soften the jump.
    kept = np.where(np.repeat(np.repeat(coarse_inside, 2, 0), 2, 1), member, 1 - member)
    weighted = (image[:height, :width] * kept[..., None]).reshape(*blocks, 3).mean(axis=(1, 3))
    weights = kept.reshape(blocks).mean(axis=(1, 3))[..., None]
    return weighted / weights, coarse_inside


def _double(values: Field, shape: tuple[int, ...]) -> Field:
    doubled = np.repeat(np.repeat(values, 2, axis=0), 2, axis=1)
    missing = [(0, shape[axis] - doubled.shape[axis]) for axis in (0, 1)]
    return np.pad(doubled, [*missing, (0, 0)], mode="edge")

"""Associated alpha: colours multiplied by their opacity, undone and redone without loss.

With `a <= white`, `round(round(c * white / a) * a / white) == c` for every `c <= a`: the inner
rounding is off by a half at most, and the outer factor makes that less than a half.
"""

import numpy as np

from samelight.types import WHITE, Coverage, Pixels

# Intermediate values of a whole photo would take several times its memory.
_BAND_ROWS = 64


def unassociated(pixels: Pixels, alpha: Coverage) -> tuple[Pixels, bool]:
    """Divide colours by their alpha.

    Args:
        pixels: (H,W,3) uint8 or uint16, multiplied by alpha.
        alpha: (H,W) of the same type.

    Returns:
        Colours as they are where opaque, black where there is nothing; and whether all of them
        were possible, none brighter than its alpha.
    """
    white = np.uint64(WHITE[pixels.dtype])
    divided = np.empty_like(pixels)
    is_possible = True
    for top in range(0, len(pixels), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        over = np.maximum(alpha[rows, :, None], 1).astype(np.uint64)
        colour = pixels[rows].astype(np.uint64)
        is_possible = is_possible and bool((pixels[rows] <= alpha[rows, :, None]).all())
        divided[rows] = np.minimum((colour * white + over // 2) // over, white)
    return divided, is_possible


def associated(pixels: Pixels, alpha: Coverage) -> Pixels:
    """Multiply colours by their alpha.

    Args:
        pixels: (H,W,3) uint8 or uint16.
        alpha: (H,W) of the same type.
    """
    white = np.uint64(WHITE[pixels.dtype])
    multiplied = np.empty_like(pixels)
    for top in range(0, len(pixels), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        product = pixels[rows].astype(np.uint64) * alpha[rows, :, None]
        multiplied[rows] = (product + white // 2) // white
    return multiplied

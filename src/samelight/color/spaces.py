"""Colour spaces: sRGB, linear light and CIE Lab (D65), in float32 from end to end.

Nothing is clipped: a colour outside sRGB comes out outside [0,1], and the caller decides.
"""

import numpy as np
import numpy.typing as npt

from samelight.types import FloatArray

# D65 white and the sRGB primaries, http://www.brucelindbloom.com/index.html?Eqn_RGB_XYZ_Matrix.html
_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
# Rows scaled to sum to exactly one, so that a gray has a* = b* = 0 and not a rounding tint.
_RGB_TO_WHITE_XYZ = _RGB_TO_XYZ / _RGB_TO_XYZ.sum(axis=1, keepdims=True)
_RGB_TO_WHITE_XYZ_T = np.ascontiguousarray(_RGB_TO_WHITE_XYZ.T, dtype=np.float32)
_WHITE_XYZ_TO_RGB_T = np.ascontiguousarray(np.linalg.inv(_RGB_TO_WHITE_XYZ).T, dtype=np.float32)

LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""How much red, green and blue make up the brightness of a colour (ITU-R BT.709)."""

# IEC 61966-2-1: below these the curve is a straight line.
_SRGB_KNEE = 0.04045
_LINEAR_KNEE = 0.0031308

# CIE 15: f(t) is a cube root above delta cubed, a straight line below.
_DELTA = 6.0 / 29.0

# f(X/Xn), f(Y/Yn), f(Z/Zn) -> (L*, a*, b*) before L*'s offset of -16.
_F_TO_LAB_T = np.array(
    [[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]], dtype=np.float32
).T.copy()
_LAB_TO_F_T = np.linalg.inv(_F_TO_LAB_T.astype(np.float64)).astype(np.float32)


def srgb_to_linear(rgb: npt.ArrayLike) -> FloatArray:
    """Undo the sRGB transfer curve.

    Args:
        rgb: any shape, sRGB-encoded, [0,1].

    Returns:
        Linear light of the same shape, float32, [0,1] for inputs in [0,1].
    """
    encoded = np.asarray(rgb, dtype=np.float32)
    linear = np.maximum(encoded, _SRGB_KNEE)
    linear += 0.055
    linear /= 1.055
    np.power(linear, 2.4, out=linear)
    np.copyto(linear, encoded / 12.92, where=encoded <= _SRGB_KNEE)
    return linear


def linear_to_srgb(linear: npt.ArrayLike) -> FloatArray:
    """Apply the sRGB transfer curve.

    Args:
        linear: any shape, linear light, [0,1]; values outside continue the curve.

    Returns:
        sRGB-encoded values of the same shape, float32, [0,1] for inputs in [0,1].
    """
    light = np.asarray(linear, dtype=np.float32)
    encoded = np.maximum(light, _LINEAR_KNEE)
    np.power(encoded, 1.0 / 2.4, out=encoded)
    encoded *= 1.055
    encoded -= 0.055
    np.copyto(encoded, light * 12.92, where=light <= _LINEAR_KNEE)
    return encoded


def rgb_to_lab(rgb: npt.ArrayLike) -> FloatArray:
    """Convert sRGB to CIE Lab under D65.

    Args:
        rgb: (...,3), sRGB-encoded RGB, [0,1].

    Returns:
        (...,3) float32: L* in [0,100], a* and b* roughly in [-110,110].
    """
    linear = srgb_to_linear(rgb)
    ratio = linear.reshape(-1, 3) @ _RGB_TO_WHITE_XYZ_T
    f = np.cbrt(ratio)
    np.copyto(f, ratio / (3 * _DELTA**2) + 4.0 / 29.0, where=ratio <= _DELTA**3)
    lab: FloatArray = f @ _F_TO_LAB_T
    lab[:, 0] -= 16.0
    return lab.reshape(linear.shape)


def lab_to_rgb(lab: npt.ArrayLike) -> FloatArray:
    """Convert CIE Lab under D65 to sRGB.

    Args:
        lab: (...,3): L* in [0,100], a* and b* unbounded.

    Returns:
        (...,3) float32 sRGB-encoded RGB; outside [0,1] where sRGB cannot show the colour.
    """
    given = np.asarray(lab, dtype=np.float32)
    shifted = given.reshape(-1, 3) + np.array([16.0, 0.0, 0.0], dtype=np.float32)
    f = shifted @ _LAB_TO_F_T
    ratio = f * f * f
    np.copyto(ratio, (f - 4.0 / 29.0) * (3 * _DELTA**2), where=f <= _DELTA)
    return linear_to_srgb(ratio @ _WHITE_XYZ_TO_RGB_T).reshape(given.shape)

"""Array types that the core's signatures share."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""Colours or coverages in [0,1] unless the docstring says otherwise."""

Pixels: TypeAlias = npt.NDArray[Any]
"""(H,W,3) sRGB-encoded RGB: uint8, uint16, or float32 in [0,1]."""

Coverage: TypeAlias = npt.NDArray[Any]
"""(H,W) mask, 1 = foreground: float32 in [0,1], or uint8 or uint16 whose maximum means 1."""

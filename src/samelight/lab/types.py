"""Types that the lab's packages share."""

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(H,W,3) RGB or (H,W) gray, uint8."""

Pixels8 = npt.NDArray[np.uint8]
"""(H,W,3) RGB, 0-255."""

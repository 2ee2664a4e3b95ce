"""What options may be, for those that offer them and those that hold to them; quick to import."""

from typing import Literal

Provider = Literal["cpu", "cuda", "coreml", "dml"]
"""What runs a network."""

# Ours: beyond this an affine map mostly clips.
MAX_STRENGTH = 1.5
# Ours: beyond this the time that edges take grows unkindly.
MAX_EDGE_PX = 200

MAX_MEGAPIXELS = 1000.0
"""Larger pictures are refused before they are decoded, unless asked for: 3 GB at 8 bits."""

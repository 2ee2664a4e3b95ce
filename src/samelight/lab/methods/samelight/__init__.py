"""Our own method: predicts the correction itself, from what things are and the light they are in.

docs/methods/samelight.md says what it took from the four published methods and what it did not.
"""

from samelight.lab.contract import Method, Recipe, Stage
from samelight.lab.methods.samelight.config import SMALL, TINY
from samelight.lab.methods.samelight.network import Samelight
from samelight.lab.methods.samelight.objective import SamelightObjective

SIZES_PX = (192, 256, 256, 320, 384, 512)
"""Sides that batches are drawn from: about those of the views in use."""

SAMELIGHT = Method(
    name="samelight",
    paper=None,
    configs={"small": SMALL, "tiny": TINY},
    network=Samelight,
    objective=SamelightObjective,
    recipe=Recipe(
        stages=(
            Stage(sizes_px=(128,), images=192_000, learning_rate=7e-4, final_learning_rate=7e-4),
            # Trained small alone it is timid when shown more: docs/methods/samelight.md.
            Stage(sizes_px=SIZES_PX, images=128_000, learning_rate=7e-4, final_learning_rate=0.0),
        ),
    ),
)

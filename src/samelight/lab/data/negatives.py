"""Wrong styles for a real photo's foreground: what SCS-Co contrasts with."""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from samelight.lab.color.augment import Scene, colour_transfer
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.data.views import CompositeView, object_colours, region_colours
from samelight.types import FloatArray


class ContrastExample(NamedTuple):
    """A training example with further wrong versions of its foreground."""

    composite: FloatArray
    """(3,S,S) in [0,1]."""
    real: FloatArray
    """(3,S,S) in [0,1]."""
    mask: FloatArray
    """(1,S,S) in [0,1]."""
    negatives: FloatArray
    """(N,3,S,S) in [0,1]: the real image, its foreground recoloured towards other photos."""


@dataclass(frozen=True, kw_only=True)
class ContrastView:
    """A composite with wrong versions of its real image, made for each example on its own.

    The published re-implementation recolours towards the batch's other images; here each negative
    draws its own photo, so their number does not depend on the batch's size (ours).
    """

    needs_masks: ClassVar[bool] = True
    composites: CompositeView = field(default_factory=CompositeView)
    negatives: int = 2
    """Wrong versions besides the composite itself: K - 1."""

    def __call__(
        self, photos: PhotoFolder, size_px: int, rng: np.random.Generator
    ) -> ContrastExample:
        """Make one example."""
        example = self.composites(photos, size_px, rng)
        real, mask = example.real.transpose(1, 2, 0), example.mask[0]
        colours = region_colours(real, mask, rng)
        wrong = np.empty((self.negatives, *example.real.shape), dtype=np.float32)
        for number in range(self.negatives):
            donor = object_colours(photos, photos.draw_object(rng))
            edit = colour_transfer(Scene(colours, donor), rng)
            changed = np.clip(edit(real, rng.uniform(0.5, 1.0)), 0, 1) - real
            wrong[number] = (real + mask[..., None] * changed).transpose(2, 0, 1)
        return ContrastExample(*example, wrong)

"""samelight: a pasted object, seen in the light of its new photograph."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Correction", "EditOptions", "Harmonizer", "Mask", "__version__", "harmonize"]

if TYPE_CHECKING:
    from samelight.api import harmonize
    from samelight.correction.field import Correction
    from samelight.harmonizer import Harmonizer
    from samelight.mask.mask import Mask
    from samelight.options import EditOptions

_HOME = {
    "Correction": "samelight.correction.field",
    "EditOptions": "samelight.options",
    "Harmonizer": "samelight.harmonizer",
    "Mask": "samelight.mask.mask",
    "harmonize": "samelight.api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's __getattr__ returns anything
    """Import an export on first use, so that `samelight --version` loads no numpy."""
    if name not in _HOME:
        raise AttributeError(f"module 'samelight' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)

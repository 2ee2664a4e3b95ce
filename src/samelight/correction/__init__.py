"""The one noun: what to do with each colour, at each place."""

from samelight.correction.field import Correction

__all__ = ["Correction"]

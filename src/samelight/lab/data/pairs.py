"""Composite / mask / real triples in iHarmony4's layout."""

import csv
from dataclasses import dataclass
from pathlib import Path

from samelight.errors import PhotoError

PICTURE_SUFFIXES = (".jpg", ".png", ".jpeg", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Pair:
    """One triple on disk."""

    name: str
    composite: Path
    mask: Path
    real: Path
    family: str
    """How the composite was made, from index.csv; "all" where that is not said."""


def list_pairs(root: Path) -> list[Pair]:
    """List the triples of a folder.

    composite_images/<real>_<k>_<j>.* belongs to masks/<real>_<k>.png and real_images/<real>.*
    (iHarmony4's rule). An index.csv with columns `name` (= <real>) and `family` is used if present.

    Raises:
        PhotoError: when there is no composite, or a mask or real image is missing.
    """
    composites = sorted(_pictures(root / "composite_images"))
    if not composites:
        raise PhotoError(f"no composites in {root / 'composite_images'}: wanted iHarmony4's layout")
    reals = {path.stem: path for path in _pictures(root / "real_images")}
    masks = {path.stem: path for path in _pictures(root / "masks")}
    families = _families(root / "index.csv")
    pairs = []
    for composite in composites:
        with_mask = composite.stem.rsplit("_", 1)[0]
        real = with_mask.rsplit("_", 1)[0]
        if with_mask not in masks:
            raise PhotoError(f"{composite} has no mask: wanted {root / 'masks' / with_mask}.png")
        if real not in reals:
            raise PhotoError(f"{composite} has no real: wanted {root / 'real_images' / real}.jpg")
        family = families.get(real, "all")
        pairs.append(Pair(composite.stem, composite, masks[with_mask], reals[real], family))
    return pairs


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]


def _families(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row["name"]: row["family"] for row in csv.DictReader(file) if "family" in row}

"""A folder of photos, some of them with object masks."""

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from samelight.errors import PhotoError
from samelight.lab.types import Picture
from samelight.types import FloatArray

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}


def unit_range(picture: Picture) -> FloatArray:
    """Bring 0-255 to float32 in [0,1]."""
    scaled: FloatArray = picture.astype(np.float32) / np.float32(255)
    return scaled


@dataclass(frozen=True)
class PhotoEntry:
    """A photo on disk and the masks of objects in it."""

    path: Path
    masks: tuple[Path, ...]
    source: str
    licence: str


class PhotoFolder:
    """Photos under DIR/photos with masks DIR/masks/<stem>_<k>.png, or all photos under DIR.

    DIR/index.csv, where there is one, names each photo's `file`, `source` and `licence`.

    Args:
        root: the folder.
        in_memory: decode everything once and keep it (about 0.4 MB a photo at 272 x 380): decoding
            otherwise costs as much as making the training example.

    Raises:
        PhotoError: when the folder holds no photo.
    """

    def __init__(self, root: Path, *, in_memory: bool = False) -> None:
        self.entries = _list_entries(root)
        if not self.entries:
            raise PhotoError(f"no photos under {root}: wanted DIR/photos/*.jpg (or .png, .webp)")
        self.with_masks = [i for i, entry in enumerate(self.entries) if entry.masks]
        self._kept: dict[Path, Picture] = {}
        if in_memory:
            paths = [path for entry in self.entries for path in (entry.path, *entry.masks)]
            modes = ["RGB" if path.parent.name != "masks" else "L" for path in paths]
            with ThreadPoolExecutor() as pool:
                self._kept = dict(zip(paths, pool.map(read_picture, paths, modes), strict=True))

    def __len__(self) -> int:
        return len(self.entries)

    def photo(self, index: int) -> Picture:
        """Return a photo, (H,W,3) uint8 RGB."""
        return self._read(self.entries[index].path, "RGB")

    def mask(self, index: int, number: int) -> Picture:
        """Return one of a photo's masks, (H,W) uint8, 255 = foreground."""
        return self._read(self.entries[index].masks[number], "L")

    def _read(self, path: Path, mode: str) -> Picture:
        kept = self._kept.get(path)
        return read_picture(path, mode) if kept is None else kept


def read_picture(path: Path, mode: str = "RGB") -> Picture:
    """Decode a picture, upright: (H,W,3) uint8, or (H,W) for mode "L".

    Raises:
        PhotoError: when it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert(mode))
    except OSError as error:
        raise PhotoError(f"{path} cannot be read as a photo ({error}): remove it") from error


def _list_entries(root: Path) -> list[PhotoEntry]:
    folder = root / "photos" if (root / "photos").is_dir() else root
    masks: dict[str, list[Path]] = {}
    for path in sorted((root / "masks").glob("*.png")):
        masks.setdefault(path.stem.rsplit("_", 1)[0], []).append(path)
    index = _read_index(root / "index.csv")
    entries = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix.lower() in PHOTO_SUFFIXES:
            row = index.get(path.name, {})
            source, licence = row.get("source", folder.name), row.get("licence", "not stated")
            entries.append(PhotoEntry(path, tuple(masks.get(path.stem, ())), source, licence))
    return entries


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}

"""A folder of photos, some of them with object masks, and draws from it."""

import csv
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from samelight.errors import PhotoError
from samelight.io.photo import read_photo, to_uint8
from samelight.lab.pictures import list_pictures, picture_shape, read_fitting_mask, read_picture
from samelight.lab.stream import in_order
from samelight.lab.types import Picture, Pixels8
from samelight.mask.mask import Mask
from samelight.types import Note

HELD_OUT_EVERY = 25
"""One photo in so many is held out of training."""

_THREADS = 4

Part: TypeAlias = Literal["all", "training", "held_out"]
"""A photo's name alone decides whether it is held out: more photos change nothing about others."""

Neighbours: TypeAlias = npt.NDArray[np.int32]
"""(N,K): for each of N objects the numbers of the K that are most like it."""


@dataclass(frozen=True)
class PhotoEntry:
    """A photo on disk and the masks of objects in it."""

    path: Path
    masks: tuple[Path, ...]
    source: str
    licence: str

    @property
    def part(self) -> Part:
        """Whether it is trained on or held out."""
        is_held_out = zlib.crc32(self.path.stem.encode()) % HELD_OUT_EVERY == 0
        return "held_out" if is_held_out else "training"


class PhotoFolder:
    """Photos under DIR/photos with masks DIR/masks/<stem>_<k>.png, or all photos under DIR.

    DIR/index.csv, where there is one, names each photo's `file`, `source` and `licence`.

    Args:
        root: the folder.
        part: which of its photos; one that is held out may be empty.
        in_memory: decode everything once and keep it (about 0.4 MB a photo at 272 x 380): decoding
            otherwise costs as much as making the training example.

    Attributes:
        entries: the photos.
        in_memory: whether they are kept.
        objects: photo and mask, by their numbers, of every mask that is not black.
        neighbours: for each of `objects` those most like it in other photos, where
            `samelight.lab.data.donors` has looked for them.
        notes: what was left out or is doubtful, for the user, one of each kind.

    Raises:
        PhotoError: when the folder holds no photo, or one cannot be read.
        MaskError: when a mask cannot be read, or has other proportions than its photo.
    """

    def __init__(self, root: Path, *, part: Part = "all", in_memory: bool = False) -> None:
        self.entries = list_photos(root, part)
        self.in_memory = in_memory
        self.neighbours: Neighbours | None = None
        self._photos: dict[int, Pixels8] = {}
        self._masks: dict[tuple[int, int], Picture] = {}
        self.objects: list[tuple[int, int]] = []
        notes: list[Note] = []
        numbers = [(i, k) for i, entry in enumerate(self.entries) for k in range(len(entry.masks))]
        if in_memory:
            paths = [entry.path for entry in self.entries]
            for index, photo in enumerate(in_order(read_photo, paths, threads=_THREADS)):
                self._photos[index] = to_uint8(photo.pixels)
                notes.extend(photo.notes)
        masks = in_order(self._read_mask, numbers, threads=_THREADS)
        for number, mask in zip(numbers, masks, strict=True):
            notes.extend(mask.notes)
            if not mask.is_empty:
                self.objects.append(number)
            if in_memory:
                self._masks[number] = to_uint8(mask.coverage)
        self.notes = _summed_up(notes)
        self._object_shares = _balanced([self.entries[owner].source for owner, _ in self.objects])
        self._photo_shares = _balanced([entry.source for entry in self.entries])

    def __len__(self) -> int:
        return len(self.entries)

    def photo(self, index: int) -> Pixels8:
        """Return a photo, (H,W,3)."""
        kept = self._photos.get(index)
        return read_picture(self.entries[index].path) if kept is None else kept

    def mask(self, index: int, number: int) -> Picture:
        """Return one of a photo's masks, (H,W) as the photo is, 255 = foreground."""
        kept = self._masks.get((index, number))
        return to_uint8(self._read_mask((index, number)).coverage) if kept is None else kept

    def draw_photo(self, rng: np.random.Generator) -> int:
        """Draw the number of a photo; a source counts by the root of how many photos it has."""
        return int(np.searchsorted(self._photo_shares, rng.random(), side="right"))

    def draw_object(self, rng: np.random.Generator) -> int:
        """Draw the number of an object, likewise."""
        return int(np.searchsorted(self._object_shares, rng.random(), side="right"))

    def draw_donor(self, target: int, alike: float, rng: np.random.Generator) -> int:
        """Draw the number of an object to take colours from.

        Args:
            target: the object that gets them.
            alike: probability of one of those most like it, where they are known.
            rng: where the randomness comes from.
        """
        nearest = () if self.neighbours is None else self.neighbours[target]
        if len(nearest) > 0 and rng.random() < alike:
            return int(rng.choice(nearest))
        return self.draw_object(rng)

    def _read_mask(self, number: tuple[int, int]) -> Mask:
        """Read a mask and make it as large as its photo; a black one says so in its notes."""
        entry, kept = self.entries[number[0]], self._photos.get(number[0])
        path = entry.masks[number[1]]
        shape = picture_shape(entry.path) if kept is None else kept.shape[:2]
        fitted = read_fitting_mask(path, entry.path, shape)
        if not fitted.is_empty:
            return fitted
        black = Note("mask-black", f"{path} is black: it is left out")
        return replace(fitted, notes=(*fitted.notes, black))


def list_photos(root: Path, part: Part = "all") -> list[PhotoEntry]:
    """List the photos of a folder, or a part of them, by name.

    Args:
        root: as of `PhotoFolder`.
        part: which of them.

    Raises:
        PhotoError: when the folder holds no photo, or all are held out of training.
    """
    folder = root / "photos" if (root / "photos").is_dir() else root
    masks: dict[str, list[Path]] = {}
    for path in list_pictures(root / "masks"):
        if path.suffix == ".png":
            masks.setdefault(path.stem.rsplit("_", 1)[0], []).append(path)
    index = _read_index(root / "index.csv")
    entries = []
    for path in list_pictures(folder):
        row = index.get(path.name, {})
        source, licence = row.get("source", folder.name), row.get("licence", "not stated")
        entries.append(PhotoEntry(path, tuple(masks.get(path.stem, ())), source, licence))
    if not entries:
        raise PhotoError(f"no photos under {root}: wanted DIR/photos/*.jpg (or .png, .webp)")
    chosen = [entry for entry in entries if part in ("all", entry.part)]
    if part == "training" and not chosen:
        raise PhotoError(
            f"the names of all {len(entries)} photos under {root} hold them out of training, as "
            f"one in {HELD_OUT_EVERY} is: add photos"
        )
    return chosen


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def _summed_up(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The first note of each kind, and how many there are."""
    counts = Counter(note.kind for note in notes)
    firsts = {note.kind: note for note in reversed(notes)}
    return tuple(
        note if counts[kind] == 1 else Note(kind, f"{note.text} (and {counts[kind] - 1} more)")
        for kind, note in firsts.items()
    )


def _balanced(sources: Sequence[str]) -> npt.NDArray[np.float64]:
    """Running sums of probabilities: a source's are together in proportion to its number's root."""
    counts = Counter(sources)
    running = np.cumsum([counts[source] ** -0.5 for source in sources])
    shares: npt.NDArray[np.float64] = running / running[-1:]
    return shares

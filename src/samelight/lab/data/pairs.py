"""Composite / mask / real triples on disk: the layouts of the public data sets.

File rules: iHarmony4 and ccHarmony from their repositories (github.com/bcmi), RealHM from its
demo notebook (github.com/VITA-Group/SSHarmonization). Where a data set's images are not public
(ccHarmony's composites) iHarmony4's rule for names is taken.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samelight.errors import DatasetError
from samelight.lab.pictures import list_pictures

SPLITS = ("train", "test")

IHARMONY4: Mapping[str, Mapping[str, int]] = {
    "HCOCO": {"train": 38545, "test": 4283},
    "HAdobe5k": {"train": 19437, "test": 2160},
    "HFlickr": {"train": 7449, "test": 828},
    "Hday2night": {"train": 311, "test": 133},
}
"""Composites per sub-dataset and split: 65,742 to train, 7,404 to test (its README)."""

CCHARMONY: Mapping[str, int] = {"train": 3080, "test": 1180}
REALHM = 216

_REALHM_ROLES = {"composite": "", "mask": "_mask", "background": "_fore", "real": "_gt"}


@dataclass(frozen=True)
class Pair:
    """One triple on disk."""

    name: str
    """Unique in its data set; folders are separated by "/", there is no ending."""
    composite: Path
    mask: Path
    real: Path
    group: str = "all"
    """What tables are broken down by: a sub-dataset, or how the composite was made."""
    background: Path | None = None
    """Where the composite's background is a file of its own (RealHM)."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the triple."""
        more = () if self.background is None else (self.background,)
        return (self.composite, self.mask, self.real, *more)


@dataclass(frozen=True)
class Listing:
    """What a data set's folder holds for one split."""

    kind: str
    """iHarmony4, ccHarmony, RealHM, or "folder"."""
    split: str
    pairs: tuple[Pair, ...]
    """Complete triples only."""
    problems: tuple[str, ...]
    """One line for each file that is missing or does not belong."""
    expected: Mapping[str, int] = field(default_factory=dict)
    """Published number of composites per group, where there is one."""


def list_pairs(root: Path, split: str | None = None) -> list[Pair]:
    """List the triples of a data set: iHarmony4, ccHarmony, RealHM, or any folder laid out so.

    Args:
        root: the data set's folder.
        split: "train", "test" or "all"; None = test where the data set has a list of it.

    Raises:
        DatasetError: if there is none, or a file of a triple is missing.
    """
    listing = open_dataset(root, split)
    if listing.problems:
        more = f" (and {len(listing.problems) - 1} more)" if len(listing.problems) > 1 else ""
        raise DatasetError(
            f"{listing.problems[0]}{more}: mend the folder; `samelight data check {root}` names all"
        )
    return list(listing.pairs)


def open_dataset(root: Path, split: str | None = None) -> Listing:
    """Find out what a folder is, and list its triples.

    Args:
        root: the folder.
        split: "train", "test" or "all"; None = test where there is a list of it, otherwise all.

    Raises:
        DatasetError: if it holds no triples, or not that split.
    """
    if split not in (None, "all", *SPLITS):
        raise DatasetError(f"there is no split {split!r}: choose one of train, test, all")
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder: check the path")
    if any((root / subset).is_dir() for subset in IHARMONY4):
        return _open_iharmony4(root, split)
    if (root / "composite_images").is_dir():
        is_cc = any((root / f"{name}_list.txt").is_file() for name in SPLITS)
        return _open_ccharmony(root, split) if is_cc else _open_folder(root, split)
    if any(_realhm_folders(root)):
        return _open_realhm(root, split)
    raise DatasetError(
        f"no composites in {root / 'composite_images'}: wanted iHarmony4's layout "
        "(composite_images, masks, real_images), its four sub-datasets, ccHarmony or RealHM"
    )


def splits_of(root: Path) -> list[str]:
    """Name the splits a folder has lists for; ["all"] where it has none."""
    found = [split for split in SPLITS if any(_list_files(root, split))]
    return found or ["all"]


def _list_files(root: Path, split: str) -> Iterable[Path]:
    yield from root.glob(f"*_{split}.txt")
    yield from root.glob(f"{split}_list.txt")
    for subset in IHARMONY4:
        yield from (root / subset).glob(f"*_{split}.txt")


def _chosen_split(root: Path, split: str | None) -> str:
    has = splits_of(root)
    if split is None:
        return "test" if "test" in has else "all"
    if split != "all" and split not in has:
        raise DatasetError(
            f"{root} has no list of its {split} split: fetch IHD_{split}.txt, or pass --split all"
        )
    return split


def _open_iharmony4(root: Path, split: str | None) -> Listing:
    chosen = _chosen_split(root, split)
    present = [subset for subset in IHARMONY4 if (root / subset).is_dir()]
    pairs: list[Pair] = []
    problems = [f"{root / s} is missing" for s in IHARMONY4 if s not in present]
    for subset in present:
        names = None if chosen == "all" else _official_names(root, subset, chosen)
        if names is None and chosen != "all":
            problems.append(f"{root / subset / subset}_{chosen}.txt is missing")
            continue
        folder = _Folder(root / subset, prefix=f"{subset}/", group=subset)
        found, lost = folder.triples(names)
        pairs += found
        problems += lost
    expected = {
        subset: sum(counts.values()) if chosen == "all" else counts[chosen]
        for subset, counts in IHARMONY4.items()
    }
    return Listing("iHarmony4", chosen, tuple(pairs), tuple(problems), expected)


def _official_names(root: Path, subset: str, split: str) -> list[str] | None:
    """Read one sub-dataset's stems from IHD_<split>.txt, else from its own list."""
    whole = root / f"IHD_{split}.txt"
    if whole.is_file():
        lines = [line for line in _lines(whole) if line.split("/")[0] == subset]
        return [Path(line).stem for line in lines]
    own = root / subset / f"{subset}_{split}.txt"
    return [Path(line).stem for line in _lines(own)] if own.is_file() else None


def _open_ccharmony(root: Path, split: str | None) -> Listing:
    chosen = _chosen_split(root, split)
    folder = _Folder(root, group="ccHarmony")
    names, problems = None, []
    if chosen != "all":
        foregrounds = _lines(root / f"{chosen}_list.txt")
        by_foreground: dict[str, list[str]] = {name: [] for name in foregrounds}
        for stem in sorted(folder.composites):
            owner = by_foreground.get(stem.rsplit("_", 1)[0])
            if owner is not None:
                owner.append(stem)
        problems = [
            f"{root / 'composite_images' / name}_*.jpg: no composite of this foreground"
            for name, stems in by_foreground.items()
            if not stems
        ]
        names = [stem for stems in by_foreground.values() for stem in stems]
    pairs, lost = folder.triples(names)
    total = sum(CCHARMONY.values()) if chosen == "all" else CCHARMONY[chosen]
    return Listing("ccHarmony", chosen, tuple(pairs), (*problems, *lost), {"ccHarmony": total})


def _open_folder(root: Path, split: str | None) -> Listing:
    chosen = _chosen_split(root, split)
    names = None
    if chosen != "all":
        (list_file, *_) = sorted(root.glob(f"*_{chosen}.txt"))
        names = [Path(line).stem for line in _lines(list_file)]
    pairs, problems = _Folder(root).triples(names)
    if not pairs and not problems:
        raise DatasetError(
            f"no composites in {root / 'composite_images'}: wanted iHarmony4's layout"
        )
    published = IHARMONY4.get(root.name, {}) if chosen != "all" else {}
    expected = {"all": published[chosen]} if published else {}
    return Listing("folder", chosen, tuple(pairs), tuple(problems), expected)


class _Folder:
    """A folder in iHarmony4's layout.

    composite_images/<real>_<k>_<j>.* belongs to masks/<real>_<k>.* and real_images/<real>.*.
    An index.csv with columns `name` (of the composite, or <real>) and `family` names groups.
    """

    def __init__(self, root: Path, *, prefix: str = "", group: str | None = None) -> None:
        masks = "foreground_masks" if (root / "foreground_masks").is_dir() else "masks"
        self._root, self._prefix, self._group, self._masks_name = root, prefix, group, masks
        self.composites = _pictures(root / "composite_images")
        self._masks = _pictures(root / masks)
        self._reals = _pictures(root / "real_images")
        self._families = {} if group else _families(root / "index.csv")

    def triples(self, names: list[str] | None) -> tuple[list[Pair], list[str]]:
        """List the triples of some composites, by stem; None = of all there are."""
        pairs, problems = [], []
        for name in sorted(self.composites) if names is None else names:
            with_mask, _, _ = name.rpartition("_")
            real, _, _ = with_mask.rpartition("_")
            if not real:
                problems.append(
                    f"{self._root / 'composite_images' / name} is not named <real>_<k>_<j>"
                )
                continue
            lost = self._missing(name, with_mask, real)
            problems += lost
            if not lost:
                family = self._families.get(name) or self._families.get(real, "all")
                files = self.composites[name], self._masks[with_mask], self._reals[real]
                pairs.append(Pair(self._prefix + name, *files, self._group or family))
        return pairs, problems

    def _missing(self, name: str, with_mask: str, real: str) -> list[str]:
        wanted = [
            (self.composites, "composite_images", name, ".jpg"),
            (self._masks, self._masks_name, with_mask, ".png"),
            (self._reals, "real_images", real, ".jpg"),
        ]
        return [
            f"{self._root / folder / stem}{suffix} is missing, wanted by composite {name}"
            for files, folder, stem, suffix in wanted
            if stem not in files
        ]


def _realhm_folders(root: Path) -> list[Path]:
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    return [folder for folder in folders if any(folder.glob("*_gt.*"))]


def _open_realhm(root: Path, split: str | None) -> Listing:
    """X.jpg is the foreground on the canvas, X_fore.jpg the background, X_gt.jpg the retouch."""
    if split in SPLITS:
        raise DatasetError(f"RealHM has no {split} split: pass --split all")
    pairs, problems = [], []
    for folder in _realhm_folders(root):
        files = _pictures(folder)
        for stem in sorted(name.removesuffix("_gt") for name in files if name.endswith("_gt")):
            roles = {role: files.get(stem + end) for role, end in _REALHM_ROLES.items()}
            found = {role: path for role, path in roles.items() if path is not None}
            problems += [
                f"{folder / (stem + _REALHM_ROLES[role])}.jpg is missing ({role} of {stem})"
                for role in roles
                if role not in found
            ]
            if len(found) == len(roles):
                group = folder.name if folder != root else "all"
                name = stem if folder == root else f"{folder.name}/{stem}"
                pairs.append(Pair(name, group=group, **found))
    return Listing("RealHM", "all", tuple(pairs), tuple(problems), {"RealHM": REALHM})


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by stem."""
    return {path.stem: path for path in list_pictures(folder)}


def _lines(path: Path) -> list[str]:
    stripped = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in stripped if line]


def _families(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["name"]: row["family"] for row in csv.DictReader(file) if "family" in row}

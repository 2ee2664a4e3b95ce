"""Is a data set on disk complete and whole?"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samelight.errors import DatasetError, PhotoError
from samelight.io.decode import decode as decode_picture
from samelight.io.decode import open_picture, orientation
from samelight.lab.data.pairs import Listing, Pair, open_dataset, splits_of
from samelight.lab.data.triples import require_one_size
from samelight.lab.stream import in_order

Size = tuple[int, ...]
"""(height, width)."""


@dataclass(frozen=True)
class Count:
    """Composites of one group and split."""

    split: str
    group: str
    found: int
    expected: int | None
    """As published; None where nothing was."""


def list_splits(root: Path, split: str | None) -> list[Listing]:
    """Open every split of a data set, or the one asked for."""
    return [open_dataset(root, name) for name in ([split] if split else splits_of(root))]


def count_splits(listings: list[Listing]) -> list[Count]:
    """Count composites by split and group, beside what was published."""
    counts = []
    for listing in listings:
        found = Counter(pair.group for pair in listing.pairs)
        if len(listing.expected) == 1:  # published as one number, whatever the groups here
            (group,) = listing.expected
            found = Counter({group: len(listing.pairs)})
        groups = dict.fromkeys([*listing.expected, *found])
        counts += [
            Count(listing.split, group, found[group], listing.expected.get(group))
            for group in groups
        ]
    return counts


def count_problems(counts: list[Count]) -> list[str]:
    """Say which counts are not the published ones."""
    return [
        f"{c.group} {c.split}: {c.found:,} composites, published are {c.expected:,}"
        for c in counts
        if c.expected is not None and c.found != c.expected
    ]


def check_files(pairs: list[Pair], *, decode: bool = True, threads: int = 2) -> Iterator[list[str]]:
    """Open every file of each triple once, and compare sizes; yields each triple's problems.

    Args:
        pairs: the triples.
        decode: read every pixel, which finds files that were cut short; False = headers only.
        threads: how many files are opened at a time.
    """
    known: dict[Path, Size | str] = {}
    # A broken file is told of with the first of its triples, whichever thread comes first.
    first: dict[Path, Pair] = {}
    for pair in pairs:
        for path in pair.files:
            first.setdefault(path, pair)

    def check(pair: Pair) -> list[str]:
        problems: list[str] = []
        sizes: dict[str, Size] = {}
        for path in pair.files:
            if path not in known:
                known[path] = _measure(path, decode=decode)
            size = known[path]
            if isinstance(size, str):
                problems += [size] if first[path] is pair else []
            else:
                sizes[path.parent.name + "/" + path.name] = size
        try:
            require_one_size(pair, sizes)
        except DatasetError as error:
            problems.append(str(error))
        return problems

    yield from in_order(check, pairs, threads=threads)


def _measure(path: Path, *, decode: bool) -> Size | str:
    """Find a picture's upright (height, width), or say what is wrong with it."""
    try:
        opened = open_picture(path, PhotoError)
        image, turned = opened.image, orientation(opened.image)
        size = (int(image.height), int(image.width))
        if decode:
            _, damage = decode_picture(opened)
            if damage:
                return damage[0].text
    except PhotoError as error:
        return str(error)
    return size[::-1] if turned >= 5 else size

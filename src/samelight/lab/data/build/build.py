"""Run a builder over a folder of photos: rows of provenance, continued after an interruption."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from samelight import __version__
from samelight.errors import DatasetError, OutputError, UsageError
from samelight.io.files import write_whole
from samelight.lab.data.build.synthesize import KINDS, Builder, Row
from samelight.lab.data.photos import PhotoEntry, list_photos
from samelight.lab.rows import RowLog
from samelight.lab.stream import in_order

INDEX, ABOUT = "index.csv", "synthesis.json"

_FOLDERS = ("composite_images", "masks", "real_images")
_CROP_FOLDERS = ("content_images", "reference_images")


def masked_photos(root: Path) -> list[PhotoEntry]:
    """List a folder's photos that have masks.

    Raises:
        DatasetError: if there is none, or two of them share a stem.
    """
    entries = [entry for entry in list_photos(root) if entry.masks]
    if not entries:
        raise DatasetError(f"no masks in {root / 'masks'}: wanted <photo>_<k>.png for some photos")
    (stem, count), *_ = Counter(entry.path.stem for entry in entries).most_common(1)
    if count > 1:
        raise DatasetError(f"{root} has {count} photos named {stem}: rename one and its masks")
    return entries


def build(
    builder: Builder, photos: Path, *, per_mask: int = 1, limit: int | None = None, threads: int = 2
) -> Iterator[Row | None]:
    """Make the composites that are not there yet; yields each, None for one that was there.

    OUT/index.csv gets a row of provenance per composite as soon as it is written, so what was
    interrupted goes on; OUT/synthesis.json says what was asked for.

    Args:
        builder: makes one.
        photos: where its photos come from, for the record.
        per_mask: composites per mask.
        limit: stop after this many.
        threads: how many are made at a time.

    Raises:
        DatasetError: if OUT holds another set.
    """
    if per_mask < 1:
        raise UsageError(f"{per_mask} composites per mask: wanted at least 1")
    about = _describe(builder, photos, per_mask)
    _begin(builder, about)
    log = RowLog(builder.out / INDEX, Row._fields)
    done = {int(row["number"]) for row in log.read()}
    jobs = list(islice(builder.jobs(per_mask), limit))
    yield from (None for job in jobs if job.number in done)
    left = (job for job in jobs if job.number not in done)
    for row in in_order(builder, left, threads=threads):
        if row is not None:
            log.append([row._asdict()])
        yield row


def count_jobs(builder: Builder, per_mask: int, limit: int | None) -> int:
    """How many composites `build` goes through."""
    count = per_mask * sum(len(entry.masks) for entry in builder.entries)
    return count if limit is None else min(count, limit)


def _describe(builder: Builder, photos: Path, per_mask: int) -> dict[str, Any]:
    return {
        "kind": builder.kind,
        "photos": photos.resolve().name,
        "masks": sum(len(entry.masks) for entry in builder.entries),
        "per_mask": per_mask,
        "size_px": builder.size_px,
        "seed": builder.seed,
        "suffix": builder.suffix,
        "lights": len(builder.lights),
        "luts": list(builder.luts),
        "samelight": __version__,
    }


def _begin(builder: Builder, about: dict[str, Any]) -> None:
    if builder.kind not in KINDS:
        raise UsageError(f"there is no kind {builder.kind!r}: choose one of {', '.join(KINDS)}")
    if builder.suffix not in (".jpg", ".png"):
        raise UsageError(f"cannot write {builder.suffix!r}: choose .jpg or .png")
    if builder.size_px < 16:
        raise UsageError(f"a size of {builder.size_px} px is too small: wanted at least 16")
    path = builder.out / ABOUT
    if path.exists() and json.loads(path.read_text("utf-8")) != about:
        raise DatasetError(f"{builder.out} holds another set ({ABOUT}): choose another --out")
    more = _CROP_FOLDERS if builder.kind == "luts" else ()
    try:
        for folder in (*_FOLDERS, *more):
            (builder.out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {builder.out} ({error.strerror})") from error

    def write(partial: str) -> None:
        Path(partial).write_text(json.dumps(about, indent=1) + "\n", "utf-8")

    write_whole(path, write)

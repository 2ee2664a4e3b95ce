"""The commands around data sets: check, masks, synthesize, illuminant.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from samelight.errors import DatasetError, UsageError
from samelight.interfaces.cli.console import follow, results_console
from samelight.interfaces.cli.terminal import Commands, add_command, add_commands, remark, tell

if TYPE_CHECKING:
    from samelight.lab.data.build.synthesize import Builder


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    group = commands.add_parser("data", help="Check data sets and build new ones.")
    _add_data(add_commands(group))


def _add_data(commands: Commands) -> None:
    add = add_command(commands, check).add_argument
    add("folder", type=Path, help="The data set.")
    add("--split", help="train, test or all; default each.")
    add(
        "--headers-only",
        action="store_true",
        help="Do not decode: quick, but files cut short pass.",
    )
    add = add_command(commands, masks).add_argument
    add("photos", type=Path, help="Folder of photos; DIR/masks is added to.")
    add("--per-photo", type=int, default=3, help="Masks per photo without; default %(default)s.")
    add("--seed", type=int, default=0, help="The same seed draws the same masks.")
    add = add_command(commands, synthesize).add_argument
    add(
        "--photos",
        type=Path,
        required=True,
        help="DIR/photos/*.jpg and masks of objects, DIR/masks/<photo>_<k>.png.",
    )
    add(
        "--out",
        type=Path,
        required=True,
        help="Folder of the new set; an interrupted one goes on.",
    )
    add(
        "--kind",
        default="iharmony4",
        help="%(default)s (colour transfer), the default, luts (3-D LUTs), ccharmony (lights).",
    )
    add("--per-mask", type=int, default=1, help="Composites per mask; default %(default)s.")
    add(
        "--size-px",
        type=int,
        default=512,
        help="Longest side, default %(default)s; nothing is enlarged.",
    )
    add("--seed", type=int, default=0, help="The same seed makes the same set.")
    add("--suffix", default=".jpg", help="%(default)s, or .png for exact backgrounds.")
    add("--limit", type=int, help="Stop after this many composites.")
    add("--luts", type=Path, help="For luts: a folder of .cube files; default drawn ones.")
    add(
        "--lights",
        type=Path,
        help="For ccharmony: from `data illuminant`; default the shipped.",
    )
    add = add_command(commands, illuminant).add_argument
    add(
        "charts",
        type=Path,
        help="24 patch colours: a .csv, a photo with a chart, or a folder.",
    )
    add("--out", type=Path, required=True, help="Folder for the matrices.")
    add("--photos", type=Path, help="Also build composites of these photos, in OUT/pairs.")
    add("--per-mask", type=int, default=10, help="Composites per mask; default %(default)s.")
    add(
        "--size-px",
        type=int,
        default=512,
        help="Longest side of the composites; default %(default)s.",
    )
    add("--seed", type=int, default=0, help="The same seed makes the same composites.")


def check(folder: Path, split: str | None, headers_only: bool) -> None:
    """Name missing and broken files, sizes that differ, and compare counts with the published."""
    from samelight.lab.data.datasets.check import (
        check_files,
        count_problems,
        count_splits,
        list_splits,
    )
    from samelight.lab.evaluation.report import terminal_table

    listings = list_splits(folder, split)
    counts = count_splits(listings)
    cells = [
        (c.group, c.split, f"{c.found:,}", "" if c.expected is None else f"{c.expected:,}")
        for c in counts
    ]
    header = (listings[0].kind, "split", "composites", "published")
    results_console().print(terminal_table(header, cells))
    pairs = list(dict.fromkeys(pair for listing in listings for pair in listing.pairs))
    broken = [line for listing in listings for line in listing.problems]
    steps = follow(check_files(pairs, decode=not headers_only), "checking", len(pairs))
    broken += [line for lines in steps for line in lines]
    for line in [*broken, *count_problems(counts)]:
        tell(line)
    if broken:
        raise DatasetError(
            f"{folder}: {len(broken)} files are missing, broken or of another size: "
            "fetch them again, then check again"
        )
    if count_problems(counts):
        raise DatasetError(
            f"{folder} is whole, but its lists are not the published ones: fetch the lists again"
        )
    remark(f"{len(pairs):,} triples are complete")


def masks(photos: Path, per_photo: int, seed: int) -> None:
    """Draw masks along the edges in photos that have none, to train on or to build composites."""
    from samelight.lab.data.build.proposals import add_masks
    from samelight.lab.data.photos import PhotoFolder

    if per_photo < 1:
        raise UsageError(f"--per-photo is {per_photo}: wanted at least 1")
    bare = sum(not entry.masks for entry in PhotoFolder(photos).entries)
    drawn = sum(follow(add_masks(photos, per_photo, seed), "segmenting", bare))
    remark(f"{drawn} masks for {bare} photos")
    tell(photos / "masks")


def synthesize(
    photos: Path,
    out: Path,
    kind: str,
    per_mask: int,
    size_px: int,
    seed: int,
    suffix: str,
    limit: int | None,
    luts: Path | None,
    lights: Path | None,
) -> None:
    """Build composites with known answers from plain photos, in iHarmony4's layout."""
    from samelight.lab.color.charts import load_lights, shipped_lights
    from samelight.lab.color.random_lut import read_luts
    from samelight.lab.data.build.build import masked_photos
    from samelight.lab.data.build.synthesize import Builder

    bank = []
    if kind == "ccharmony":
        bank = shipped_lights() if lights is None else load_lights(lights)
    builder = Builder(
        kind=kind,
        entries=masked_photos(photos),
        out=out,
        seed=seed,
        size_px=size_px,
        suffix=suffix,
        lights=bank,
        luts={} if luts is None else read_luts(luts),
    )
    _build(builder, photos, per_mask, limit)


def illuminant(
    charts: Path, out: Path, photos: Path | None, per_mask: int, size_px: int, seed: int
) -> None:
    """Fit the light of each colour chart; a photo of a chart's name is taken to be in its light."""
    from samelight.lab.color.charts import fit_charts, load_lights, write_fits
    from samelight.lab.data.build.build import masked_photos
    from samelight.lab.data.build.synthesize import Builder

    fits = list(fit_charts(charts, out))
    write_fits(out, fits)
    affine = [fit.name for fit in fits if "affine" in (fit.forward, fit.reverse)]
    if affine:
        remark(f"affine, as the polynomial would turn grays around: {', '.join(affine)}")
    forward = sum(fit.forward_error for fit in fits) / len(fits)
    reverse = sum(fit.reverse_error for fit in fits) / len(fits)
    remark(
        f"{len(fits)} lights; mean error {forward:.1f} levels to the standard light, "
        f"{reverse:.1f} back"
    )
    tell(out)
    if photos is not None:
        builder = Builder(
            kind="ccharmony",
            entries=masked_photos(photos),
            out=out / "pairs",
            seed=seed,
            size_px=size_px,
            lights=load_lights(out),
        )
        _build(builder, photos, per_mask, None)


def _build(builder: "Builder", photos: Path, per_mask: int, limit: int | None) -> None:
    from samelight.lab.data.build.build import build, count_jobs

    count = count_jobs(builder, per_mask, limit)
    steps = build(builder, photos, per_mask=per_mask, limit=limit)
    made = sum(row is not None for row in follow(steps, "composing", count))
    remark(f"{made} of {count} composites made now, the rest were there or empty")
    tell(builder.out)

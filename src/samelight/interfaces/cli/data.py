"""The commands around data sets: check, masks, synthesize, illuminant.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from samelight.errors import DatasetError
from samelight.interfaces.cli.console import follow, remark, tell, tell_table

if TYPE_CHECKING:
    from samelight.lab.data.build.synthesize import Builder

app = typer.Typer()
data = typer.Typer()
app.add_typer(data, name="data", help="Check data sets and build new ones.")

SizePx = Annotated[int, typer.Option(help="Longest side; nothing is enlarged.", min=1)]
PerMask = Annotated[int, typer.Option(help="Composites per mask.", min=1)]
Kind = Literal["iharmony4", "luts", "ccharmony"]


@data.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The data set.")],
    split: Annotated[
        Literal["train", "test", "all"] | None, typer.Option(help="By default each.")
    ] = None,
    headers_only: Annotated[
        bool,
        typer.Option("--headers-only", help="Do not decode: quick, but files cut short pass."),
    ] = False,
) -> None:
    """Name missing and broken files, and compare counts.

    Also files whose sizes differ, and counts that are not the published ones.
    """
    from samelight.lab.data.datasets.check import (
        check_files,
        count_problems,
        count_splits,
        list_splits,
    )

    listings = list_splits(folder, split)
    counts = count_splits(listings)
    cells = [
        (c.group, c.split, f"{c.found:,}", "" if c.expected is None else f"{c.expected:,}")
        for c in counts
    ]
    tell_table((listings[0].kind, "split", "composites", "published"), cells, words=2)
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


@data.command()
def masks(
    photos: Annotated[Path, typer.Argument(help="Folder of photos; DIR/masks is added to.")],
    per_photo: Annotated[int, typer.Option(help="Masks per photo that has none.", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="The same seed draws the same masks.")] = 0,
) -> None:
    """Draw masks along the edges in photos that have none.

    To train on, or to build composites with.
    """
    from samelight.lab.data.build.proposals import add_masks
    from samelight.lab.data.photos import list_photos

    bare = sum(not entry.masks for entry in list_photos(photos))
    drawn = sum(follow(add_masks(photos, per_photo, seed), "segmenting", bare))
    remark(f"{drawn} masks for {bare} photos")
    tell(photos / "masks")


@data.command()
def synthesize(
    photos: Annotated[
        Path,
        typer.Option(help="DIR/photos/*.jpg and masks of objects, DIR/masks/<photo>_<k>.png."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new set; an interrupted one goes on.")],
    kind: Annotated[
        Kind,
        typer.Option(
            help="As the set of that name: colour transfer (iharmony4), 3-D LUTs (luts), lights "
            "(ccharmony)."
        ),
    ] = "iharmony4",
    per_mask: PerMask = 1,
    size_px: SizePx = 512,
    seed: Annotated[int, typer.Option(help="The same seed makes the same set.")] = 0,
    suffix: Annotated[
        Literal[".jpg", ".png"], typer.Option(help=".png for exact backgrounds.")
    ] = ".jpg",
    limit: Annotated[
        int | None, typer.Option(help="Stop after this many composites.", min=1)
    ] = None,
    luts: Annotated[
        Path | None,
        typer.Option(help="For luts: a folder of .cube files. By default they are drawn."),
    ] = None,
    lights: Annotated[
        Path | None,
        typer.Option(help="For ccharmony: from `data illuminant`. By default the shipped."),
    ] = None,
) -> None:
    """Build composites with known answers from plain photos.

    In iHarmony4's layout.
    """
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


@data.command()
def illuminant(
    charts: Annotated[
        Path,
        typer.Argument(help="24 patch colours: a .csv, a photo with a chart, or a folder."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the matrices.")],
    photos: Annotated[
        Path | None,
        typer.Option(help="Also build composites of these photos, in OUT/pairs."),
    ] = None,
    per_mask: PerMask = 10,
    size_px: SizePx = 512,
    seed: Annotated[int, typer.Option(help="The same seed makes the same composites.")] = 0,
) -> None:
    """Fit the light of each colour chart.

    A photo of a chart's name is taken to be in its light.
    """
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

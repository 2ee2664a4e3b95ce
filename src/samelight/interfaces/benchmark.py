"""The commands around data sets and scores: evaluate, predict, score, data, results.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samelight.errors import DatasetError, UsageError
from samelight.interfaces.console import follow, results_console
from samelight.io.files import require_writable_file

if TYPE_CHECKING:
    from samelight.lab.data.synthesize import Builder
    from samelight.lab.evaluation.results import Results

Model = Annotated[str, typer.Argument(help="A name from `samelight methods`, or .onnx file.")]
Pairs = Annotated[
    Path, typer.Option(help="iHarmony4, ccHarmony, RealHM, or a folder in iHarmony4's layout.")
]
Split = Annotated[
    str | None, typer.Option(help="train, test or all; test where the data set has a list of it.")
]
ProtocolName = Annotated[
    str, typer.Option(help="samelight, or a dialect: dovenet, idih, pctnet, harmonizer.")
]
Peers = Annotated[
    str, typer.Option(help="Classical baselines to score beside it: names with commas, all, none.")
]
Ablate = Annotated[
    bool, typer.Option(help="Also score the model with the background turned to flat gray.")
]

data = typer.Typer(help="Check data sets and build new ones.", no_args_is_help=True)
results = typer.Typer(help="Tables of results.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (evaluate, predict, score):
        app.command()(command)
    app.add_typer(data, name="data")
    app.add_typer(results, name="results")


def evaluate(
    model: Model,
    pairs: Pairs,
    output: Annotated[Path | None, typer.Option(help="Also write a row per image, CSV.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for predictions and scores; default below runs/.")
    ] = None,
    protocol: ProtocolName = "samelight",
    split: Split = None,
    peers: Peers = "none",
    ablate_background: Ablate = False,
) -> None:
    """Score a model beside classical baselines: `predict`, then `score`.

    Interrupt at will: the same command goes on where it stopped.
    """
    from samelight.lab.evaluation.predict import model_contenders, peer_contenders
    from samelight.lab.evaluation.protocol import find_protocol
    from samelight.lab.evaluation.run import default_run, open_pairs, predict_run, score_run
    from samelight.lab.evaluation.score import SCORES

    if output is not None:
        require_writable_file(output)
    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_contenders(model, ablate_background=ablate_background)
    contenders = [*peer_contenders(_peer_names(peers)), *models]
    run = out or default_run(model, pairs, listing, chosen, models[0].sha256 or "")
    predict_run(run, pairs, listing, contenders, chosen, follow)
    _show(score_run(run, pairs, listing, chosen, follow), model)
    typer.echo(f"predictions, scores.csv and results.json are in {run}", err=True)
    if output is not None:
        output.write_bytes((run / SCORES).read_bytes())
        typer.echo(output)


def predict(
    model: Model,
    pairs: Pairs,
    out: Annotated[Path, typer.Option(help="Folder for the predictions; an old run goes on.")],
    protocol: ProtocolName = "samelight",
    split: Split = None,
    peers: Peers = "none",
    ablate_background: Ablate = False,
) -> None:
    """Write a model's output for every composite of a data set: the first half of `evaluate`."""
    from samelight.lab.evaluation.predict import model_contenders, peer_contenders
    from samelight.lab.evaluation.protocol import find_protocol
    from samelight.lab.evaluation.run import open_pairs, predict_run

    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_contenders(model, ablate_background=ablate_background)
    contenders = [*peer_contenders(_peer_names(peers)), *models]
    predict_run(out, pairs, listing, contenders, chosen, follow)
    typer.echo(out)


def score(
    run: Annotated[
        Path, typer.Argument(help="Folder of a run; yours: RUN/predictions/<method>/<name>.png.")
    ],
    pairs: Pairs,
    protocol: Annotated[
        str | None, typer.Option(help="Default: the one the predictions were made under.")
    ] = None,
    split: Split = None,
) -> None:
    """Score predictions on disk, of any program: the second half of `evaluate`; no model needed."""
    from samelight.lab.evaluation.run import open_pairs, score_run
    from samelight.lab.evaluation.score import choose_protocol, find_contenders

    chosen, contenders = choose_protocol(run, protocol), find_contenders(run)
    listing = open_pairs(pairs, split)
    _show(score_run(run, pairs, listing, chosen, follow), list(contenders)[-1])
    typer.echo(f"scores.csv and results.json are in {run}", err=True)


@results.command()
def published(
    dataset: Annotated[str, typer.Option(help="iHarmony4 or ccHarmony.")] = "iHarmony4",
    part: Annotated[str, typer.Option(help='All, a sub-dataset, or a bin: "0-5 %".')] = "All",
    size: Annotated[str | None, typer.Option(help="256, 1024, 2048 or own; default all.")] = None,
    beside: Annotated[
        Path | None, typer.Option(help="A run or results.json to put below, for comparison.")
    ] = None,
) -> None:
    """Print what others published, with sources; figures of unlike protocols do not compare."""
    from samelight.lab.evaluation.published import (
        COLUMNS,
        list_published,
        list_sources,
        published_rows,
    )
    from samelight.lab.evaluation.report import terminal_table
    from samelight.lab.evaluation.results import read_results

    rows = list_published(dataset, part, size)
    own = read_results(beside) if beside is not None else None
    console = results_console()
    console.print(terminal_table(COLUMNS, published_rows(rows, own, part)))
    console.print()
    sources = list_sources()
    used = [sources[name] for name in dict.fromkeys(row.source for row in rows)]
    header = ("source", "title", "address", "protocol")
    cells = [(s.source, s.title, s.address, s.protocol or "not known") for s in used]
    console.print(terminal_table(header, cells))


@results.command()
def table(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a results.json.")],
    by: Annotated[str, typer.Option(help="total, group or bin.")] = "total",
    contender: Annotated[
        str | None, typer.Option(help="For group and bin; default the last of the run.")
    ] = None,
    intervals: Annotated[bool, typer.Option(help="Add 95 % confidence intervals.")] = False,
) -> None:
    """Print a run's results as a Markdown table."""
    from samelight.lab.evaluation.report import results_table
    from samelight.lab.evaluation.results import read_results

    typer.echo(results_table(read_results(run), by, contender, intervals=intervals))


@data.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The data set.")],
    split: Annotated[str | None, typer.Option(help="train, test or all; default each.")] = None,
    headers_only: Annotated[
        bool, typer.Option(help="Do not decode: quick, but files cut short pass.")
    ] = False,
) -> None:
    """Name missing and broken files, sizes that differ, and compare counts with the published."""
    from samelight.lab.data.check import check_files, count_problems, count_splits, list_splits
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
        typer.echo(line)
    if broken:
        raise DatasetError(
            f"{folder}: {len(broken)} files are missing, broken or of another size: "
            "fetch them again, then check again"
        )
    if count_problems(counts):
        raise DatasetError(
            f"{folder} is whole, but its lists are not the published ones: fetch the lists again"
        )
    typer.echo(f"{len(pairs):,} triples are complete", err=True)


@data.command()
def masks(
    photos: Annotated[Path, typer.Argument(help="Folder of photos; DIR/masks is added to.")],
    per_photo: Annotated[int, typer.Option(help="Masks per photo that has none.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed draws the same masks.")] = 0,
) -> None:
    """Draw masks along the edges in photos that have none, to train on or to build composites."""
    from samelight.lab.data.photos import PhotoFolder
    from samelight.lab.data.proposals import add_masks

    if per_photo < 1:
        raise UsageError(f"--per-photo is {per_photo}: wanted at least 1")
    bare = sum(not entry.masks for entry in PhotoFolder(photos).entries)
    drawn = sum(follow(add_masks(photos, per_photo, seed), "segmenting", bare))
    typer.echo(f"{drawn} masks for {bare} photos", err=True)
    typer.echo(photos / "masks")


@data.command()
def synthesize(
    photos: Annotated[
        Path, typer.Option(help="DIR/photos/*.jpg and masks of objects, DIR/masks/<photo>_<k>.png.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new set; an interrupted one goes on.")],
    kind: Annotated[
        str,
        typer.Option(help="iharmony4 (colour transfer), luts (3-D LUTs), ccharmony (lights)."),
    ] = "iharmony4",
    per_mask: Annotated[int, typer.Option(help="Composites per mask.")] = 1,
    size_px: Annotated[int, typer.Option(help="Longest side; nothing is enlarged.")] = 512,
    seed: Annotated[int, typer.Option(help="The same seed makes the same set.")] = 0,
    suffix: Annotated[str, typer.Option(help=".jpg, or .png for exact backgrounds.")] = ".jpg",
    limit: Annotated[int | None, typer.Option(help="Stop after this many composites.")] = None,
    luts: Annotated[
        Path | None, typer.Option(help="For luts: a folder of .cube files; default drawn ones.")
    ] = None,
    lights: Annotated[
        Path | None,
        typer.Option(help="For ccharmony: from `data illuminant`; default the shipped."),
    ] = None,
) -> None:
    """Build composites with known answers from plain photos, in iHarmony4's layout."""
    from samelight.lab.data.build import masked_photos
    from samelight.lab.data.charts import load_lights, shipped_lights
    from samelight.lab.data.luts import read_luts
    from samelight.lab.data.synthesize import Builder

    bank = []
    if kind == "ccharmony":
        bank = shipped_lights() if lights is None else load_lights(lights)
    names = [] if luts is None else [str(p.relative_to(luts)) for p in sorted(luts.rglob("*.cube"))]
    builder = Builder(
        kind=kind,
        entries=masked_photos(photos),
        out=out,
        seed=seed,
        size_px=size_px,
        suffix=suffix,
        lights=bank,
        luts={} if luts is None else dict(zip(names, read_luts(luts), strict=True)),
    )
    _build(builder, photos, per_mask, limit)


@data.command()
def illuminant(
    charts: Annotated[
        Path, typer.Argument(help="24 patch colours: a .csv, a photo with a chart, or a folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the matrices.")],
    photos: Annotated[
        Path | None, typer.Option(help="Also build composites of these photos, in OUT/pairs.")
    ] = None,
    per_mask: Annotated[int, typer.Option(help="Composites per mask.")] = 10,
    size_px: Annotated[int, typer.Option(help="Longest side of the composites.")] = 512,
    seed: Annotated[int, typer.Option(help="The same seed makes the same composites.")] = 0,
) -> None:
    """Fit the light of each colour chart; a photo of a chart's name is taken to be in its light."""
    from samelight.lab.data.build import masked_photos
    from samelight.lab.data.charts import fit_charts, load_lights, write_fits
    from samelight.lab.data.synthesize import Builder

    fits = list(fit_charts(charts, out))
    write_fits(out, fits)
    affine = [fit.name for fit in fits if "affine" in (fit.forward, fit.reverse)]
    if affine:
        typer.echo(f"affine, as the polynomial went astray: {', '.join(affine)}", err=True)
    forward = sum(fit.forward_error for fit in fits) / len(fits)
    reverse = sum(fit.reverse_error for fit in fits) / len(fits)
    typer.echo(
        f"{len(fits)} lights; mean error {forward:.1f} levels to the standard light, "
        f"{reverse:.1f} back",
        err=True,
    )
    typer.echo(out)
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
    from samelight.lab.data.build import build, count_jobs

    count = count_jobs(builder, per_mask, limit)
    steps = build(builder, photos, per_mask=per_mask, limit=limit)
    made = sum(row is not None for row in follow(steps, "composing", count))
    typer.echo(f"{made} of {count} composites made now, the rest were there or empty", err=True)
    typer.echo(builder.out)


def _peer_names(listed: str) -> list[str]:
    from samelight.lab.evaluation.peers import PEERS

    if listed in ("all", "none"):
        return list(PEERS) if listed == "all" else []
    names = [name.strip() for name in listed.split(",")]
    if not all(names):
        raise UsageError(f"--peers {listed!r} has an empty name: separate names by one comma")
    return names


def _show(concluded: "Results", contender: str) -> None:
    from samelight.lab.evaluation.report import (
        COLUMNS,
        contenders_rows,
        parts_rows,
        terminal_table,
    )

    console = results_console()
    console.print(terminal_table(("contender", *COLUMNS), contenders_rows(concluded)))
    (own,) = (one for one in concluded.contenders if one.name == contender)
    for what, parts in (("group", own.groups), ("foreground", own.bins)):
        console.print()
        console.print(terminal_table((what, "images", *COLUMNS), parts_rows(parts)))

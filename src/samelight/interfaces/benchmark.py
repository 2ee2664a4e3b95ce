"""The commands around data sets and scores: evaluate, predict, score, data, results.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from samelight.errors import DatasetError, UsageError
from samelight.interfaces.console import follow, results_console
from samelight.interfaces.terminal import (
    Commands,
    Parser,
    add_command,
    add_commands,
    remark,
    tell,
)
from samelight.io.files import require_writable_file

if TYPE_CHECKING:
    from samelight.lab.data.synthesize import Builder
    from samelight.lab.evaluation.results import Results

MODEL = "A name from `samelight methods`, or an .onnx file."


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    _add_scoring(commands)
    group = commands.add_parser("data", help="Check data sets and build new ones.")
    _add_data(add_commands(group))
    group = commands.add_parser("results", help="Tables of results.")
    _add_results(add_commands(group))


def _add_scoring(commands: Commands) -> None:
    parser = add_command(commands, evaluate)
    parser.add_argument("model", help=MODEL)
    _add_pairs(parser)
    parser.add_argument("--output", type=Path, help="Also write a row per image, CSV.")
    parser.add_argument(
        "--out", type=Path, help="Folder for predictions and scores; default below runs/."
    )
    _add_contenders(parser)
    parser = add_command(commands, predict)
    parser.add_argument("model", help=MODEL)
    _add_pairs(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="Folder for the predictions; an old run goes on.",
    )
    _add_contenders(parser)
    parser = add_command(commands, score)
    parser.add_argument(
        "run",
        type=Path,
        help="Folder of a run; yours: RUN/predictions/<method>/<name>.png.",
    )
    _add_pairs(parser)
    parser.add_argument("--protocol", help="Default: the one the predictions were made under.")


def _add_pairs(parser: Parser) -> None:
    parser.add_argument(
        "--pairs",
        type=Path,
        required=True,
        help="iHarmony4, ccHarmony, RealHM, or a folder in iHarmony4's layout.",
    )
    parser.add_argument(
        "--split", help="train, test or all; default test where the data set has a list of it."
    )


def _add_contenders(parser: Parser) -> None:
    parser.add_argument(
        "--protocol",
        default="samelight",
        help="%(default)s, the default, or a dialect: dovenet, idih, pctnet, harmonizer.",
    )
    parser.add_argument(
        "--peers",
        default="none",
        help="Classical baselines to score beside it: names with commas, all, or %(default)s.",
    )
    parser.add_argument(
        "--ablate-background",
        action="store_true",
        help="Also score the model with the background turned to flat gray.",
    )


def _add_results(commands: Commands) -> None:
    add = add_command(commands, published).add_argument
    add("--dataset", default="iHarmony4", help="%(default)s, the default, or ccHarmony.")
    add("--part", default="All", help='%(default)s, a sub-dataset, or a bin: "0-5 %%".')
    add("--size", help="256, 1024, 2048 or own; default all.")
    add("--beside", type=Path, help="A run or results.json to put below, for comparison.")
    add = add_command(commands, table).add_argument
    add("run", type=Path, help="A run's folder, or a results.json.")
    add("--by", default="total", help="%(default)s, the default, group or bin.")
    add("--contender", help="For group and bin; default the last of the run.")
    add("--intervals", action="store_true", help="Add 95 %% confidence intervals.")


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


def evaluate(
    model: str,
    pairs: Path,
    split: str | None,
    output: Path | None,
    out: Path | None,
    protocol: str,
    peers: str,
    ablate_background: bool,
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
    remark(f"predictions, scores.csv and results.json are in {run}")
    if output is not None:
        output.write_bytes((run / SCORES).read_bytes())
        tell(output)


def predict(
    model: str,
    pairs: Path,
    split: str | None,
    out: Path,
    protocol: str,
    peers: str,
    ablate_background: bool,
) -> None:
    """Write a model's output for every composite of a data set: the first half of `evaluate`."""
    from samelight.lab.evaluation.predict import model_contenders, peer_contenders
    from samelight.lab.evaluation.protocol import find_protocol
    from samelight.lab.evaluation.run import open_pairs, predict_run

    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_contenders(model, ablate_background=ablate_background)
    contenders = [*peer_contenders(_peer_names(peers)), *models]
    predict_run(out, pairs, listing, contenders, chosen, follow)
    tell(out)


def score(run: Path, pairs: Path, split: str | None, protocol: str | None) -> None:
    """Score predictions on disk, of any program: the second half of `evaluate`; no model needed."""
    from samelight.lab.evaluation.run import open_pairs, score_run
    from samelight.lab.evaluation.score import choose_protocol, find_contenders

    chosen, contenders = choose_protocol(run, protocol), find_contenders(run)
    listing = open_pairs(pairs, split)
    _show(score_run(run, pairs, listing, chosen, follow), list(contenders)[-1])
    remark(f"scores.csv and results.json are in {run}")


def published(dataset: str, part: str, size: str | None, beside: Path | None) -> None:
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


def table(run: Path, by: str, contender: str | None, intervals: bool) -> None:
    """Print a run's results as a Markdown table."""
    from samelight.lab.evaluation.report import results_table
    from samelight.lab.evaluation.results import read_results

    tell(results_table(read_results(run), by, contender, intervals=intervals))


def check(folder: Path, split: str | None, headers_only: bool) -> None:
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
    from samelight.lab.data.photos import PhotoFolder
    from samelight.lab.data.proposals import add_masks

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


def illuminant(
    charts: Path, out: Path, photos: Path | None, per_mask: int, size_px: int, seed: int
) -> None:
    """Fit the light of each colour chart; a photo of a chart's name is taken to be in its light."""
    from samelight.lab.data.build import masked_photos
    from samelight.lab.data.charts import fit_charts, load_lights, write_fits
    from samelight.lab.data.synthesize import Builder

    fits = list(fit_charts(charts, out))
    write_fits(out, fits)
    affine = [fit.name for fit in fits if "affine" in (fit.forward, fit.reverse)]
    if affine:
        remark(f"affine, as the polynomial went astray: {', '.join(affine)}")
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
    from samelight.lab.data.build import build, count_jobs

    count = count_jobs(builder, per_mask, limit)
    steps = build(builder, photos, per_mask=per_mask, limit=limit)
    made = sum(row is not None for row in follow(steps, "composing", count))
    remark(f"{made} of {count} composites made now, the rest were there or empty")
    tell(builder.out)


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

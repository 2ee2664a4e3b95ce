"""The commands around scores: evaluate, predict, score, results.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from samelight.errors import UsageError
from samelight.interfaces.cli.console import follow, remark, tell, tell_table
from samelight.interfaces.cli.options import edit_options
from samelight.options import EditOptions

if TYPE_CHECKING:
    from samelight.lab.evaluation.predict import Entry
    from samelight.lab.evaluation.results import Results

app = typer.Typer()
results = typer.Typer()
app.add_typer(results, name="results", help="Tables of results.")

Protocol = Literal["samelight", "dovenet", "idih", "pctnet", "harmonizer"]
Model = Annotated[str, typer.Argument(help="A name from `samelight models`, or an .onnx file.")]
Pairs = Annotated[
    Path,
    typer.Option(help="iHarmony4, ccHarmony, RealHM, or a folder in iHarmony4's layout."),
]
Split = Annotated[
    Literal["train", "test", "all"] | None,
    typer.Option(help="By default test, where the data set has a list of it."),
]
PredictionProtocol = Annotated[
    Protocol, typer.Option(help="Ours, or a dialect: how another repository scores.")
]
Baselines = Annotated[
    str,
    typer.Option(help="Classical baselines to score beside it: names with commas, all, or none."),
]
AblateBackground = Annotated[
    bool,
    typer.Option(
        "--ablate-background",
        help="Also score the model with the background turned to flat gray.",
    ),
]


@app.command()
@edit_options(["gate"])
def evaluate(
    model: Model,
    pairs: Pairs,
    split: Split = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for predictions and scores. By default one in runs/."),
    ] = None,
    protocol: PredictionProtocol = "samelight",
    baselines: Baselines = "none",
    ablate_background: AblateBackground = False,
    *,
    options: EditOptions,
) -> None:
    """Score a model on a data set, beside classical baselines.

    It is `predict`, then `score`. Interrupt at will: the same command goes on where it stopped.
    """
    from samelight.lab.evaluation.predict import model_entries
    from samelight.lab.evaluation.protocols import find_protocol
    from samelight.lab.evaluation.run import default_run, open_pairs, predict_run, score_run

    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_entries(model, gate=options.gate, ablate_background=ablate_background)
    entries = [*_baseline_entries(baselines), *models]
    run = out or default_run(model, pairs, listing, chosen, models[0].sha256 or "")
    predict_run(run, pairs, listing, entries, chosen, follow)
    _show(score_run(run, pairs, listing, chosen, follow), models[0].name)
    remark(f"predictions, scores.csv and results.json are in {run}")


@app.command()
@edit_options(["gate"])
def predict(
    model: Model,
    pairs: Pairs,
    out: Annotated[Path, typer.Option(help="Folder for the predictions; an old run goes on.")],
    split: Split = None,
    protocol: PredictionProtocol = "samelight",
    baselines: Baselines = "none",
    ablate_background: AblateBackground = False,
    *,
    options: EditOptions,
) -> None:
    """Write a model's output for every composite of a data set.

    The first half of `evaluate`.
    """
    from samelight.lab.evaluation.predict import model_entries
    from samelight.lab.evaluation.protocols import find_protocol
    from samelight.lab.evaluation.run import open_pairs, predict_run

    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_entries(model, gate=options.gate, ablate_background=ablate_background)
    entries = [*_baseline_entries(baselines), *models]
    predict_run(out, pairs, listing, entries, chosen, follow)
    tell(out)


@app.command()
def score(
    run: Annotated[
        Path,
        typer.Argument(help="Folder of a run; yours: RUN/predictions/<method>/<name>.png."),
    ],
    pairs: Pairs,
    split: Split = None,
    protocol: Annotated[
        Protocol | None,
        typer.Option(help="By default the one the predictions were made under."),
    ] = None,
) -> None:
    """Score predictions on disk, of any program.

    The second half of `evaluate`; no model is needed.
    """
    from samelight.lab.evaluation.run import open_pairs, score_run
    from samelight.lab.evaluation.score import choose_protocol, find_entries

    chosen, entries = choose_protocol(run, protocol), find_entries(run)
    listing = open_pairs(pairs, split)
    _show(score_run(run, pairs, listing, chosen, follow), list(entries)[-1])
    remark(f"scores.csv and results.json are in {run}")


@results.command()
def published(
    dataset: Annotated[str, typer.Option(help="iHarmony4 or ccHarmony.")] = "iHarmony4",
    part: Annotated[
        str, typer.Option(help='All, a sub-dataset, or a bin such as "0-5 %".')
    ] = "All",
    size: Annotated[
        str | None, typer.Option(help="256, 1024, 2048 or own. By default all.")
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(help="A run or results.json to put below, for comparison."),
    ] = None,
) -> None:
    """Print what others published, with sources.

    Figures of unlike protocols do not compare.
    """
    from samelight.lab.evaluation.published import (
        COLUMNS,
        list_published,
        list_sources,
        published_rows,
    )
    from samelight.lab.evaluation.results import read_results

    rows = list_published(dataset, part, size)
    own = read_results(beside) if beside is not None else None
    tell_table(COLUMNS, published_rows(rows, own, part), words=len(COLUMNS))
    tell("")
    sources = list_sources()
    used = [sources[name] for name in dict.fromkeys(row.source for row in rows)]
    header = ("source", "title", "address", "protocol")
    cells = [(s.source, s.title, s.address, s.protocol or "not known") for s in used]
    tell_table(header, cells, words=len(header))


@results.command()
def table(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a results.json.")],
    by: Annotated[
        Literal["total", "group", "bin"],
        typer.Option(help="A row per entry, or per part of one entry."),
    ] = "total",
    entry: Annotated[
        str | None, typer.Option(help="For group and bin. By default the last of the run.")
    ] = None,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Add 95 % confidence intervals.")
    ] = False,
) -> None:
    """Print a run's results as a Markdown table."""
    from samelight.lab.evaluation.report import results_table
    from samelight.lab.evaluation.results import read_results

    tell(results_table(read_results(run), by, entry, intervals=intervals))


def _baseline_entries(listed: str) -> list["Entry"]:
    from samelight.lab.evaluation.baselines import BASELINES
    from samelight.lab.evaluation.predict import baseline_entries

    if listed in ("all", "none"):
        return baseline_entries(list(BASELINES) if listed == "all" else [])
    names = [name.strip() for name in listed.split(",")]
    if not all(names):
        raise UsageError(f"--baselines {listed!r} has an empty name: separate names by one comma")
    return baseline_entries(names)


def _show(concluded: "Results", entry: str) -> None:
    from samelight.lab.evaluation.report import COLUMNS, entries_rows, parts_rows

    tell_table(("entry", *COLUMNS), entries_rows(concluded))
    (own,) = (one for one in concluded.entries if one.name == entry)
    for what, parts in (("group", own.groups), ("foreground", own.bins)):
        tell("")
        tell_table((what, "images", *COLUMNS), parts_rows(parts))

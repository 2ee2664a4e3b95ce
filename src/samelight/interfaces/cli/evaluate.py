"""The commands around scores: evaluate, predict, score, results.

All of them need the lab's half of the package, but not torch; it is imported in their bodies.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from samelight.errors import UsageError
from samelight.interfaces.cli.console import follow, results_console
from samelight.interfaces.cli.terminal import (
    Commands,
    Parser,
    add_command,
    add_commands,
    remark,
    tell,
)
from samelight.io.files import require_writable_file

if TYPE_CHECKING:
    from samelight.lab.evaluation.results import Results

MODEL = "A name from `samelight methods`, or an .onnx file."


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    _add_scoring(commands)
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
    _add_entries(parser)
    parser = add_command(commands, predict)
    parser.add_argument("model", help=MODEL)
    _add_pairs(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="Folder for the predictions; an old run goes on.",
    )
    _add_entries(parser)
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


def _add_entries(parser: Parser) -> None:
    parser.add_argument(
        "--protocol",
        default="samelight",
        help="%(default)s, the default, or a dialect: dovenet, idih, pctnet, harmonizer.",
    )
    parser.add_argument(
        "--baselines",
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
    add("--entry", help="For group and bin; default the last of the run.")
    add("--intervals", action="store_true", help="Add 95 %% confidence intervals.")


def evaluate(
    model: str,
    pairs: Path,
    split: str | None,
    output: Path | None,
    out: Path | None,
    protocol: str,
    baselines: str,
    ablate_background: bool,
) -> None:
    """Score a model beside classical baselines: `predict`, then `score`.

    Interrupt at will: the same command goes on where it stopped.
    """
    from samelight.lab.evaluation.predict import baseline_entries, model_entries
    from samelight.lab.evaluation.protocols import find_protocol
    from samelight.lab.evaluation.run import default_run, open_pairs, predict_run, score_run
    from samelight.lab.evaluation.score import SCORES

    if output is not None:
        require_writable_file(output)
    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_entries(model, ablate_background=ablate_background)
    entries = [*baseline_entries(_baseline_names(baselines)), *models]
    run = out or default_run(model, pairs, listing, chosen, models[0].sha256 or "")
    predict_run(run, pairs, listing, entries, chosen, follow)
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
    baselines: str,
    ablate_background: bool,
) -> None:
    """Write a model's output for every composite of a data set: the first half of `evaluate`."""
    from samelight.lab.evaluation.predict import baseline_entries, model_entries
    from samelight.lab.evaluation.protocols import find_protocol
    from samelight.lab.evaluation.run import open_pairs, predict_run

    chosen, listing = find_protocol(protocol), open_pairs(pairs, split)
    models = model_entries(model, ablate_background=ablate_background)
    entries = [*baseline_entries(_baseline_names(baselines)), *models]
    predict_run(out, pairs, listing, entries, chosen, follow)
    tell(out)


def score(run: Path, pairs: Path, split: str | None, protocol: str | None) -> None:
    """Score predictions on disk, of any program: the second half of `evaluate`; no model needed."""
    from samelight.lab.evaluation.run import open_pairs, score_run
    from samelight.lab.evaluation.score import choose_protocol, find_entries

    chosen, entries = choose_protocol(run, protocol), find_entries(run)
    listing = open_pairs(pairs, split)
    _show(score_run(run, pairs, listing, chosen, follow), list(entries)[-1])
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


def table(run: Path, by: str, entry: str | None, intervals: bool) -> None:
    """Print a run's results as a Markdown table."""
    from samelight.lab.evaluation.report import results_table
    from samelight.lab.evaluation.results import read_results

    tell(results_table(read_results(run), by, entry, intervals=intervals))


def _baseline_names(listed: str) -> list[str]:
    from samelight.lab.evaluation.baselines import BASELINES

    if listed in ("all", "none"):
        return list(BASELINES) if listed == "all" else []
    names = [name.strip() for name in listed.split(",")]
    if not all(names):
        raise UsageError(f"--baselines {listed!r} has an empty name: separate names by one comma")
    return names


def _show(concluded: "Results", entry: str) -> None:
    from samelight.lab.evaluation.report import COLUMNS, entries_rows, parts_rows, terminal_table

    console = results_console()
    console.print(terminal_table(("entry", *COLUMNS), entries_rows(concluded)))
    (own,) = (one for one in concluded.entries if one.name == entry)
    for what, parts in (("group", own.groups), ("foreground", own.bins)):
        console.print()
        console.print(terminal_table((what, "images", *COLUMNS), parts_rows(parts)))

"""From finished runs to a model file: how it is used, and how far it is to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from samelight.errors import UsageError
from samelight.harmonizer import Harmonizer
from samelight.lab.calibrate import Measured, find_gate, fit_error_maps, measure_folder
from samelight.lab.contract import CorrectionNetwork
from samelight.lab.export import Exported, export_network
from samelight.lab.inference import require_use
from samelight.lab.training.trained import Trained, load_runs
from samelight.models.spec import Gate, View


@dataclass(frozen=True, kw_only=True)
class ReleaseOptions:
    """What can be chosen when runs become a model file."""

    views: tuple[View, ...] | None = None
    """What it looks at in use; None = as its configuration says."""
    gate: Gate | None = None
    """None = found by calibration, or as its configuration says."""
    calibrate: tuple[Path, ...] = ()
    """Folders of composites with known answers, in iHarmony4's layout."""


class Released(NamedTuple):
    """A model file, and what calibration found."""

    exported: Exported
    gate: Gate | None
    before: tuple[Measured, ...]
    """Of each folder, as the network was; none without calibration."""
    after: tuple[Measured, ...]
    """The same with what it expects now."""


def release(runs: Sequence[Path], target: Path, options: ReleaseOptions) -> Released:
    """Write the network of a run, or the mean of several, as an ONNX file.

    Args:
        runs: folders of `samelight train`.
        target: where to write.
        options: what is chosen.

    Raises:
        SamelightError: when a run is not finished, the runs are not alike, or an option is not for
            their network.
    """
    trained = load_runs(runs)
    use = replace(trained.use, views=options.views or trained.use.views)
    require_use(trained.network, use)
    trained = trained._replace(use=use)
    estimates = isinstance(trained.network, CorrectionNetwork)
    if not estimates and (options.gate or options.calibrate):
        option = "--gate" if options.gate else "--calibrate"
        raise UsageError(f"{option} is for networks that estimate errors: leave it out")
    before = tuple(_measured(trained, options.calibrate)) if options.calibrate else ()
    after, gate = before, options.gate or use.gate
    if before:
        maps = fit_error_maps(before)
        assert isinstance(trained.network, CorrectionNetwork)
        trained.network.calibrate(maps)
        after = tuple(folder.mapped(maps) for folder in before)
        gate = options.gate or find_gate(after)
    use = replace(use, gate=gate)
    exported = _exported(trained._replace(use=use), target)
    return Released(exported, gate, before, after)


def parse_views(text: str) -> tuple[View, ...]:
    """Read views as the command line has them: "512,256,256-flip".

    Raises:
        UsageError: saying what is wanted.
    """
    views = []
    for word in text.split(","):
        size, _, more = word.strip().partition("-")
        if not size.isdecimal() or more not in ("", "flip"):
            raise UsageError(f"--views is {text!r}: wanted sides such as 512,256,256-flip")
        views.append(View(size_px=int(size), flip=bool(more)))
    return tuple(views)


def _measured(trained: Trained, folders: Sequence[Path]) -> list[Measured]:
    """What the network says of composites, asked through a file, as in use."""
    with TemporaryDirectory() as folder:
        harmonizer = Harmonizer(_exported(trained, Path(folder) / "uncalibrated.onnx").path)
        return [measure_folder(harmonizer, pairs) for pairs in folders]


def _exported(trained: Trained, path: Path) -> Exported:
    return export_network(
        trained.network, trained.use, trained.method, path, trainings=trained.trainings
    )

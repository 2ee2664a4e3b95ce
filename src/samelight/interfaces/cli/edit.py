"""`samelight harmonize` and `samelight apply`: a face of `samelight.edit.edit`."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from samelight.interfaces.cli.terminal import Commands, Parser, add_command, remark, tell

if TYPE_CHECKING:
    from samelight.correction.field import Correction
    from samelight.edit import EditResult
    from samelight.io.photo import Photo

_NETWORK_OPTIONS = ("model", "gate", "provider", "threads")
"""Options that only matter where a network is asked."""


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    parser = add_command(commands, harmonize)
    parser.add_argument(
        "photo", metavar="composite", type=Path, help="Photo with the pasted object."
    )
    _add_files(parser)
    _add_options(parser, leave_out=())
    parser.add_argument(
        "--save-correction",
        metavar="FILE",
        type=Path,
        help="Also write what was done, for `samelight apply`.",
    )
    parser = add_command(commands, apply)
    parser.add_argument("correction", type=Path, help="What --save-correction wrote.")
    parser.add_argument("photo", type=Path, help="Photo to correct; any size.")
    _add_files(parser)
    _add_options(parser, leave_out=_NETWORK_OPTIONS)


def _add_files(parser: Parser) -> None:
    add = parser.add_argument
    add(
        *("--mask", "-m"),
        type=Path,
        required=True,
        help="Where the object is: white on black, or a transparent cut-out.",
    )
    add(
        *("--output", "-o"),
        type=Path,
        required=True,
        help="Where to write; the ending decides the format.",
    )
    add("--side-by-side", metavar="FILE", type=Path, help="Also write before, after and mask here.")
    add("--cube", metavar="FILE", type=Path, help="Also write the correction as one 3-D LUT here.")
    add("--explain", action="store_true", help="Print what was changed, as JSON.")


def _add_options(parser: Parser, leave_out: tuple[str, ...]) -> None:
    """Add the fields of `EditOptions`."""
    from samelight.edit import EditOptions

    for option in fields(EditOptions):
        if option.name in leave_out:
            continue
        name = "--" + option.name.replace("_", "-")
        said: dict[str, Any] = {"help": option.metadata["help"]}
        if option.default is not MISSING and option.default not in (None, False):
            said["help"] += f" Default {option.default}."
        if option.type is bool:
            parser.add_argument(name, action="store_true", **said)
        elif get_origin(option.type) is Literal:
            parser.add_argument(name, choices=get_args(option.type), default=option.default, **said)
        else:
            kind = option.type if option.type in (str, int, float) else int
            parser.add_argument(name, type=kind, default=option.default, **said)


def harmonize(
    photo: Path,
    mask: Path,
    output: Path,
    save_correction: Path | None,
    side_by_side: Path | None,
    cube: Path | None,
    explain: bool,
    **options: Any,  # noqa: ANN401 - the fields of EditOptions
) -> None:
    """Recolour the pasted object so that it looks photographed with its background.

    Pixels outside the mask keep their values; size, bit depth, EXIF and colour profile stay.
    """
    outputs = {"": output, "saved": save_correction, "cube": cube, "sheet": side_by_side}
    _edit(photo, mask, outputs, options, None, explain=explain)


def apply(
    correction: Path,
    photo: Path,
    mask: Path,
    output: Path,
    side_by_side: Path | None,
    cube: Path | None,
    explain: bool,
    **options: Any,  # noqa: ANN401 - the fields of EditOptions
) -> None:
    """Apply a saved correction to a photo, without running a network."""
    from samelight.correction.field import Correction

    loaded = Correction.load(correction)
    outputs = {"": output, "saved": None, "cube": cube, "sheet": side_by_side}
    _edit(photo, mask, outputs, options, loaded, explain=explain)


def _edit(
    photo: Path,
    mask: Path,
    outputs: Mapping[str, Path | None],
    options: Mapping[str, Any],
    correction: "Correction | None",
    *,
    explain: bool,
) -> None:
    """Read, edit, write, and say what was written."""
    from samelight.edit import EditOptions, edit
    from samelight.io.files import require_writable_file, write_whole
    from samelight.io.photo import read_photo, require_writable_photo, write_photo
    from samelight.mask.mask import Mask

    chosen = EditOptions(**options)
    for name, place in outputs.items():
        if place is not None:
            (require_writable_photo if name in ("", "sheet") else require_writable_file)(place)
    before = read_photo(photo)
    sheet = outputs["sheet"]
    result = edit(before, Mask.of(mask), chosen, correction=correction, in_place=sheet is None)
    for note in result.notes:
        remark(note.text)
    report: dict[str, Any] = {}
    if outputs["cube"] is not None:
        report["cube"] = _write_cube(outputs["cube"], result)
    if explain:
        report |= _explained(result)
    if outputs["saved"] is not None and result.prediction is not None:
        write_whole(outputs["saved"], result.prediction.correction.save)
    assert outputs[""] is not None
    write_photo(outputs[""], result.photo)
    if sheet is not None:
        _write_sheet(sheet, before, result)
    files = [str(path) for path in outputs.values() if path is not None]
    tell(json.dumps({"files": files, **report}, indent=2) if explain else "\n".join(files))


def _write_sheet(path: Path, before: "Photo", result: "EditResult") -> None:
    from samelight.io.photo import write_photo
    from samelight.io.sheet import side_by_side

    write_photo(path, side_by_side(before, result.photo, result.mask.coverage))


def _explained(result: "EditResult") -> dict[str, Any]:
    """What was changed, in words and numbers."""
    from samelight.correction.describe import explain_correction

    report = explain_correction(result.correction, result.composite, result.small_mask)
    if result.prediction is not None:
        seen = result.prediction
        fit = seen.correction.fit_error(seen.composite, seen.harmonized, seen.mask)
        report["fit_psnr_db"] = round(min(fit.psnr_db, 99.0), 2)
    if result.error_estimate is not None:
        estimate = result.error_estimate
        report["expected_error_255"] = {
            "composite": round(estimate.composite, 1),
            "corrected": round(estimate.corrected, 1),
        }
        report["applied_percent"] = round(100 * result.applied, 1)
    return report


def _write_cube(path: Path, result: "EditResult") -> dict[str, float]:
    """Write the LUT and say on stderr how far it is from the local correction."""
    from samelight.color.lut import write_cube
    from samelight.correction.convert import global_lut, lut_error
    from samelight.io.files import write_whole

    seen = result.composite, result.small_mask
    table = global_lut(result.correction, *seen)
    write_whole(path, lambda partial: write_cube(partial, table, f"samelight {path.stem}"))
    error = lut_error(result.correction, table, *seen)
    remark(
        f"{path}: one LUT for the whole object is {error.psnr_db:.1f} dB from the local "
        f"correction, at most {255 * error.largest:.0f}/255"
    )
    return {
        "psnr_db": round(min(error.psnr_db, 99.0), 2),
        "largest_255": round(255 * error.largest, 1),
    }

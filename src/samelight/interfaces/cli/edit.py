"""`samelight harmonize` and `samelight apply`: a face of `samelight.edit.edit`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samelight.interfaces.cli.console import remark, tell
from samelight.interfaces.cli.options import ALL, edit_options
from samelight.interfaces.cli.outputs import Outputs, default_output, require_outputs
from samelight.limits import MAX_MEGAPIXELS
from samelight.options import EditOptions

if TYPE_CHECKING:
    from samelight.correction.field import Correction
    from samelight.edit import EditResult
    from samelight.io.photo import Photo
    from samelight.mask.mask import Mask

app = typer.Typer()

MaskFile = Annotated[
    Path,
    typer.Option(
        "--mask", "-m", help="Where the object is: white on black, or a transparent cut-out."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Where to write; the ending decides the format. By default PHOTO.harmonized.png "
        "beside the photo.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Write over the file that has the default name.")
]
Sheet = Annotated[
    Path | None,
    typer.Option("--side-by-side", metavar="FILE", help="Also write before, after and mask here."),
]
Cube = Annotated[
    Path | None,
    typer.Option("--cube", metavar="FILE", help="Also write the correction as one 3-D LUT here."),
]
Page = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Which of several pictures in a TIFF or WebP; the first, with a word, if not said.",
    ),
]
MaxMegapixels = Annotated[
    float, typer.Option(help="Larger pictures are refused before they are decoded.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Print what was changed, as JSON.")]


@app.command()
@edit_options()
def harmonize(
    photo: Annotated[
        Path, typer.Argument(metavar="composite", help="Photo with the pasted object.")
    ],
    mask: MaskFile,
    output: Output = None,
    force: Force = False,
    save_correction: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write what was done, for `samelight apply`."),
    ] = None,
    cube: Cube = None,
    side_by_side: Sheet = None,
    explain: Explain = False,
    page: Page = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    *,
    options: EditOptions,
) -> None:
    """Recolour a pasted object in the light of its background.

    Pixels outside the mask keep their values; size, bit depth, EXIF and colour profile stay.
    """
    place = output or default_output(photo, force=force)
    outputs = Outputs(place, save_correction, cube, side_by_side)
    require_outputs(outputs, {"composite": photo, "mask": mask, "model": Path(options.model)})
    before, foreground = _read(photo, mask, page, max_megapixels)
    _edit(before, foreground, outputs, options, explain=explain)


@app.command()
@edit_options([name for name in ALL if name not in ("model", "gate", "provider", "threads")])
def apply(
    correction: Annotated[Path, typer.Argument(help="What --save-correction wrote.")],
    photo: Annotated[Path, typer.Argument(help="Photo to correct; any size.")],
    mask: MaskFile,
    output: Output = None,
    force: Force = False,
    cube: Cube = None,
    side_by_side: Sheet = None,
    explain: Explain = False,
    page: Page = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    *,
    options: EditOptions,
) -> None:
    """Apply a saved correction to a photo, without running a network."""
    from samelight.correction.field import Correction

    place = output or default_output(photo, force=force)
    outputs = Outputs(place, cube=cube, sheet=side_by_side)
    require_outputs(outputs, {"photo": photo, "mask": mask, "correction": correction})
    before, foreground = _read(photo, mask, page, max_megapixels)
    _edit(before, foreground, outputs, options, Correction.load(correction), explain=explain)


def _read(photo: Path, mask: Path, page: int | None, max_megapixels: float) -> "tuple[Photo, Mask]":
    from samelight.io.photo import read_photo
    from samelight.mask.mask import Mask

    before = read_photo(photo, page=page, max_megapixels=max_megapixels)
    return before, Mask.of(mask, max_megapixels=max_megapixels)


def _edit(
    before: "Photo",
    mask: "Mask",
    outputs: Outputs,
    options: EditOptions,
    correction: "Correction | None" = None,
    *,
    explain: bool,
) -> None:
    """Edit, write, and say what was written."""
    from samelight.edit import edit
    from samelight.io.files import write_whole
    from samelight.io.photo import write_photo

    in_place = outputs.sheet is None
    result = edit(before, mask, options, correction=correction, in_place=in_place)
    for note in result.notes:
        remark(note.text)
    report = _explained(result, options.strength) if explain else {}
    if outputs.cube is not None:
        report["cube"] = _write_cube(outputs.cube, result)
    if outputs.correction is not None and result.prediction is not None:
        write_whole(outputs.correction, result.prediction.correction.save)
    for note in write_photo(outputs.photo, result.photo):
        remark(note.text)
    if outputs.sheet is not None:
        _write_sheet(outputs.sheet, before, result)
    files = [str(path) for path in outputs if path is not None]
    tell(json.dumps({"files": files, **report}, indent=2) if explain else "\n".join(files))


def _explained(result: "EditResult", strength: float) -> dict[str, Any]:
    """What was changed, in words and numbers."""
    from samelight.correction.describe import explain_correction

    report = explain_correction(result.correction, result.composite, result.small_mask)
    if result.prediction is not None:
        seen = result.prediction
        fit = seen.correction.fit_error(seen.composite, seen.harmonized, seen.mask)
        report["fit_psnr_db"] = round(min(fit.psnr_db, 99.0), 2)
    # Where nothing is done it does not matter how wrong the correction may be.
    if result.error_estimate is not None and strength > 0:
        estimate = result.error_estimate
        report["expected_error_255"] = {
            "composite": round(estimate.composite, 1),
            "corrected": round(estimate.corrected, 1),
        }
        report["applied_percent"] = round(100 * result.applied, 1)
    return report


def _write_sheet(path: Path, before: "Photo", result: "EditResult") -> None:
    from samelight.io.photo import write_photo
    from samelight.io.sheet import side_by_side

    write_photo(path, side_by_side(before, result.photo, result.mask.coverage))


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

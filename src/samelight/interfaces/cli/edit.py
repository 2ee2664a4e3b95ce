"""`samelight harmonize` and `samelight apply`: a photo and a mask in, the photo recoloured out.

Kept apart from the other commands so that a single photo does not wait for their imports.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samelight.interfaces.cli.terminal import Commands, Parser, add_command, remark, tell

if TYPE_CHECKING:
    from samelight.correction.field import Correction
    from samelight.harmonizer import Prediction
    from samelight.io.photo import Photo
    from samelight.types import Coverage


_WORTH_SAYING = 0.5
"""Below this share of its correction the network has held back so much that one should know."""


def register(commands: Commands) -> None:
    """Add these commands to the command line."""
    parser = add_command(commands, harmonize)
    parser.add_argument(
        "photo", metavar="composite", type=Path, help="Photo with the pasted object."
    )
    _add_edit(parser)
    parser.add_argument("--model", help="A name from `samelight methods`, or an .onnx file.")
    parser.add_argument(
        "--bold",
        action="store_true",
        help="Correct in full, also where the network doubts that much is wrong.",
    )
    parser.add_argument(
        "--save-correction",
        metavar="FILE",
        type=Path,
        help="Also write what was done, for `samelight apply`.",
    )
    parser = add_command(commands, apply)
    parser.add_argument("correction", type=Path, help="What --save-correction wrote.")
    parser.add_argument("photo", type=Path, help="Photo to correct; any size.")
    _add_edit(parser)


def _add_edit(parser: Parser) -> None:
    """Add what both commands take: the fields of `_Edit`."""
    add = parser.add_argument
    add(
        "--mask",
        type=Path,
        required=True,
        help="Where the object is: white on black, or a transparent cut-out.",
    )
    add(
        "--output",
        type=Path,
        required=True,
        help="Where to write; the ending decides the format.",
    )
    add(
        "--strength",
        type=float,
        default=1.0,
        help="0 = nothing, 1 = the whole correction, up to 1.5; default 1.",
    )
    add("--fit-mask", action="store_true", help="Resize a mask of another size to the photo.")
    add("--erode", type=int, default=0, help="Pull the mask's edge in by this many pixels.")
    add("--feather", type=float, default=0.0, help="Fade in over this many pixels inside the edge.")
    add(
        "--despill",
        action="store_true",
        help="Rid the rim of its old background's colour [matting extra].",
    )
    add("--side-by-side", metavar="FILE", type=Path, help="Also write before, after and mask here.")
    add(
        "--cube",
        metavar="FILE",
        type=Path,
        help="Also write the correction as one 3-D LUT (.cube) here.",
    )
    add(
        "--explain",
        action="store_true",
        help="Print what was changed, in words and numbers, as JSON.",
    )


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """What both commands take.

    Attributes:
        photo: the composite.
        mask: the mask.
        output: where the result goes.
        strength: 0 to 1.5.
        fit_mask: whether a mask of another size is resized.
        erode: pixels.
        feather: pixels.
        despill: whether the rim is mended.
        side_by_side: where a sheet goes, if anywhere.
        cube: where a LUT goes, if anywhere.
        explain: whether JSON replaces the list of files.
    """

    photo: Path
    mask: Path
    output: Path
    strength: float
    fit_mask: bool
    erode: int
    feather: float
    despill: bool
    side_by_side: Path | None
    cube: Path | None
    explain: bool


def harmonize(
    model: str | None,
    bold: bool,
    save_correction: Path | None,
    **edit: Any,  # noqa: ANN401
) -> None:
    """Recolour the pasted object so that it looks photographed with its background.

    Pixels outside the mask keep their values; size, bit depth, EXIF and colour profile stay.
    """
    asked = _Edit(**edit)
    before, coverage = _read(asked, save_correction)
    from samelight.harmonizer import Harmonizer

    predicted = Harmonizer(model, bold=bold).inspect(before.pixels, coverage, icc=before.icc)
    estimate = predicted.error_estimate
    if estimate is not None and estimate.share < _WORTH_SAYING:
        remark(
            f"the network doubts that much is wrong and does {100 * estimate.share:.0f} "
            "% of what it would: --bold does all of it"
        )
    if save_correction is not None:
        from samelight.io.files import write_whole

        write_whole(save_correction, predicted.correction.save)
    _finish(asked, before, coverage, predicted.correction, predicted, save_correction)


def apply(correction: Path, **edit: Any) -> None:  # noqa: ANN401
    """Apply a saved correction to a photo, without running a network."""
    from samelight.correction.field import Correction

    asked, loaded = _Edit(**edit), Correction.load(correction)
    before, coverage = _read(asked, None)
    _finish(asked, before, coverage, loaded, None, None)


def _read(edit: _Edit, save_correction: Path | None) -> "tuple[Photo, Coverage]":
    """Check where results go, then read the photo and its mask."""
    from samelight.io.files import require_writable_file
    from samelight.io.photo import read_photo, require_writable_photo
    from samelight.mask.edges import erode_mask, feather_mask
    from samelight.mask.mask import fit_mask, read_coverage, require_same_size
    from samelight.types import require_strength

    require_strength(edit.strength)
    for place in (edit.output, edit.side_by_side):
        if place is not None:
            require_writable_photo(place)
    for place in (edit.cube, save_correction):
        if place is not None:
            require_writable_file(place)
    before = read_photo(edit.photo)
    for note in before.notes:
        remark(note)
    coverage = read_coverage(edit.mask)
    shape = before.pixels.shape[:2]
    if edit.fit_mask:
        coverage = fit_mask(coverage, shape)
    require_same_size(coverage, shape)
    coverage = feather_mask(erode_mask(coverage, edit.erode), edit.feather)
    if not coverage.any():
        remark(f"{edit.mask} is empty (black): nothing was changed")
    if edit.despill:
        from samelight.mask.despill import despill

        before = replace(before, pixels=despill(before.pixels, coverage))
    return before, coverage


def _finish(
    edit: _Edit,
    before: "Photo",
    coverage: "Coverage",
    correction: "Correction",
    predicted: "Prediction | None",
    saved: Path | None,
) -> None:
    """Render, write, and say what was written."""
    from samelight.io.photo import write_photo
    from samelight.render.apply import render

    correction = _in_space_of(before, correction).with_strength(edit.strength)
    report = _report(edit, before, coverage, correction, predicted)
    if edit.side_by_side is None:
        pixels = render(before.pixels, coverage, correction, in_place=True)
    else:
        pixels = render(before.pixels, coverage, correction)
    after = replace(before, pixels=pixels)
    write_photo(edit.output, after)
    if edit.side_by_side is not None:
        from samelight.io.sheet import side_by_side

        write_photo(edit.side_by_side, side_by_side(before, after, coverage))
    written = [edit.output, saved, edit.cube, edit.side_by_side]
    files = [str(path) for path in written if path is not None]
    tell(json.dumps({"files": files, **report}, indent=2) if edit.explain else "\n".join(files))


def _in_space_of(photo: "Photo", correction: "Correction") -> "Correction":
    """Bring a correction made for another colour profile to the photo's own."""
    if correction.icc == photo.icc:
        return correction
    from samelight.color.profile import usable_profile
    from samelight.correction.convert import convert_correction

    return convert_correction(correction, usable_profile(photo.icc))


def _report(
    edit: _Edit,
    before: "Photo",
    coverage: "Coverage",
    correction: "Correction",
    predicted: "Prediction | None",
) -> dict[str, Any]:
    """Write the LUT and explain the change, as far as asked for; both look at a small picture."""
    if edit.cube is None and not edit.explain:
        return {}
    from samelight.harmonizer import small_pair

    small = predicted or small_pair(before.pixels, coverage)
    report: dict[str, Any] = {}
    if edit.cube is not None:
        report["cube"] = _write_cube(edit.cube, correction, small)
    if edit.explain:
        from samelight.correction.describe import explain_correction

        report |= explain_correction(correction, small.composite, small.mask)
        if predicted is not None:
            seen = predicted.composite, predicted.harmonized, predicted.mask
            fit = predicted.correction.fit_error(*seen)
            report["fit_psnr_db"] = round(min(fit.psnr_db, 99.0), 2)
            if predicted.error_estimate is not None:
                left_alone, corrected, share = predicted.error_estimate
                report["expected_error_255"] = {
                    "left_alone": round(left_alone, 1),
                    "corrected": round(corrected, 1),
                }
                report["share_percent"] = round(100 * share, 1)
    return report


def _write_cube(path: Path, correction: "Correction", small: "Prediction") -> dict[str, float]:
    """Write the LUT and say on stderr how far it is from the local correction."""
    from samelight.color.lut import write_cube
    from samelight.correction.convert import global_lut, lut_error
    from samelight.io.files import write_whole

    table = global_lut(correction, small.composite, small.mask)
    write_whole(path, lambda partial: write_cube(partial, table, f"samelight {path.stem}"))
    error = lut_error(correction, table, small.composite, small.mask)
    remark(
        f"{path}: one LUT for the whole object is {error.psnr_db:.1f} dB from the local "
        f"correction, at most {255 * error.largest:.0f}/255"
    )
    return {
        "psnr_db": round(min(error.psnr_db, 99.0), 2),
        "largest_255": round(255 * error.largest, 1),
    }

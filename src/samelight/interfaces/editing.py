"""`samelight harmonize` and `samelight apply`: a photo and a mask in, the photo recoloured out.

Kept apart from the other commands so that a single photo does not wait for their imports.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from samelight.correction import Correction
    from samelight.harmonizer import Prediction
    from samelight.io.photo import Photo
    from samelight.types import Coverage

_Composite = Annotated[Path, typer.Argument(help="Photo with the pasted object.")]
_Mask = Annotated[
    Path, typer.Option(help="Where the object is: white on black, or a transparent cut-out.")
]
_Output = Annotated[Path, typer.Option(help="Where to write; the ending decides the format.")]
_Strength = Annotated[float, typer.Option(help="0 = nothing, 1 = the whole correction, up to 1.5.")]
_FitMask = Annotated[
    bool, typer.Option("--fit-mask", help="Resize a mask of another size to the photo.")
]
_Shrink = Annotated[int, typer.Option(help="Pull the mask's edge in by this many pixels.")]
_Feather = Annotated[float, typer.Option(help="Fade in over this many pixels inside the edge.")]
_Despill = Annotated[
    bool,
    typer.Option("--despill", help="Rid the rim of its old background's colour [matting extra]."),
]
_SideBySide = Annotated[
    Path | None, typer.Option("--side-by-side", help="Also write before, after and mask here.")
]
_Cube = Annotated[
    Path | None, typer.Option(help="Also write the correction as one 3-D LUT (.cube) here.")
]
_Explain = Annotated[
    bool, typer.Option("--explain", help="Print what was changed, in words and numbers, as JSON.")
]


def photo_app() -> typer.Typer:
    """Make a command line of these two commands alone."""
    app = typer.Typer(
        name="samelight",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.command()(harmonize)
    app.command()(apply)
    return app


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """What both commands take.

    Attributes:
        composite: the photo.
        mask: the mask.
        output: where the result goes.
        strength: 0 to 1.5.
        fit_mask: whether a mask of another size is resized.
        shrink: pixels.
        feather: pixels.
        despill: whether the rim is mended.
        side_by_side: where a sheet goes, if anywhere.
        cube: where a LUT goes, if anywhere.
        explain: whether JSON replaces the list of files.
    """

    composite: Path
    mask: Path
    output: Path
    strength: float
    fit_mask: bool
    shrink: int
    feather: float
    despill: bool
    side_by_side: Path | None
    cube: Path | None
    explain: bool


def harmonize(
    composite: _Composite,
    mask: _Mask,
    output: _Output,
    model: Annotated[
        str | None, typer.Option(help="A name from `samelight methods`, or an .onnx file.")
    ] = None,
    strength: _Strength = 1.0,
    fit_mask_to_photo: _FitMask = False,
    shrink: _Shrink = 0,
    feather: _Feather = 0.0,
    despill: _Despill = False,
    save_correction: Annotated[
        Path | None, typer.Option(help="Also write what was done, for `samelight apply`.")
    ] = None,
    cube: _Cube = None,
    explain: _Explain = False,
    side_by_side_file: _SideBySide = None,
) -> None:
    """Recolour the pasted object so that it looks photographed with its background.

    Pixels outside the mask keep their values; size, bit depth, EXIF and colour profile stay.
    """
    edit = _Edit(
        composite=composite,
        mask=mask,
        output=output,
        strength=strength,
        fit_mask=fit_mask_to_photo,
        shrink=shrink,
        feather=feather,
        despill=despill,
        side_by_side=side_by_side_file,
        cube=cube,
        explain=explain,
    )
    before, coverage = _read(edit, save_correction)
    from samelight.harmonizer import Harmonizer

    predicted = Harmonizer(model).inspect(before.pixels, coverage, icc=before.icc)
    if save_correction is not None:
        from samelight.io.files import write_whole

        write_whole(save_correction, predicted.correction.save)
    _finish(edit, before, coverage, predicted.correction, predicted, save_correction)


def apply(
    correction: Annotated[Path, typer.Argument(help="What --save-correction wrote.")],
    photo: Annotated[Path, typer.Argument(help="Photo to correct; any size.")],
    mask: _Mask,
    output: _Output,
    strength: _Strength = 1.0,
    fit_mask_to_photo: _FitMask = False,
    shrink: _Shrink = 0,
    feather: _Feather = 0.0,
    despill: _Despill = False,
    cube: _Cube = None,
    explain: _Explain = False,
    side_by_side_file: _SideBySide = None,
) -> None:
    """Apply a saved correction to a photo, without running a network."""
    from samelight.correction import Correction

    edit = _Edit(
        composite=photo,
        mask=mask,
        output=output,
        strength=strength,
        fit_mask=fit_mask_to_photo,
        shrink=shrink,
        feather=feather,
        despill=despill,
        side_by_side=side_by_side_file,
        cube=cube,
        explain=explain,
    )
    loaded = Correction.load(correction)
    before, coverage = _read(edit, None)
    _finish(edit, before, coverage, loaded, None, None)


def _read(edit: _Edit, save_correction: Path | None) -> "tuple[Photo, Coverage]":
    """Check where results go, then read the photo and its mask."""
    from samelight.correction import require_strength
    from samelight.edges import feather_mask, shrink_mask
    from samelight.io.files import require_writable_file
    from samelight.io.mask import fit_mask, read_coverage, require_same_size
    from samelight.io.photo import read_photo, require_writable_photo

    require_strength(edit.strength)
    for place in (edit.output, edit.side_by_side):
        if place is not None:
            require_writable_photo(place)
    for place in (edit.cube, save_correction):
        if place is not None:
            require_writable_file(place)
    before = read_photo(edit.composite)
    for note in before.notes:
        typer.echo(note, err=True)
    coverage = read_coverage(edit.mask)
    shape = before.pixels.shape[:2]
    if edit.fit_mask:
        coverage = fit_mask(coverage, shape)
    require_same_size(coverage, shape)
    coverage = feather_mask(shrink_mask(coverage, edit.shrink), edit.feather)
    if not coverage.any():
        typer.echo(f"{edit.mask} is empty (black): nothing was changed", err=True)
    if edit.despill:
        from samelight.matting import despill

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
    from samelight.render import render

    correction = _in_space_of(before, correction).with_strength(edit.strength)
    report = _report(edit, before, coverage, correction, predicted)
    if edit.side_by_side is None:
        pixels = render(before.pixels, coverage, correction, in_place=True)
    else:
        pixels = render(before.pixels, coverage, correction)
    after = replace(before, pixels=pixels)
    write_photo(edit.output, after)
    if edit.side_by_side is not None:
        from samelight.sheet import side_by_side

        write_photo(edit.side_by_side, side_by_side(before, after, coverage))
    written = [edit.output, saved, edit.cube, edit.side_by_side]
    files = [str(path) for path in written if path is not None]
    typer.echo(
        json.dumps({"files": files, **report}, indent=2) if edit.explain else "\n".join(files)
    )


def _in_space_of(photo: "Photo", correction: "Correction") -> "Correction":
    """Bring a correction made for another colour profile to the photo's own."""
    if correction.icc == photo.icc:
        return correction
    from samelight.convert import convert_correction
    from samelight.io.profile import usable_profile

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
        from samelight.explain import explain_correction

        report |= explain_correction(correction, small.composite, small.mask)
        if predicted is not None:
            fit = predicted.correction.fit_error(*predicted[1:])
            report["fit_psnr_db"] = round(min(fit.psnr_db, 99.0), 2)
    return report


def _write_cube(path: Path, correction: "Correction", small: "Prediction") -> dict[str, float]:
    """Write the LUT and say on stderr how far it is from the local correction."""
    from samelight.cube import global_lut, lut_error, write_cube
    from samelight.io.files import write_whole

    table = global_lut(correction, small.composite, small.mask)
    write_whole(path, lambda partial: write_cube(partial, table, f"samelight {path.stem}"))
    error = lut_error(correction, table, small.composite, small.mask)
    typer.echo(
        f"{path}: one LUT for the whole object is {error.psnr_db:.1f} dB from the local "
        f"correction, at most {255 * error.largest:.0f}/255",
        err=True,
    )
    return {
        "psnr_db": round(min(error.psnr_db, 99.0), 2),
        "largest_255": round(255 * error.largest, 1),
    }

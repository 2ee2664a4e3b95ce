"""Colour profiles for files that describe their colours by numbers: cICP, nclx, gAMA and cHRM.

A profile of three primaries, a white and one curve (ICC.1:2022, three-component matrix-based).
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samelight.errors import PhotoError

XY = tuple[float, float]

# ITU-T H.273 (2023) table 2; red, green, blue, white.
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
_SMPTE_170M = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)
_PRIMARIES: dict[int, tuple[XY, XY, XY, XY]] = {
    1: _BT709,
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
# The same, table 3, turned round: Y = (a X + b) ** g from d on, c X below.
_ITU = (1 / 0.45, 1 / 1.099296826809442, 0.099296826809442 / 1.099296826809442, 1 / 4.5, 0.0812428)
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, tuple[float, ...]] = {
    1: _ITU,
    4: (2.2,),
    5: (2.8,),
    6: _ITU,
    7: (1 / 0.45, 1 / 1.1115721959217312, 0.1115721959217312 / 1.1115721959217312, 0.25, 0.0912862),
    8: (1.0,),
    13: _SRGB,
    14: _ITU,
    15: _ITU,
}
_UNSPECIFIED = 2
_HDR = {16: "PQ", 18: "HLG"}
_VERSION = 0x04300000
# The adaptation of ICC.1:2022 annex E, and the white that it adapts to.
_BRADFORD = np.array(
    [(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)]
)
_D50 = np.array((0.9642, 1.0, 0.8249))
# PNG writers round differently: what is nearer than this to sRGB's own numbers is sRGB.
_SRGB_GAMMA, _NEAR_GAMMA, _NEAR_XY = 0.45455, 0.005, 0.002
# Kinds of ICC's parametric curves by how many numbers they take.
_CURVE_KIND = {1: 0, 5: 3}


class Cicp(NamedTuple):
    """Coding-independent code points (ITU-T H.273), as PNG's cICP and AVIF's nclx hold them."""

    primaries: int
    transfer: int
    matrix: int
    full_range: int

    @property
    def hdr(self) -> str | None:
        """The name of its high-dynamic-range transfer function, if it has one."""
        return _HDR.get(self.transfer)

    @property
    def is_known(self) -> bool:
        """Whether a profile can say the same."""
        return self.primaries in {*_PRIMARIES, _UNSPECIFIED} and self.transfer in {
            *_CURVES,
            _UNSPECIFIED,
        }


def require_known(cicp: Cicp, path: str | Path) -> None:
    """Refuse colours that no profile can describe.

    Args:
        cicp: what a file says about its colours.
        path: the file.

    Raises:
        PhotoError: saying what they are.
    """
    if cicp.hdr is not None:
        raise PhotoError(
            f"{path} is of high dynamic range ({cicp.hdr}): export it as SDR, for instance in sRGB "
            "or Display P3"
        )
    if not cicp.is_known:
        raise PhotoError(
            f"{path} has colours of an unknown kind (primaries {cicp.primaries}, transfer "
            f"{cicp.transfer}): export it in sRGB or Display P3"
        )


def profile_of_cicp(cicp: Cicp) -> bytes | None:
    """Make the profile that code points describe.

    Args:
        cicp: known, and of standard dynamic range.

    Returns:
        An RGB profile; None for sRGB.
    """
    primaries = _PRIMARIES.get(cicp.primaries, _BT709)
    curve = _CURVES.get(cicp.transfer, _SRGB)
    if primaries is _BT709 and curve is _SRGB:
        return None
    return _matrix_profile(primaries, curve, f"CICP {cicp.primaries}/{cicp.transfer}")


def profile_of_gamma(gamma: float | None, chromaticities: Sequence[float] | None) -> bytes | None:
    """Make the profile that PNG's older chunks describe.

    Args:
        gamma: of gAMA, 0.45455 for an ordinary picture; None stands for sRGB's curve.
        chromaticities: of cHRM: white, red, green, blue, each x and y; None stands for sRGB's.

    Returns:
        An RGB profile; None if it is sRGB near enough, or the numbers make no colour space.
    """
    primaries = _BT709
    curve: tuple[float, ...] = _SRGB
    if chromaticities is not None:
        white, *rgb = [
            (x, y) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
        ]
        given = (rgb[0], rgb[1], rgb[2], white)
        if np.abs(np.subtract(given, _BT709)).max() > _NEAR_XY:
            primaries = given
    if gamma is not None and abs(gamma - _SRGB_GAMMA) > _NEAR_GAMMA:
        curve = (1 / gamma,) if gamma > 0 else _SRGB
    if primaries is _BT709 and curve is _SRGB:
        return None
    try:
        return _matrix_profile(primaries, curve, "PNG gamma and chromaticities")
    except (np.linalg.LinAlgError, ZeroDivisionError, struct.error):
        return None


def _matrix_profile(primaries: tuple[XY, XY, XY, XY], curve: tuple[float, ...], name: str) -> bytes:
    """Lay out a display profile of version 4.

    Raises:
        LinAlgError: if the primaries lie on a line.
        ZeroDivisionError: if one has no luminance.
        struct.error: if a number does not fit.
    """
    *rgb, white = [_xyz(xy) for xy in primaries]
    columns = np.transpose(rgb)
    columns = columns * np.linalg.solve(columns, white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white)) @ _BRADFORD
    red, green, blue = (adapted @ columns).T
    trc = b"para" + struct.pack(">IHH", 0, _CURVE_KIND[len(curve)], 0) + _fixed(curve)
    tags = {
        b"desc": _text(name),
        b"cprt": _text("no copyright"),
        b"wtpt": _xyz_tag(_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(adapted.ravel()),
        b"rXYZ": _xyz_tag(red),
        b"gXYZ": _xyz_tag(green),
        b"bXYZ": _xyz_tag(blue),
        b"rTRC": trc,
        b"gTRC": trc,
        b"bTRC": trc,
    }
    return _lay_out(tags)


def _lay_out(tags: dict[bytes, bytes]) -> bytes:
    """Put a header and a table before a profile's tags; equal ones are stored once."""
    start = 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    body = b""
    for value in tags.values():
        if value not in places:
            places[value] = start + len(body)
            body += value + bytes(-len(value) % 4)
    table = b"".join(name + struct.pack(">II", places[v], len(v)) for name, v in tags.items())
    kind = (b"mntr", b"RGB ", b"XYZ ")
    header = struct.pack(">I4xI4s4s4s12x4s28x", start + len(body), _VERSION, *kind, b"acsp")
    return header + _fixed(_D50) + bytes(48) + struct.pack(">I", len(tags)) + table + body


def _xyz(xy: XY) -> npt.NDArray[np.float64]:
    x, y = xy
    return np.array((x / y, 1.0, (1 - x - y) / y))


def _fixed(values: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    """Numbers as ICC's s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(65536 * float(value)) for value in values))


def _xyz_tag(values: npt.NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _text(text: str) -> bytes:
    """A text in one language."""
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(encoded), 28) + encoded

"""The compiled loops, where they were built; `load_kernel` says whether they were.

`kernel.c` is compiled when samelight is built on a machine that has a C compiler, and shipped in
the wheels. Everything works without it, several times more slowly.
"""

import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KINDS = {np.dtype(np.uint8): 0, np.dtype(np.uint16): 1, np.dtype(np.float32): 2}
"""How `kernel.c` numbers the types of values."""

MAX_THREADS = 8
"""Beyond this the threads wait for memory, not for arithmetic."""

# Of `samelight_kernel_version` in kernel.c.
_VERSION = 2
_ENDINGS = {"win32": "dll", "darwin": "dylib"}
# Set to anything, it leaves the compiled loops unused.
_OFF_SWITCH = "SAMELIGHT_NO_KERNEL"

_ADDRESS, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int, ctypes.c_float
_SIGNATURES: dict[str, list[Any]] = {
    "samelight_render": [
        *(_ADDRESS, _ADDRESS, _INT, _ADDRESS),
        *([_INT] * 6),
        *(_ADDRESS, _INT),
        *([_ADDRESS] * 6),
        *(_FLOAT, _ADDRESS),
    ],
    "samelight_resample": [_ADDRESS, *([_INT] * 8), _ADDRESS, _ADDRESS],
}


def kernel_file_name() -> str:
    """Name the compiled file as this platform does."""
    return f"kernel.{_ENDINGS.get(sys.platform, 'so')}"


def load_kernel() -> ctypes.CDLL | None:
    """Open the compiled loops.

    Returns:
        The library, whose functions release the interpreter's lock; None where it was not
        built, does not fit this source, or the variable SAMELIGHT_NO_KERNEL is set.
    """
    return None if os.environ.get(_OFF_SWITCH) else _open()


@lru_cache(maxsize=1)
def _open() -> ctypes.CDLL | None:
    path = Path(__file__).with_name(kernel_file_name())
    try:
        library = ctypes.CDLL(str(path))
        version = library.samelight_kernel_version()
    except (OSError, AttributeError):
        return None
    if version != _VERSION:
        return None
    for name, arguments in _SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, None
    return library


def address(values: npt.NDArray[Any]) -> int:
    """Give the address of a contiguous array's first value."""
    return int(values.ctypes.data)


def thread_count() -> int:
    """How many threads work on one photo."""
    return min(MAX_THREADS, os.cpu_count() or 1)


def for_each_band(rows: range, band_rows: int, work: Any) -> None:  # noqa: ANN401
    """Call `work(top, bottom)` for bands of rows, on all cores.

    Args:
        rows: the rows to share out.
        band_rows: rows in a band; the last may have fewer.
        work: may run in any thread.
    """
    bands = [(top, min(top + band_rows, rows.stop)) for top in rows[::band_rows]]
    if len(bands) <= 1:
        for band in bands:
            work(*band)
        return
    with ThreadPoolExecutor(thread_count()) as pool:
        list(pool.map(lambda band: work(*band), bands))

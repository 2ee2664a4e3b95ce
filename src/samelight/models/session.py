"""A network opened in the runtime that runs it."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from samelight.errors import ModelError
from samelight.models.registry import DEFAULT_MODEL, REINSTALL, find_model
from samelight.models.spec import FORMER_METHODS
from samelight.types import FloatArray

# A small network gains little beyond four threads, and a batch job wants the other cores.
_MAX_THREADS = 4
_LOCK = Lock()


class ErrorEstimate(NamedTuple):
    """What a network expects of a foreground, and what it therefore does."""

    left_alone: float
    """Root mean square error, in levels of 255."""
    corrected: float
    """The same, of what is done."""
    share: float
    """How much of the correction is done, in [0,1]: less where little is expected to be wrong."""


class Session:
    """A network ready to run."""

    def __init__(self, runtime: ort.InferenceSession, name: str) -> None:
        """Read from the file what the network needs to be given.

        Args:
            runtime: the opened ONNX file.
            name: for messages.
        """
        inputs = {node.name for node in runtime.get_inputs()}
        outputs = {node.name: node.shape for node in runtime.get_outputs()}
        metadata = runtime.get_modelmeta().custom_metadata_map
        size = metadata.get("size_px", "")
        if inputs != {"composite", "mask"} or "image" not in outputs or not size.isdecimal():
            raise ModelError(
                f"{name} is not a samelight network: wanted inputs composite and mask, output "
                "image and metadata size_px, as `samelight export` writes them"
            )
        self.name = name
        method = metadata.get("method", "unknown")
        self.method = FORMER_METHODS.get(method, method)
        self.size_px = int(size)
        self.predicts_correction = "correction" in outputs
        self.predicts_one_map = outputs.get("correction", [])[2:] == [1, 1]
        """For the whole foreground, so that it holds wherever the network looked."""
        self._estimates_errors = {"errors", "share"} <= outputs.keys()
        self._runtime = runtime

    def run(self, composite: FloatArray, mask: FloatArray) -> FloatArray:
        """Run the network once.

        Args:
            composite: (S,S,3) sRGB-encoded RGB in [0,1].
            mask: (S,S) in [0,1], 1 = foreground.

        Returns:
            (S,S,3), the picture with its foreground recoloured.
        """
        (found,) = self._answers(["image"], composite, mask)
        image: FloatArray = found.transpose(1, 2, 0)
        return image

    def correct(
        self, composite: FloatArray, mask: FloatArray, *, bold: bool = False
    ) -> tuple[FloatArray, ErrorEstimate | None]:
        """Run a network that predicts the correction itself: `predicts_correction` says so.

        Args:
            composite: (S,S,3) sRGB-encoded RGB in [0,1].
            mask: (S,S) in [0,1], 1 = foreground.
            bold: whether all of the correction is done, whatever the network expects.

        Returns:
            (h,w,3,4), the grid of a `Correction`, and how sure the network is, where it says so.
        """
        outputs = ["correction", *(["errors", "share"] if self._estimates_errors else [])]
        coefficients, *said = self._answers(outputs, composite, mask)
        error_estimate = None
        if said:
            alone, corrected = said[0].tolist()
            share = 1.0 if bold else float(said[1][0])
            coefficients = np.float32(share) * coefficients
            error_estimate = ErrorEstimate(alone, alone + share * (corrected - alone), share)
        cells = coefficients.shape[1:]
        affine = np.concatenate(
            [coefficients[:9].reshape(3, 3, *cells), coefficients[9:].reshape(3, 1, *cells)], axis=1
        )
        grid: FloatArray = affine.transpose(2, 3, 0, 1) + np.eye(3, 4, dtype=np.float32)
        return grid, error_estimate

    def _answers(
        self, outputs: list[str], composite: FloatArray, mask: FloatArray
    ) -> list[FloatArray]:
        """Run the network for some of its outputs, each without its first axis."""
        feed = {
            "composite": np.ascontiguousarray(composite.transpose(2, 0, 1)[None]),
            "mask": np.ascontiguousarray(mask[None, None]),
        }
        answers = [np.asarray(one, np.float32)[0] for one in self._runtime.run(outputs, feed)]
        if not all(np.isfinite(answer).all() for answer in answers):
            raise ModelError(f"{self.name} answered with values that are not numbers")
        return answers


def load_session(
    name_or_path: str | Path = DEFAULT_MODEL, *, threads: int | None = None
) -> Session:
    """Open a shipped model by name, or an exported one by path.

    The last few sessions are kept: asking again for the same unchanged file is free.

    Args:
        name_or_path: a name from `list_models`, or a path ending in .onnx.
        threads: how many the network may use; None = as many as there are cores, at most 4.

    Raises:
        ModelError: if there is no such model, or its file is missing or not the one it should be.
    """
    path, row = find_model(name_or_path)
    threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
    sha256 = row.sha256 if row else None
    # One at a time: a second caller gets what the first one opened.
    with _LOCK:
        return _open(path, path.stat().st_mtime_ns, sha256, str(name_or_path), threads)


@lru_cache(maxsize=4)
def _open(path: Path, mtime_ns: int, sha256: str | None, name: str, threads: int) -> Session:
    """Check and open a file; `mtime_ns` is there so that a new export is not taken for the old."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ModelError(
            f"the file of model {name} has sha256 {found[:12]}, wanted {sha256[:12]}: {REINSTALL}"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads that spin cost other work a core, and this network next to nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        runtime = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as failure:  # onnxruntime's errors share no base class but this one
        raise ModelError(f"{path} is not an ONNX file this runtime can open") from failure
    return Session(runtime, name)

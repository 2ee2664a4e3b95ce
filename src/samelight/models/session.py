"""A network opened in the runtime that runs it."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from samelight.errors import ModelError, UsageError
from samelight.limits import Provider
from samelight.models.legacy import legacy_spec
from samelight.models.registry import DEFAULT_MODEL, REINSTALL, find_model
from samelight.models.spec import SPEC_KEY, ModelSpec
from samelight.types import FloatArray

# Where a network is opened it is imported: that takes as long as to import all the rest of us.
if TYPE_CHECKING:
    import onnxruntime as ort

PROVIDERS: tuple[str, ...] = get_args(Provider)
_NAME_IN_RUNTIME = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "dml": "DmlExecutionProvider",
}

# A small network gains little beyond four threads, and a batch job wants the other cores.
_MAX_THREADS = 4
_LOCK = Lock()


class ErrorEstimate(NamedTuple):
    """How wrong a network expects a foreground to be: root mean square error in levels of 255."""

    composite: float
    """Of the foreground as it is."""
    corrected: float
    """Of the foreground after the whole correction."""


class Session:
    """A network ready to run; `spec` says how it wants to be used."""

    def __init__(self, runtime: "ort.InferenceSession", name: str) -> None:
        """Read the spec and check that the graph is as it says.

        Args:
            runtime: the opened ONNX file.
            name: for messages.

        Raises:
            ModelError: when the file is no samelight network, or not as its spec says.
        """
        self.name = name
        self.spec = _spec_of(runtime, name)
        self._runtime = runtime
        inputs = {node.name for node in runtime.get_inputs()}
        outputs = {node.name for node in runtime.get_outputs()}
        self._outputs = ["image"] if self.spec.answer == "picture" else ["correction"]
        if self.spec.error_estimate:
            self._outputs.append("errors")
        if inputs != {"composite", "mask"} or not outputs.issuperset(self._outputs):
            raise ModelError(
                f"{name} takes {sorted(inputs)} and answers {sorted(outputs)}: wanted composite "
                f"and mask, and {self._outputs}; export it again with `samelight export`"
            )

    def picture(self, composite: FloatArray, mask: FloatArray) -> FloatArray:
        """Run a network that answers with a picture.

        Args:
            composite: (S,S,3) sRGB-encoded RGB in [0,1].
            mask: (S,S) in [0,1], 1 = foreground.

        Returns:
            (S,S,3), the picture with its foreground recoloured.
        """
        (found,) = self._answers(composite, mask)
        image: FloatArray = found.transpose(1, 2, 0)
        return image

    def correction(
        self, composite: FloatArray, mask: FloatArray
    ) -> tuple[FloatArray, ErrorEstimate | None]:
        """Run a network that answers with a correction.

        Args:
            composite: (S,S,3) sRGB-encoded RGB in [0,1].
            mask: (S,S) in [0,1], 1 = foreground.

        Returns:
            (h,w,3,4), the grid of a `Correction`, and what errors it expects, where it says so.
        """
        coefficients, *said = self._answers(composite, mask)
        cells = coefficients.shape[1:]
        affine = np.concatenate(
            [coefficients[:9].reshape(3, 3, *cells), coefficients[9:].reshape(3, 1, *cells)], axis=1
        )
        grid: FloatArray = affine.transpose(2, 3, 0, 1) + np.eye(3, 4, dtype=np.float32)
        return grid, ErrorEstimate(*said[0].tolist()) if said else None

    def _answers(self, composite: FloatArray, mask: FloatArray) -> list[FloatArray]:
        """Run the network, each answer without its first axis."""
        feed = {
            "composite": np.ascontiguousarray(composite.transpose(2, 0, 1)[None]),
            "mask": np.ascontiguousarray(mask[None, None]),
        }
        found = self._runtime.run(self._outputs, feed)
        answers = [np.asarray(one, np.float32)[0] for one in found]
        if not all(np.isfinite(answer).all() for answer in answers):
            raise ModelError(f"{self.name} answered with values that are not numbers")
        return answers


def open_session(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    provider: Provider = "cpu",
    threads: int | None = None,
) -> Session:
    """Open a shipped model by name, or an exported one by path.

    The last few sessions are kept: asking again for the same unchanged file is free.

    Args:
        name_or_path: a name from `list_models`, or a path ending in .onnx.
        provider: what runs it; all but "cpu" need another build of onnxruntime.
        threads: how many the network may use; None = as many as there are cores, at most 4.

    Raises:
        ModelError: if there is no such model, or its file is missing or not the one it should be.
        UsageError: if the provider is not installed.
    """
    path, row = find_model(name_or_path)
    threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
    sha256 = row.sha256 if row else None
    _require_provider(provider)
    # One at a time: a second caller gets what the first one opened.
    with _LOCK:
        return _open(path, path.stat().st_mtime_ns, sha256, str(name_or_path), provider, threads)


@lru_cache(maxsize=4)
def _open(
    path: Path, mtime_ns: int, sha256: str | None, name: str, provider: str, threads: int
) -> Session:
    """Check and open a file; `mtime_ns` is there so that a new export is not taken for the old."""
    import onnxruntime as ort

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
        runtime = ort.InferenceSession(content, options, providers=[_NAME_IN_RUNTIME[provider]])
    except Exception as failure:  # onnxruntime's errors share no base class but this one
        raise ModelError(f"{path} is not an ONNX file this runtime can open") from failure
    return Session(runtime, name)


def _require_provider(provider: str) -> None:
    import onnxruntime as ort

    if provider not in PROVIDERS:
        raise UsageError(f"provider {provider!r}: choose one of {', '.join(PROVIDERS)}")
    if _NAME_IN_RUNTIME[provider] not in ort.get_available_providers():
        package = {"cuda": "onnxruntime-gpu", "dml": "onnxruntime-directml"}.get(provider)
        way = f"install {package} in place of onnxruntime" if package else "use another machine"
        raise UsageError(f"this onnxruntime has no provider {provider!r}: {way}, or take cpu")


def _spec_of(runtime: "ort.InferenceSession", name: str) -> ModelSpec:
    metadata = runtime.get_modelmeta().custom_metadata_map
    if SPEC_KEY in metadata:
        return ModelSpec.from_json(metadata[SPEC_KEY], name)
    outputs = {node.name: tuple(node.shape) for node in runtime.get_outputs()}
    return legacy_spec(name, metadata, outputs)

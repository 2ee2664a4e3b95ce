"""From trained weights to the ONNX file the core runs, stored in half precision."""

import copy
import hashlib
import subprocess
import warnings
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from samelight import __version__
from samelight.errors import ModelError
from samelight.io.files import write_whole
from samelight.lab.contract import CorrectionNetwork, Network, Use
from samelight.lab.inference import answer, require_use
from samelight.models.spec import SPEC_KEY, ModelSpec, Training

MAX_ERROR = 1e-3
"""Largest difference allowed between torch and the exported network, in [0,1]."""

OPSET = 18
LEAST_HALF_DIMENSIONS = 2
"""Vectors stay float32: they are small, and a norm's variance may be too small for float16."""

OUTPUTS = {"correction": ("correction", "errors"), "picture": ("image",)}
"""Names of the graph's outputs by the kind of answer."""

HALF = ".half"
"""Ends the name of a weight that is stored as float16."""


class Exported(NamedTuple):
    """What was written."""

    path: Path
    parity_error: float
    """Largest difference between the file's output and torch's, same half-precision weights."""
    storage_error: float
    """Largest difference that storing the weights in half precision makes."""
    parameters: int
    sha256: str
    """Of the file, hex."""


def spec_of(
    network: Network, use: Use, method: str, trainings: tuple[Training, ...] = ()
) -> ModelSpec:
    """What the file of a network says about itself."""
    corrects = isinstance(network, CorrectionNetwork)
    return ModelSpec(
        method=method,
        answer="correction" if corrects else "picture",
        size_px=use.size_px,
        views=use.views,
        window=use.window,
        error_estimate=corrects,
        gate=use.gate,
        parameters=sum(p.numel() for p in network.parameters()),
        trainings=trainings,
        licence="Apache-2.0",
        commit=_commit(),
    )


def _commit() -> str:
    """The commit of the checkout this runs from, marked where files were changed since."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"samelight {__version__}"
    return described.stdout.strip()


def export_network(
    network: Network, use: Use, method: str, path: Path, *, trainings: tuple[Training, ...] = ()
) -> Exported:
    """Export a network as it is used and check the file against torch.

    Args:
        network: the trained network.
        use: how it is used; the views are inside the file.
        method: name of its method.
        path: where to write; written only if the check passes.
        trainings: what led to its weights.

    Raises:
        UsageError: when the network is not made to be used like that.
        ModelError: when the file's answer differs from torch's by more than MAX_ERROR.
    """
    require_use(network, use)
    network = network.eval()
    stored = _as_stored(network)
    composite, mask = _probe(use.size_px)
    model = _simplified(_to_onnx(stored, use, composite, mask))
    del model.graph.input[2:]
    _store_half(model.graph, set(stored.state_dict()))
    spec = spec_of(network, use, method, trainings)
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    content = model.SerializeToString()
    with torch.no_grad():
        expected = [part.numpy() for part in answer(stored, use, composite, mask)]
        full = answer(network, use, composite, mask)[0].numpy()
    runtime = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = runtime.run(None, {"composite": composite.numpy(), "mask": mask.numpy()})
    pairs = zip(found, expected, strict=True)
    error = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    if not error <= MAX_ERROR:
        raise ModelError(f"the exported network differs from torch by {error:.2g}: not written")
    write_whole(path, lambda name: _write_bytes(name, content))
    return Exported(
        path=path,
        parity_error=error,
        storage_error=float(np.abs(full - expected[0]).max()),
        parameters=spec.parameters,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _as_stored(network: Network) -> Network:
    """Round a copy's weights as the file will."""
    stored = copy.deepcopy(network)
    with torch.no_grad():
        for value in stored.state_dict().values():
            if value.is_floating_point() and value.ndim >= LEAST_HALF_DIMENSIONS:
                value.copy_(value.half())
    return stored


def _to_onnx(network: Network, use: Use, composite: Tensor, mask: Tensor) -> onnx.ModelProto:
    # A copy that shares the weights and keeps their names.
    in_use = copy.copy(network)
    in_use.forward = partial(answer, network, use)  # type: ignore[method-assign, assignment]
    outputs = OUTPUTS["correction" if isinstance(network, CorrectionNetwork) else "picture"]
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        file = Path(folder) / "model.onnx"
        # The trace is for one size, so that sizes become constants is what is wanted.
        warnings.filterwarnings("ignore", "Converting a tensor to a Python")
        # Slices with a negative step, as reflecting pads have, are left for the runtime to fold.
        warnings.filterwarnings("ignore", "Constant folding")
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            in_use,
            (composite, mask),
            file,
            input_names=["composite", "mask"],
            output_names=list(outputs),
            opset_version=OPSET,
            # Unfolded, every weight keeps its name, so that training can start from the file.
            do_constant_folding=False,
            # As inputs too, or weights that happen to be equal would be merged into one.
            keep_initializers_as_inputs=True,
            dynamo=False,
        )
        return onnx.load(file)


def _simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let the runtime fold and fuse once, here, what it would at every opening.

    Weights are inputs still, so they are not folded into anything and keep their names. Fused
    operators are of onnxruntime's own domain: the file is for that runtime.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "simplified.onnx"
        options = ort.SessionOptions()
        # The next level would lay weights out for this machine's processor.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(file)
        options.log_severity_level = 3
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(file)


def _probe(size: int) -> tuple[Tensor, Tensor]:
    """A smooth random picture with a soft round mask: what a network is likely to meet."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 8, 8, generator=generator)
    composite = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
    line = torch.linspace(-1, 1, size)
    radius = (line[:, None].square() + line[None].square()).sqrt()
    return composite, ((0.6 - radius) * 10).clamp(0, 1)[None, None]


def _store_half(graph: onnx.GraphProto, weights: set[str]) -> None:
    """Keep float32 matrices as float16 and cast them back where the graph starts."""
    casts = []
    for tensor in graph.initializer:
        if tensor.name not in weights or tensor.data_type != TensorProto.FLOAT:
            continue
        if len(tensor.dims) < LEAST_HALF_DIMENSIONS:
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)


def _write_bytes(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)

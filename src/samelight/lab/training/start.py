"""Beginning a training with the weights of an exported model."""

from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from samelight.errors import ModelError
from samelight.lab.contract import Network
from samelight.lab.export import HALF
from samelight.lab.former import METHODS as FORMER_METHODS
from samelight.lab.former import with_todays_parameters
from samelight.models.spec import SPEC_KEY, ModelSpec


def start_from_model(network: Network, method: str, path: Path, part: str | None = None) -> None:
    """Give a network the weights of an exported file, to train on from there.

    Args:
        network: which is changed.
        method: name of its method.
        path: of the file.
        part: a module of the network, such as "backbone": only its weights are taken, from a model
            of any method that has it; None = all.

    Raises:
        ModelError: when the file's weights are not this network's, or it has no such part.
    """
    if part is not None and part not in dict(network.named_modules()):
        parts = ", ".join(name for name, _ in network.named_children())
        raise ModelError(f'a {method} network has no part "{part}": wanted one of {parts}')
    try:
        model = onnx.load(path)
    except DecodeError as error:
        raise ModelError(f"{path} is not an ONNX file: wanted one that was exported") from error
    holds = _method_of(model, path)
    if part is None and holds != method:
        raise ModelError(
            f"{path} holds the weights of a {holds} network, and a {method} network is to begin "
            f"with them: name a model of {method}, or a part that both have with --start-part"
        )
    stored = {t.name.removesuffix(HALF): numpy_helper.to_array(t) for t in model.graph.initializer}
    found = with_todays_parameters(stored)
    # Counters, as of batches that a batch norm has seen, are no weights.
    wanted = {
        name: value
        for name, value in network.state_dict().items()
        if value.is_floating_point() and (part is None or name.startswith(f"{part}."))
    }
    for name, value in wanted.items():
        shape = found[name].shape if name in found else "not there"
        if shape != tuple(value.shape):
            raise ModelError(
                f"{path} holds a network of another shape ({name} is {shape}, wanted "
                f"{tuple(value.shape)}): train the configuration that it was, or take a part that "
                "both have with --start-part"
            )
    weights = {name: torch.from_numpy(found[name].astype(np.float32)) for name in wanted}
    network.load_state_dict(weights, strict=False)


def _method_of(model: onnx.ModelProto, path: Path) -> str:
    """The method that a file says it is of; files of earlier versions say no more than that."""
    about: dict[str, str] = {entry.key: entry.value for entry in model.metadata_props}
    if SPEC_KEY in about:
        return ModelSpec.from_json(about[SPEC_KEY], str(path)).method
    method = about.get("method", "not known")
    return FORMER_METHODS.get(method, method)

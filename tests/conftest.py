"""Fixtures for the core: a network of three nodes, and pictures to give it."""

import os

# Set before torch and numpy read them, here and in what tests start: two threads of one test wait
# for each other whenever the machine does something else. pytest's processes share the cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper

from samelight.models.spec import SPEC_KEY, Gate, ModelSpec, View, WindowRule

# No test depends on how busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SIZE_PX = 64
WITHOUT_LAB = find_spec("torch") is None
collect_ignore = ["contract", "lab", "tools"] if WITHOUT_LAB else []


def pytest_report_header() -> list[str]:
    return ["samelight: without torch, so the tests of the lab are left out"] * WITHOUT_LAB


def pytest_runtest_setup(item: pytest.Item) -> None:
    if WITHOUT_LAB and item.get_closest_marker("lab"):
        pytest.skip("needs the extra lab")


def model_spec(method: str, **about: Any) -> ModelSpec:
    """The spec of a network that answers with a picture, but for what is told about it."""
    given = {"answer": "picture", "size_px": SIZE_PX, "views": (View(size_px=SIZE_PX),)}
    return ModelSpec(method=method, **(given | about))


TINY_SPEC = model_spec("tiny")


def write_tiny_model(path: Path, spec: ModelSpec | None = TINY_SPEC) -> Path:
    """Write the network `image = 0.8 * composite + 0.1 * mask`: no weights to ship."""
    square = [SIZE_PX, SIZE_PX]
    inputs = [
        helper.make_tensor_value_info("composite", TensorProto.FLOAT, [1, 3, *square]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, *square]),
    ]
    outputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *square])]
    constants = [
        helper.make_tensor("gain", TensorProto.FLOAT, [1], [0.8]),
        helper.make_tensor("lift", TensorProto.FLOAT, [1], [0.1]),
    ]
    nodes = [
        helper.make_node("Mul", ["composite", "gain"], ["darker"]),
        helper.make_node("Mul", ["mask", "lift"], ["offset"]),
        helper.make_node("Add", ["darker", "offset"], ["image"]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if spec is not None:
        helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    onnx.save(model, path)
    return path


def write_correcting_model(path: Path) -> Path:
    """Write a network that answers with a correction of 1x2 cells, whatever it is shown.

    Less the identity: red loses a fifth on the left, green gains 0.1 on the right. It expects the
    picture to be off by 12 levels, 4 after its correction; the gate lets a quarter through.
    """
    square = [SIZE_PX, SIZE_PX]
    inputs = [
        helper.make_tensor_value_info("composite", TensorProto.FLOAT, [1, 3, *square]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, *square]),
    ]
    outputs = [
        helper.make_tensor_value_info("correction", TensorProto.FLOAT, [1, 12, 1, 2]),
        helper.make_tensor_value_info("errors", TensorProto.FLOAT, [1, 2]),
    ]
    coefficients = np.zeros((1, 12, 1, 2), np.float32)
    coefficients[0, 0, 0, 0], coefficients[0, 10, 0, 1] = -0.2, 0.1
    answers = {
        "correction": helper.make_tensor("c", TensorProto.FLOAT, (1, 12, 1, 2), coefficients),
        "errors": helper.make_tensor("e", TensorProto.FLOAT, (1, 2), [12, 4]),
    }
    nodes = [helper.make_node("Constant", [], [name], value=answers[name]) for name in answers]
    graph = helper.make_graph(nodes, "correcting", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    gate = Gate(closed=10, open=18)
    spec = model_spec("correcting", answer="correction", error_estimate=True, gate=gate)
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    onnx.save(model, path)
    return path


def write_averaging_model(path: Path, window: WindowRule | None) -> Path:
    """Write a network that adds the mean of picture + mask, shown a window or the whole photo."""
    square = [SIZE_PX, SIZE_PX]
    shape = [1, 12, 1, 1]
    inputs = [
        helper.make_tensor_value_info("composite", TensorProto.FLOAT, [1, 3, *square]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, *square]),
    ]
    outputs = [
        helper.make_tensor_value_info("correction", TensorProto.FLOAT, shape),
    ]
    offsets = np.zeros(shape, np.float32)
    offsets[:, 9:] = 1
    constants = [helper.make_tensor("offsets", TensorProto.FLOAT, shape, offsets.ravel())]
    nodes = [
        helper.make_node("Add", ["composite", "mask"], ["seen"]),
        helper.make_node("ReduceMean", ["seen"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "offsets"], ["correction"]),
    ]
    graph = helper.make_graph(nodes, "averaging", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = model_spec("averaging", answer="correction", window=window)
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def correcting_model(tmp_path_factory) -> Path:
    return write_correcting_model(tmp_path_factory.mktemp("model") / "correcting.onnx")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def without_kernel(monkeypatch):
    def run(function, *arguments, **options):
        with monkeypatch.context() as patch:
            patch.setenv("SAMELIGHT_NO_KERNEL", "1")
            return function(*arguments, **options)

    return run


class Finished(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run_cli(monkeypatch, capfd) -> Callable[..., Finished]:
    """Run the command line in this process, capturing what libraries in C say as well."""

    def run(*arguments: str | Path) -> Finished:
        from samelight.interfaces.cli.main import main

        monkeypatch.setattr(sys, "argv", ["samelight", *map(str, arguments)])
        capfd.readouterr()
        try:
            code = main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Finished(code, *capfd.readouterr())

    return run

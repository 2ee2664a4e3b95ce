import hashlib

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from samelight.errors import ModelError
from samelight.lab import export
from samelight.lab.contract import Trace
from samelight.lab.export import MAX_ERROR, Origin, export_network, start_from_exported
from samelight.models.session import open_session
from tests.lab.tiny import TinyNetwork

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TinyNetwork(size_px=16)


def run_torch(network, composite, mask):
    with torch.no_grad():
        image = network(
            torch.from_numpy(composite.transpose(2, 0, 1))[None], torch.from_numpy(mask)[None, None]
        )
    return image[0].numpy().transpose(1, 2, 0)


def test_the_file_answers_as_torch_does(tmp_path, network, rng):
    exported = export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    session = open_session(exported.path)
    assert (session.spec.size_px, session.spec.method) == (16, "tiny")
    composite = rng.random((16, 16, 3), dtype=np.float32)
    mask = rng.random((16, 16), dtype=np.float32)
    error = abs(session.picture(composite, mask) - run_torch(network, composite, mask)).max()
    assert error <= MAX_ERROR
    assert exported.parameters == 3 * 4 + 3
    assert exported.sha256 == hashlib.sha256(exported.path.read_bytes()).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_matrices_are_stored_as_float16_and_vectors_as_float32(tmp_path, network):
    exported = export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    stored = {t.name: t.data_type for t in onnx.load(exported.path).graph.initializer}
    assert stored["mix.weight.half"] == TensorProto.FLOAT16
    assert stored["mix.bias"] == TensorProto.FLOAT


class Normed(TinyNetwork):
    """Ends with a norm whose variance no float16 can hold."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3, eps=0.0)
        self.norm.running_var.fill_(1e-10)

    def forward(self, composite, mask):
        return self.norm(1e-5 * super().forward(composite, mask))


def test_a_small_variance_survives(tmp_path):
    exported = export_network(Normed().eval(), Origin("tiny"), tmp_path / "model.onnx")
    assert exported.storage_error < 1e-2


def test_both_errors_are_reported_apart(tmp_path, network):
    with torch.no_grad():
        network.mix.weight.zero_()
        network.mix.bias.zero_()
        network.mix.weight[:, 3] = 0.1 + 2**-14  # of the mask; not a number of 11 bits
    exported = export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    weight = network.mix.weight.detach()[0, 3, 0, 0]
    lost = float((weight - weight.half()).abs())
    assert lost > 1e-5
    assert exported.storage_error == pytest.approx(lost, rel=0.05)
    assert exported.parity_error < 1e-6


def test_the_network_itself_keeps_its_precision(tmp_path, network):
    before = network.mix.weight.clone()
    export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    assert torch.equal(network.mix.weight, before)
    assert not torch.equal(before, before.half().float())


class Fickle(TinyNetwork):
    """Answers otherwise the second time it is asked: what is traced is not what it does."""

    calls = 0

    def trace(self, composite, mask):
        self.calls += 1
        return Trace(composite + 0.01 * self.calls * mask, {})


class Spoiled(TinyNetwork):
    def __init__(self):
        super().__init__()
        nn.init.constant_(self.mix.weight, float("nan"))


@pytest.mark.parametrize("kind", [Fickle, Spoiled])
@pytest.mark.parametrize("old", [None, b"an older export"])
def test_a_network_that_cannot_be_trusted_is_not_written(tmp_path, kind, old):
    path = tmp_path / "model.onnx"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(ModelError, match=r"differs from torch by .*: not written"):
        export_network(kind(), Origin("tiny"), path)
    assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["model.onnx"])
    assert old is None or path.read_bytes() == old


def test_a_difference_just_above_the_limit_is_refused(tmp_path, network, monkeypatch):
    exported = export_network(network, Origin("tiny"), tmp_path / "a.onnx")
    monkeypatch.setattr(export, "MAX_ERROR", exported.parity_error - 1e-9)
    with pytest.raises(ModelError, match="not written"):
        export_network(network, Origin("tiny"), tmp_path / "b.onnx")


def test_training_can_start_from_the_file(tmp_path, network):
    exported = export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    other = TinyNetwork()
    start_from_exported(other, exported.path)
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(other.state_dict()[name], wanted), name
    assert other.mix.weight.dtype == torch.float32
    assert other.mix.weight.requires_grad


def test_training_can_start_from_a_part_of_the_file(tmp_path):
    given = nn.ModuleDict({"backbone": nn.Linear(4, 3), "head": nn.Linear(3, 2)})
    other = nn.ModuleDict({"backbone": nn.Linear(4, 3), "head": nn.Linear(3, 5)})
    tensors = [
        numpy_helper.from_array(value.numpy(), name) for name, value in given.state_dict().items()
    ]
    graph = helper.make_graph([], "weights", [], [], initializer=tensors)
    onnx.save(helper.make_model(graph), tmp_path / "model.onnx")
    head = other.state_dict()["head.weight"].clone()
    start_from_exported(other, tmp_path / "model.onnx", "backbone")
    assert torch.equal(other["backbone"].weight, given["backbone"].weight)
    assert torch.equal(other["head"].weight, head)
    with pytest.raises(ModelError, match='no part "neck": wanted one of backbone, head'):
        start_from_exported(other, tmp_path / "model.onnx", "neck")


@pytest.mark.parametrize("other", [nn.Linear(4, 3), nn.ModuleDict({"mix": nn.Conv2d(5, 3, 1)})])
def test_the_file_of_another_network_is_refused(tmp_path, network, other):
    exported = export_network(network, Origin("tiny"), tmp_path / "model.onnx")
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(ModelError, match=r"model\.onnx does not hold this network's .*weight"):
        start_from_exported(other, exported.path)
    assert all(torch.equal(other.state_dict()[name], value) for name, value in before.items())


def test_a_file_that_is_no_network_is_refused(tmp_path, network):
    (tmp_path / "text.onnx").write_text("dear diary")
    with pytest.raises(ModelError, match=r"text\.onnx"):
        start_from_exported(network, tmp_path / "text.onnx")


class Shaped(TinyNetwork):
    """Asks for sizes on its way, as networks do."""

    def trace(self, composite, mask):
        half = F.interpolate(self.mix(torch.cat([composite, mask], dim=1)), scale_factor=0.5)
        change = F.gelu(F.interpolate(half, size=composite.shape[-2:]))
        return Trace(composite + mask * change, {})


def test_what_does_not_depend_on_the_picture_is_worked_out_once(tmp_path):
    raw = export._to_onnx(Shaped().eval(), *export._probe(16))
    exported = export_network(Shaped(), Origin("tiny"), tmp_path / "model.onnx")
    before, after = (
        {node.op_type for node in model.graph.node} for model in (raw, onnx.load(exported.path))
    )
    assert {"Shape", "Constant", "Erf"} <= before
    assert not {"Shape", "Constant", "Erf"} & after
    assert "Gelu" in after

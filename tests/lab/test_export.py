import hashlib
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import nn

from samelight.errors import ModelError
from samelight.lab import export
from samelight.lab.contract import Trace
from samelight.lab.export import MAX_ERROR, export_network
from samelight.lab.inference import predict_views
from samelight.lab.methods.samelight.config import SamelightShape
from samelight.lab.methods.samelight.network import Samelight
from samelight.models.session import open_session
from samelight.models.spec import Training, WindowRule
from tests.lab.records import seen_at
from tests.lab.tiny import TinyNetwork

USE = seen_at(16)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TinyNetwork()


def run_torch(network, composite, mask):
    with torch.no_grad():
        image = network(
            torch.from_numpy(composite.transpose(2, 0, 1))[None], torch.from_numpy(mask)[None, None]
        )
    return image[0].numpy().transpose(1, 2, 0)


def test_the_file_answers_as_torch_does(tmp_path, network, rng):
    exported = export_network(network, USE, "tiny", tmp_path / "model.onnx")
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
    exported = export_network(network, USE, "tiny", tmp_path / "model.onnx")
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
    exported = export_network(Normed().eval(), USE, "tiny", tmp_path / "model.onnx")
    assert exported.storage_error < 1e-2


def test_both_errors_are_reported_apart(tmp_path, network):
    with torch.no_grad():
        network.mix.weight.zero_()
        network.mix.bias.zero_()
        network.mix.weight[:, 3] = 0.1 + 2**-14  # of the mask; not a number of 11 bits
    exported = export_network(network, USE, "tiny", tmp_path / "model.onnx")
    weight = network.mix.weight.detach()[0, 3, 0, 0]
    lost = float((weight - weight.half()).abs())
    assert lost > 1e-5
    assert exported.storage_error == pytest.approx(lost, rel=0.05)
    assert exported.parity_error < 1e-6


def test_the_network_itself_keeps_its_precision(tmp_path, network):
    before = network.mix.weight.clone()
    export_network(network, USE, "tiny", tmp_path / "model.onnx")
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
        export_network(kind(), USE, "tiny", path)
    assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["model.onnx"])
    assert old is None or path.read_bytes() == old


def test_a_difference_just_above_the_limit_is_refused(tmp_path, network, monkeypatch):
    exported = export_network(network, USE, "tiny", tmp_path / "a.onnx")
    monkeypatch.setattr(export, "MAX_ERROR", exported.parity_error - 1e-9)
    with pytest.raises(ModelError, match="not written"):
        export_network(network, USE, "tiny", tmp_path / "b.onnx")


class Shaped(TinyNetwork):
    """Asks for sizes on its way, as networks do."""

    def trace(self, composite, mask):
        half = F.interpolate(self.mix(torch.cat([composite, mask], dim=1)), scale_factor=0.5)
        change = F.gelu(F.interpolate(half, size=composite.shape[-2:]))
        return Trace(composite + mask * change, {})


def test_what_does_not_depend_on_the_picture_is_worked_out_once(tmp_path):
    raw = export._to_onnx(Shaped().eval(), USE, *export._probe(16))
    exported = export_network(Shaped(), USE, "tiny", tmp_path / "model.onnx")
    before, after = (
        {node.op_type for node in model.graph.node} for model in (raw, onnx.load(exported.path))
    )
    assert {"Shape", "Constant", "Erf"} <= before
    assert not {"Shape", "Constant", "Erf"} & after
    assert "Gelu" in after


@pytest.fixture(scope="module")
def corrects():
    """A small network of our own method, with all of its parts."""
    torch.manual_seed(0)
    network = Samelight(
        SamelightShape(width=16, blocks=1, heads=2, code_width=16, pretrained=False)
    )
    nn.init.normal_(network.head.weight, std=0.05)
    return network.eval()


@pytest.mark.parametrize(
    "sizes", [(128,), (128, -128), (128, 64), (128, 64, -64), (-128, 64), (64,)], ids=str
)
def test_every_combination_of_views_is_inside_the_file(tmp_path, corrects, sizes, rng):
    use = seen_at(*sizes)
    path = export_network(corrects, use, "samelight", tmp_path / "model.onnx").path
    session = open_session(path)
    assert session.spec.views == use.views
    composite = rng.random((use.size_px, use.size_px, 3), dtype=np.float32)
    mask = rng.random((use.size_px, use.size_px), dtype=np.float32)
    grid, estimate = session.correction(composite, mask)
    with torch.no_grad():
        seen = torch.from_numpy(composite.transpose(2, 0, 1))[None], torch.from_numpy(mask)[None]
        wanted = predict_views(corrects, use, seen[0], seen[1][None])
    affine = wanted.coefficients.flatten().numpy()
    assert abs((grid[0, 0, :, :3] - np.eye(3)).ravel() - affine[:9]).max() < MAX_ERROR
    assert abs(grid[0, 0, :, 3] - affine[9:]).max() < MAX_ERROR
    np.testing.assert_allclose(estimate, wanted.errors[0], rtol=MAX_ERROR)


def test_a_weight_is_stored_once_whatever_the_views(tmp_path, corrects):
    weights = [value for value in corrects.state_dict().values() if value.is_floating_point()]
    stored = sum((2 if value.ndim > 1 else 4) * value.numel() for value in weights)
    for sizes in ((128,), (128, 64, -64)):
        path = export_network(corrects, seen_at(*sizes), "samelight", tmp_path / "m.onnx").path
        assert path.stat().st_size < stored + 100_000 * len(sizes)
        names = [t.name.removesuffix(".half") for t in onnx.load(path).graph.initializer]
        assert all(names.count(name) == 1 for name in dict(corrects.named_parameters()))


def test_the_file_says_how_it_is_used_and_what_led_to_it(tmp_path, network):
    use = replace(seen_at(8), window=WindowRule(around=2, least=0.5))
    runs = tuple(
        Training(configuration={"shape": {"width": 3}}, data=("zoo: CC0",), started_from=start)
        for start in (None, "samelight-m")
    )
    path = export_network(network, use, "tiny", tmp_path / "model.onnx", trainings=runs).path
    spec = open_session(path).spec
    assert (spec.method, spec.answer, spec.error_estimate) == ("tiny", "picture", False)
    assert (spec.size_px, spec.views, spec.window, spec.gate) == (8, use.views, use.window, None)
    assert (spec.trainings, spec.parameters) == (runs, 15)

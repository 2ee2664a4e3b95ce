import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from samelight.errors import ModelError
from samelight.lab.export import export_network
from samelight.lab.training.start import start_from_model
from samelight.models.registry import find_model
from tests.lab.records import seen_at
from tests.lab.tiny import TinyNetwork

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TinyNetwork()


@pytest.fixture
def path(tmp_path, network):
    return export_network(network, seen_at(16), "tiny", tmp_path / "model.onnx").path


def write_weights(path, module, method):
    """A file as earlier versions wrote them: with the method's name and the weights."""
    tensors = [numpy_helper.from_array(v.numpy(), name) for name, v in module.state_dict().items()]
    model = helper.make_model(helper.make_graph([], "weights", [], [], initializer=tensors))
    helper.set_model_props(model, {"method": method})
    onnx.save(model, path)
    return path


def test_training_can_start_from_the_file(path, network):
    other = TinyNetwork()
    start_from_model(other, "tiny", path)
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(other.state_dict()[name], wanted), name
    assert other.mix.weight.dtype == torch.float32
    assert other.mix.weight.requires_grad


def test_training_can_start_from_a_part_of_the_file_of_another_method(tmp_path):
    given = nn.ModuleDict({"backbone": nn.Linear(4, 3), "head": nn.Linear(3, 2)})
    other = nn.ModuleDict({"backbone": nn.Linear(4, 3), "head": nn.Linear(3, 5)})
    path = write_weights(tmp_path / "model.onnx", given, "one")
    head = other.state_dict()["head.weight"].clone()
    start_from_model(other, "another", path, "backbone")
    found = other.state_dict()
    assert torch.equal(found["backbone.weight"], given.state_dict()["backbone.weight"])
    assert torch.equal(found["head.weight"], head)
    with pytest.raises(ModelError, match='no part "neck": wanted one of backbone, head'):
        start_from_model(other, "another", path, "neck")


@pytest.mark.parametrize("part", [None, "mix"])
def test_a_network_of_another_shape_is_left_alone(path, part):
    other = nn.ModuleDict({"mix": nn.Conv2d(5, 3, 1)})
    before = other.state_dict()["mix.weight"].clone()
    said = r"another shape \(mix.weight is \(3, 4, 1, 1\), wanted \(3, 5, 1, 1\)\)"
    with pytest.raises(ModelError, match=said):
        start_from_model(other, "tiny", path, part)
    assert torch.equal(other.state_dict()["mix.weight"], before)


def test_a_parameter_that_the_file_lacks_is_named(path):
    with pytest.raises(ModelError, match="weight is not there, wanted"):
        start_from_model(nn.Linear(4, 3), "tiny", path)


def test_another_methods_weights_are_refused_in_plain_words(path, network):
    with pytest.raises(
        ModelError,
        match=r"model\.onnx holds the weights of a tiny network, and a giftnet network is to begin "
        "with them: name a model of giftnet",
    ):
        start_from_model(network, "giftnet", path)


def test_files_of_earlier_versions_are_of_the_method_as_it_is_called_now(network):
    path, _ = find_model("samelight-s")
    with pytest.raises(ModelError, match="weights of a samelight network"):
        start_from_model(network, "tiny", path)


def test_a_file_that_is_no_network_is_refused(tmp_path, network):
    (tmp_path / "text.onnx").write_text("dear diary")
    with pytest.raises(ModelError, match=r"text\.onnx is not an ONNX file"):
        start_from_model(network, "tiny", tmp_path / "text.onnx")

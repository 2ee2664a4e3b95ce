"""What every published method here must do, whatever it is inside."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import samelight
from samelight.correction.field import Correction
from samelight.lab.contract import CorrectionNetwork
from samelight.lab.data.photos import PhotoFolder
from samelight.lab.export import MAX_ERROR, export_network
from samelight.lab.methods import METHODS
from samelight.lab.training.checkpoint import load_weights, save_weights
from samelight.lab.training.start import start_from_model
from samelight.models.session import open_session
from samelight.render.apply import render
from tests.lab.pictures import write_photos
from tests.lab.records import seen_at

PACKAGE = Path(samelight.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
SIZE = 64

PIXEL_TERMS = {"squared", "absolute", "reconstruct", "harmonize"}
"""Terms that compare colours with what they should be: 0 when there is nothing to do."""

CONFIGS = [(name, config) for name, method in METHODS.items() for config in method.configs]


@pytest.fixture(params=METHODS)
def method(request):
    torch.manual_seed(0)
    return METHODS[request.param]


@pytest.fixture
def network(method):
    return method.network(method.configs["small"].shape).eval()


@pytest.fixture
def awake(network):
    return wake(network)


def wake(network, std=0.05):
    """Perturb what starts at zero, and so would hide everything behind it."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=std)
    return network


@torch.no_grad()
def as_stored(network):
    """Round weights as an exported file does: matrices, not vectors."""
    for value in network.state_dict().values():
        if value.is_floating_point() and value.ndim > 1:
            value.copy_(value.half())
    return network


def disc(size=SIZE, centre=0.5):
    line = (torch.arange(size) + 0.5) / size
    distance = (line[:, None] - 0.5).square() + (line[None] - centre).square()
    return (distance < 0.09).float()[None, None]


def pictures(images=2, height=SIZE, width=SIZE):
    coarse = torch.rand(images, 3, 5, 5)
    return nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return PhotoFolder(write_photos(tmp_path_factory.mktemp("photos")))


@pytest.fixture
def batch(method, photos):
    """Two examples as the method's own view makes them."""
    view = method.configs["small"].examples
    examples = [view(photos, SIZE, np.random.default_rng(seed)) for seed in (3, 4)]
    objective = method.objective(
        method.network(method.configs["small"].shape), method.configs["small"].loss
    )
    assert type(examples[0])._fields == objective.batch._fields
    return objective.batch(*(torch.from_numpy(np.stack(f)) for f in zip(*examples, strict=True)))


def with_nothing_to_do(batch):
    if "real" in batch._fields:
        return batch._replace(composite=batch.real)
    return batch._replace(target=batch.content)


def thin(count):
    """A mask of so many single bright pixels; None for a full one."""
    mask = torch.zeros(2, 1, SIZE, SIZE)
    if count is None:
        return mask + 1
    for number in range(count):
        mask[..., 7 + 20 * number, 11 + 13 * number] = 1
    return mask


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_any_multiple_of_the_size_comes_back_at_its_size_and_in_range(name, config):
    torch.manual_seed(0)
    network = wake(METHODS[name].network(METHODS[name].configs[config].shape).eval(), std=0.5)
    step = network.multiple_of
    for rows, columns in ((1, 2), (3, 1)):
        composite = pictures(1, step * rows, step * columns)
        mask = torch.rand(1, 1, step * rows, step * columns)
        with torch.no_grad():
            image = network(composite, mask)
        assert image.shape == composite.shape
        assert image.dtype == torch.float32
        assert image.min() >= 0
        assert image.max() <= 1
        assert not torch.equal(image, composite)


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_an_empty_mask_returns_the_composite(name, config):
    torch.manual_seed(0)
    network = wake(METHODS[name].network(METHODS[name].configs[config].shape).eval())
    composite = pictures(1)
    with torch.no_grad():
        assert torch.equal(network(composite, torch.zeros(1, 1, SIZE, SIZE)), composite)


@torch.no_grad()
def test_outside_the_mask_the_composite_is_kept(awake):
    composite, mask = pictures(1), disc()
    image = awake(composite, mask)
    outside = (mask == 0).expand_as(image)
    assert torch.equal(image[outside], composite[outside])
    assert (image - composite)[~outside].abs().mean() > 1e-3


@torch.no_grad()
def test_a_full_mask_gives_finite_colours(awake):
    image = awake.trace(pictures(), thin(None)).image
    assert image.isfinite().all()


@torch.no_grad()
def test_an_image_does_not_depend_on_its_batch_mates(awake):
    composite, mask = pictures(3), torch.cat([disc(), thin(None)[:1], disc(centre=0.2)])
    together = awake(composite, mask)
    for number in range(3):
        alone = awake(composite[number : number + 1], mask[number : number + 1])
        torch.testing.assert_close(together[number : number + 1], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_background_decides_what_becomes_of_the_foreground(awake):
    mask, foreground = disc(), pictures(1)
    warm, cold = (
        torch.tensor(colour)[:, None, None] * pictures(1) ** 0.5
        for colour in ([1.0, 0.6, 0.3], [0.3, 0.6, 1.0])
    )
    images = [awake(back + mask * (foreground - back), mask) for back in (warm, cold)]
    inside = (mask == 1).expand_as(foreground)
    assert (images[0] - images[1])[inside].abs().max() > 1e-3


def test_a_gradient_reaches_every_parameter(method, network, batch):
    objective = method.objective(wake(network).train(), method.configs["small"].loss)
    objective(batch).total.backward()
    trained = {n: p for n, p in objective.named_parameters() if p.requires_grad}
    idle = [n for n, p in trained.items() if p.grad is None or not p.grad.any()]
    assert trained
    assert idle == []


def test_loss_terms_are_finite_and_the_total_has_a_gradient(method, network, batch):
    objective = method.objective(wake(network), method.configs["small"].loss)
    total, terms = objective(batch)
    assert total.requires_grad
    assert total.ndim == 0
    for name, value in {"total": total, **terms}.items():
        assert value.ndim == 0, name
        assert value.isfinite(), name
        assert value >= 0, name
    assert total > 0


def test_a_good_picture_is_left_alone_from_the_start(method, network, batch):
    objective = method.objective(network, method.configs["small"].loss)
    terms = objective(with_nothing_to_do(batch)).terms
    named = PIXEL_TERMS & set(terms)
    assert named
    assert {name: float(terms[name].detach()) for name in named} == dict.fromkeys(named, 0.0)
    assert sum(objective(batch).terms[name] for name in named) > 0


@pytest.mark.parametrize("pixels", [0, 1, 3, None])
def test_vanishing_masks_give_finite_losses_and_gradients_in_bfloat16(
    method, network, batch, pixels
):
    objective = method.objective(wake(network), method.configs["small"].loss)
    mask = thin(pixels)
    masked = batch._replace(**{field: mask for field in batch._fields if field.endswith("mask")})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = objective(masked)
        image = network(pictures(), mask)
    losses.total.backward()
    assert image.isfinite().all()
    assert all(value.isfinite() for value in (losses.total, *losses.terms.values()))
    for name, parameter in network.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


def test_a_step_leaves_what_is_frozen_as_it_was(method, network, batch):
    objective = method.objective(network.train(), method.configs["small"].loss).train()
    frozen = {n: p.clone() for n, p in objective.named_parameters() if not p.requires_grad}
    made_features = {
        n: b.clone() for n, b in objective.named_buffers() if n.startswith("perceptual")
    }
    optimizer = torch.optim.SGD([p for p in objective.parameters() if p.requires_grad], lr=0.1)
    objective(batch).total.backward()
    optimizer.step()
    objective.after_step()
    assert all(p.grad is None for p in objective.parameters() if not p.requires_grad)
    now = {**dict(objective.named_parameters()), **dict(objective.named_buffers())}
    for name, value in {**frozen, **made_features}.items():
        assert torch.equal(now[name], value), name


def test_thirty_steps_on_two_images_lower_the_loss(method, network, batch):
    objective = method.objective(network.train(), method.configs["small"].loss)
    optimizer = torch.optim.AdamW([p for p in objective.parameters() if p.requires_grad], lr=1e-3)
    errors = []
    for _ in range(30):
        losses = objective(batch)
        losses.total.backward()
        optimizer.step()
        optimizer.zero_grad()
        objective.after_step()
        named = PIXEL_TERMS & set(losses.terms)
        errors.append(sum(float(losses.terms[name].detach()) for name in named))
    assert errors[-1] < 0.6 * max(errors[:3])


@torch.no_grad()
def test_weights_come_back_from_a_file(method, awake, tmp_path):
    save_weights(tmp_path / "weights.safetensors", awake)
    other = method.network(method.configs["small"].shape).eval()
    composite, mask = pictures(1), disc()
    wanted = awake(composite, mask)
    assert not torch.equal(other(composite, mask), wanted)
    load_weights(tmp_path / "weights.safetensors", other)
    assert torch.equal(other(composite, mask), wanted)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_the_exported_file_answers_as_torch_does(name, config, tmp_path):
    torch.manual_seed(0)
    method = METHODS[name]
    network = wake(method.network(method.configs[config].shape).eval())
    if isinstance(network, CorrectionNetwork):
        pytest.skip("it answers with a correction: the next test")
    exported = export_network(network, seen_at(SIZE), name, tmp_path / "model.onnx")
    stored = as_stored(network)
    session = open_session(exported.path)
    assert (session.spec.method, session.spec.size_px) == (name, SIZE)
    for mask in (disc(), thin(3)[:1], thin(0)[:1], thin(None)[:1]):
        composite = pictures(1)
        found = session.picture(composite[0].permute(1, 2, 0).numpy(), mask[0, 0].numpy())
        with torch.no_grad():
            wanted = stored(composite, mask)[0].permute(1, 2, 0).numpy()
        assert abs(found - wanted).max() <= MAX_ERROR
        assert mask.any() or np.array_equal(found, wanted)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_predicted_correction_does_what_the_image_shows(method, tmp_path):
    network = wake(method.network(method.configs["small"].shape).eval())
    if not isinstance(network, CorrectionNetwork):
        pytest.skip("it answers with a picture: the test before")
    exported = export_network(network, seen_at(SIZE), method.name, tmp_path / "model.onnx")
    session, stored = open_session(exported.path), as_stored(network)
    for mask in (disc(), thin(3)[:1], thin(0)[:1], thin(None)[:1]):
        composite = pictures(1)
        seen = composite[0].permute(1, 2, 0).numpy(), mask[0, 0].numpy()
        grid, estimate = session.correction(*seen)
        with torch.no_grad():
            image = stored(composite, mask)[0].permute(1, 2, 0).numpy()
        assert abs(render(*seen, Correction(grid)) - image).max() <= MAX_ERROR
        assert min(estimate) > 0
        assert mask.sum() < 9 or abs(image - seen[0]).max() > 1e-3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "everywhere",
    [True, False],
    ids=["all weights differ", "some weights are alike"],
)
def test_training_can_start_from_the_exported_file(method, everywhere, tmp_path):
    shape = method.configs["small"].shape
    network = wake(method.network(shape))
    if everywhere:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.05 * torch.randn_like(parameter)
    exported = export_network(network, seen_at(SIZE), method.name, tmp_path / "model.onnx")
    other = method.network(shape)
    start_from_model(other, method.name, exported.path)
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(other.state_dict()[name], wanted), name


@pytest.mark.parametrize(("name", "config"), CONFIGS)
def test_the_size_of_a_network_is_no_accident(name, config):
    network = METHODS[name].network(METHODS[name].configs[config].shape)
    told = f"{sum(p.numel() for p in network.parameters()):,} parameters ({config})"
    assert told in (DOCS / "methods" / f"{name}.md").read_text("utf-8")


def test_a_method_is_listed_by_its_name_with_its_sizes_and_a_page(method):
    assert METHODS[method.name] is method
    assert "small" in method.configs
    for record in ("shape", "loss", "examples", "use"):
        assert len({type(getattr(config, record)) for config in method.configs.values()}) == 1
    page = (DOCS / "methods" / f"{method.name}.md").read_text("utf-8")
    if method.paper is not None:
        assert "paper" in method.configs
        assert method.paper.arxiv in page
        assert " ".join(method.paper.title.split()) in " ".join(page.split())


def test_a_recipe_fits_its_network(method):
    for config in method.configs.values():
        step = method.network(config.shape).multiple_of
        assert not [s for stage in method.recipe.stages for s in stage.sizes_px if s % step]
    assert all(stage.images > 0 for stage in method.recipe.stages)


def code_of(path):
    """A file's code, without comments and docstrings: those may name a source."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(body, list):
                body[:] = [line for line in body if not is_text(line)] or [ast.Pass()]
    return ast.unparse(tree)


def is_text(line):
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )


def test_nothing_outside_its_own_folder_knows_a_method(method):
    # Our own is called as the package is, which every file names.
    name = "methods.samelight" if method.name == "samelight" else method.name
    strangers = set()
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE)
        # The specs of files of earlier versions go with the last of these files.
        if place.as_posix() == "models/legacy.py":
            continue
        if place.parts[:2] == ("lab", "methods") or place.parts[0] == "weights":
            continue
        lines = [line for line in code_of(path).splitlines() if name in line.lower()]
        strangers |= {(place.as_posix(), line.strip()) for line in lines}
    assert not strangers

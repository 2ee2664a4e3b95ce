import json

import pytest
import torch
from PIL import Image

from samelight.errors import ModelError, PhotoError
from samelight.lab.data import donors
from samelight.lab.export import export_network
from samelight.lab.methods import METHODS
from samelight.lab.training import run as training_run
from samelight.lab.training.loop import RunOptions
from samelight.lab.training.request import TrainRequest
from samelight.lab.training.run import method_named, train_run
from tests.lab.pictures import write_pairs, write_photos
from tests.lab.records import seen_at

METHOD = METHODS["rcl_esf"]
OPTIONS = RunOptions(workers=0)


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "data")


def request(photos, run, **changes):
    return TrainRequest(**{"method": METHOD.name, "photos": photos, "run": run, **changes})


def test_names_that_do_not_exist_list_those_that_do(tmp_path):
    with pytest.raises(ModelError, match=rf'no method "moonlight": choose one of .*{METHOD.name}'):
        method_named("moonlight")
    run = tmp_path / "run"
    with pytest.raises(ModelError, match=r'no configuration "huge": choose one of small, paper'):
        train_run(request(tmp_path, run, config="huge"), OPTIONS)
    with pytest.raises(PhotoError, match="no photos"):
        train_run(request(tmp_path, run), OPTIONS)
    assert not run.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_run_can_begin_with_the_weights_of_a_model(tmp_path, photos, monkeypatch):
    network = METHOD.network(METHOD.configs["small"].shape)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model = export_network(network, seen_at(64), METHOD.name, tmp_path / "model.onnx").path
    begun = []

    class Start:
        def __init__(self, objective, *_):
            begun.append(objective.network)

        def fit(self, *_):
            pass

    monkeypatch.setattr(training_run, "Trainer", Start)
    train_run(request(photos, tmp_path / "run", start_from=str(model)), OPTIONS)
    for name, value in network.state_dict().items():
        wanted = value.half().float() if value.ndim > 1 else value
        assert torch.equal(begun[0].state_dict()[name], wanted), name


def test_another_seed_draws_other_examples(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(training_run.Trainer, "fit", lambda *_: None)
    for name, seed in (("usual", None), ("other", 7)):
        train_run(request(photos, tmp_path / name, seed=seed), OPTIONS)
    seeds = [
        json.loads((tmp_path / name / "run.json").read_text())["recipe"]["seed"]
        for name in ("usual", "other")
    ]
    assert seeds == [METHOD.recipe.seed, 7]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 3}, "seed 0, and 3"),
        ({"batch": 64}, "batch 32, and 64"),
        ({"images": 64}, "images 60000, and 64"),
        ({"size_px": 64}, r"sizes_px \[128\], and \[64\]"),
    ],
    ids=str,
)
def test_a_run_does_not_go_on_as_another(tmp_path, photos, monkeypatch, changes, said):
    monkeypatch.setattr(training_run.Trainer, "fit", lambda *_: None)
    train_run(request(photos, tmp_path / "run"), OPTIONS)
    with pytest.raises(ModelError, match=f"holds a run with .*{said} is asked for"):
        train_run(request(photos, tmp_path / "run", **changes), OPTIONS)
    train_run(request(photos, tmp_path / "run"), OPTIONS)


def test_a_model_that_is_not_there_leaves_no_run(tmp_path, photos):
    run = tmp_path / "run"
    with pytest.raises(ModelError, match="no model named 'moonlight'"):
        train_run(request(photos, run, start_from="moonlight"), OPTIONS)
    assert not run.exists()


@pytest.fixture
def with_held_out(photos):
    """One photo more, whose name holds it out of training."""
    for folder, name, of in (("photos", "h17", "dog"), ("masks", "h17_1", "dog_1")):
        (photos / folder / f"{name}.png").write_bytes((photos / folder / f"{of}.png").read_bytes())
    return photos


def given_to_fit(monkeypatch, asked):
    """What a run's trainer is told to train."""
    given = []
    monkeypatch.setattr(training_run.Trainer, "fit", lambda _, *rest: given.append(rest))
    train_run(asked, OPTIONS)
    return given[0]


def test_held_out_photos_are_validated_on_and_not_trained_on(tmp_path, with_held_out, monkeypatch):
    photos, _, watch = given_to_fit(
        monkeypatch, request(with_held_out, tmp_path / "run", size_px=64)
    )
    assert [entry.path.stem for entry in photos.entries] == ["a_cat", "dog", "sky"]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert sum(row["photos"] for row in record["photos"]) == 3

    seen = []
    network = METHOD.network(METHOD.configs["small"].shape).eval()
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    figures = [watch(network, images) for images in (0, 32)]
    # Untrained it leaves a composite alone.
    assert figures[0] == {"held_out_fmse_ratio": pytest.approx(1, abs=1e-3), "held_out_improved": 0}
    assert figures[0] == figures[1]
    assert {tuple(part.shape[1:]) for part in seen} == {(3, 64, 64)}
    assert sum(len(part) for part in seen) == 2 * training_run.HELD_OUT
    strips = sorted(path.name for path in (tmp_path / "run" / "held_out").iterdir())
    assert strips == ["00000000.jpg", "00000032.jpg"]


def test_pairs_are_scored_beside_held_out_photos(tmp_path, with_held_out, monkeypatch):
    asked = request(
        with_held_out, tmp_path / "run", size_px=32, pairs=write_pairs(tmp_path / "pairs")
    )
    _, _, watch = given_to_fit(monkeypatch, asked)
    figures = watch(METHOD.network(METHOD.configs["small"].shape).eval(), 0)
    assert list(figures) == [
        "fmse_ratio",
        "improved",
        "held_out_fmse_ratio",
        "held_out_improved",
    ]


def test_that_nothing_is_held_out_is_said(tmp_path, photos, monkeypatch, capsys):
    _, _, watch = given_to_fit(monkeypatch, request(photos, tmp_path / "run"))
    assert watch(None, 0) == {}
    assert "no object of a held-out photo to validate on" in capsys.readouterr().err


def test_notes_on_the_photos_are_told(tmp_path, photos, monkeypatch, capsys):
    Image.new("L", (96, 72)).save(photos / "masks" / "dog_1.png")
    given_to_fit(monkeypatch, request(photos, tmp_path / "run"))
    assert "dog_1.png is black: it is left out" in capsys.readouterr().err


def test_alike_objects_are_looked_for_once_and_kept_with_the_run(tmp_path, photos, monkeypatch):
    run = tmp_path / "run"
    folder, *_ = given_to_fit(monkeypatch, request(photos, run))
    # Of the three objects two are of one photo.
    assert folder.neighbours.shape == (3, 1)
    assert (run / "donors.npz").is_file()
    monkeypatch.setattr(donors, "alike_objects", lambda _: pytest.fail("looked for again"))
    again, *_ = given_to_fit(monkeypatch, request(photos, run))
    assert (again.neighbours == folder.neighbours).all()


def test_a_method_without_masks_looks_for_no_donors(tmp_path, photos, monkeypatch):
    folder, *_ = given_to_fit(monkeypatch, request(photos, tmp_path / "run", method="ssh"))
    assert folder.neighbours is None
    assert not (tmp_path / "run" / "donors.npz").exists()

import csv
import json
from itertools import pairwise

import pytest
import torch

from samelight.lab.training import loop, progress
from samelight.lab.training.loop import RunOptions, Trainer
from tests.lab.tiny import RandomView, TinyNetwork, TinyObjective, state_of, tiny_recipe

OPTIONS = {"workers": 0, "precision": "32-true", "accelerator": "cpu"}


def trainer(run, recipe, *, seed=0, spoiled=-1, **options):
    torch.manual_seed(seed)
    objective = TinyObjective(TinyNetwork(), spoiled)
    return Trainer(objective, recipe, run, RunOptions(**OPTIONS | options))


def interrupt_at(images):
    def evaluate(network, images_seen):
        if images_seen >= images:
            raise KeyboardInterrupt
        return {}

    return evaluate


@pytest.mark.parametrize("images", [8, 12, 20], ids=["in stage 1", "at the join", "in stage 2"])
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path, images):
    recipe = tiny_recipe(12, 16)
    whole = trainer(tmp_path / "whole", recipe, save_every=4)
    (tmp_path / "whole").mkdir()
    whole.fit(None, RandomView())

    (tmp_path / "run").mkdir()
    first = trainer(tmp_path / "run", recipe, save_every=4)
    with pytest.raises(KeyboardInterrupt):
        first.fit(None, RandomView(), interrupt_at(images))
    second = trainer(tmp_path / "run", recipe, seed=99, save_every=4)
    assert second.images_seen == images
    second.fit(None, RandomView())

    assert second.images_seen == whole.images_seen == 28
    for key, value in whole.inner.state_dict().items():
        assert torch.equal(second.inner.state_dict()[key], value), key
    stored = [state_of(tmp_path / name / "weights.safetensors") for name in ("whole", "run")]
    assert all(torch.equal(stored[0][key], stored[1][key]) for key in stored[0])


def test_a_finished_run_is_not_trained_again(tmp_path):
    recipe = tiny_recipe(12)
    trainer(tmp_path, recipe).fit(None, RandomView())
    before = state_of(tmp_path / "weights.safetensors")
    again = trainer(tmp_path, recipe, seed=5)
    again.fit(None, RandomView())
    assert again.inner.stepped == 0
    assert torch.equal(
        state_of(tmp_path / "weights.safetensors")["mix.weight"], before["mix.weight"]
    )


def test_training_approaches_the_real_image(tmp_path):
    met = []
    run = trainer(tmp_path, tiny_recipe(240))
    run.inner.register_forward_hook(lambda _, __, losses: met.append(float(losses.total.detach())))
    run.fit(None, RandomView())
    assert met[-1] < 0.1 * met[0]


@pytest.mark.parametrize("spoiled", [0, 2])
def test_a_step_that_is_not_finite_is_skipped(tmp_path, spoiled):
    run = trainer(tmp_path, tiny_recipe(20), spoiled=spoiled)
    weights = []
    original = run._step
    run._step = lambda batch: (
        original(batch),
        weights.append(run.inner.network.mix.weight.detach().clone()),
    )[0]
    start = run.inner.network.mix.weight.detach().clone()
    run.fit(None, RandomView())
    assert run.inner.stepped == 4
    assert run.average.steps == 4
    assert all(weight.isfinite().all() for weight in weights)
    weights = [start, *weights]
    moved = [not torch.equal(a, b) for a, b in pairwise(weights)]
    assert moved == [step != spoiled for step in range(5)]
    assert all(v.isfinite().all() for v in state_of(tmp_path / "weights.safetensors").values())


def test_a_last_batch_that_is_not_full_is_left_out_and_stages_start_on_time(tmp_path):
    run = trainer(tmp_path, tiny_recipe(10, 8))
    seen, rates = [], []
    monkey = run._batches

    def batches(stream, numbers):
        seen.append((numbers.start, numbers.stop))
        return monkey(stream, numbers)

    run._batches = batches
    original = run._step
    run._step = lambda batch: (rates.append(run.images_seen), original(batch))[1]
    run.fit(None, RandomView())
    assert seen == [(0, 10), (10, 18)]
    assert rates == [0, 4, 10, 14]
    assert run.images_seen == 18


def test_each_stage_has_its_size_and_its_rate(tmp_path):
    recipe = tiny_recipe(4, 4)
    larger = [
        recipe.stages[0],
        type(recipe.stages[1])(**vars(recipe.stages[1]) | {"sizes_px": (12,)}),
    ]
    recipe = type(recipe)(**vars(recipe) | {"stages": tuple(larger)})
    run = trainer(tmp_path, recipe)
    met = []
    run.inner.register_forward_pre_hook(lambda _, inputs: met.append(inputs[0].composite.shape[-1]))
    run.fit(None, RandomView())
    assert met == [8, 12]
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(loop.learning_rate(recipe, 4))


def test_gradients_are_clipped(tmp_path, monkeypatch):
    run = trainer(tmp_path, tiny_recipe(4))
    norms = []
    original = run.optimizer.step

    def step():
        norms.append(torch.cat([p.grad.flatten() for p in run.inner.parameters()]).norm())
        original()

    monkeypatch.setattr(run.optimizer, "step", step)
    run.recipe = type(run.recipe)(**vars(run.recipe) | {"clip_norm": 1e-3})
    run.fit(None, RandomView())
    assert float(norms[0]) == pytest.approx(1e-3, rel=1e-2)


def test_the_log_gets_a_row_of_means_and_figures_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "LOG_EVERY_STEPS", 2)
    met = []
    run = trainer(tmp_path, tiny_recipe(16), save_every=8)
    run.inner.register_forward_hook(lambda _, __, losses: met.append(float(losses.total.detach())))
    run.fit(None, RandomView(), lambda network, images: {"score": images / 2})
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["images"])) for row in rows] == [8, 16]
    assert float(rows[0]["total"]) == pytest.approx((met[0] + met[1]) / 2, rel=1e-4)
    assert {"images", "images_per_s", "total", "error", "rate"} == set(rows[0])
    lines = [json.loads(line) for line in (tmp_path / "figures.jsonl").read_text().splitlines()]
    assert lines[0] == {"images": 8, "score": 4}
    assert lines[-1] == {"images": 16, "score": 8}
    assert list((tmp_path / "tensorboard").iterdir())


def test_an_evaluation_does_not_count_as_training_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress, "LOG_EVERY_STEPS", 2)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    told = progress.Progress(tmp_path, 40, 0)
    now[0] += 1
    told.step(10, {"total": torch.tensor(1.0)})
    now[0] += 100
    told.pause(100)
    now[0] += 1
    told.step(20, {"total": torch.tensor(1.0)})
    with (tmp_path / "log.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["images_per_s"]) == 10


def test_the_averaged_network_is_what_is_evaluated(tmp_path):
    met = []
    run = trainer(tmp_path, tiny_recipe(16))
    run.fit(None, RandomView(), lambda network, _: met.append(network) or {})
    assert met
    assert all(network is run.average.network for network in met)

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from samelight import harmonize
from samelight.errors import ResultsError, UsageError
from samelight.lab.data.pairs import list_pairs, open_dataset
from samelight.lab.evaluation.baselines import BASELINES
from samelight.lab.evaluation.metrics import foreground_mse_255, psnr_db
from samelight.lab.evaluation.predict import baseline_entries, model_entries
from samelight.lab.evaluation.protocols import PROTOCOLS
from samelight.lab.evaluation.run import predict_run, score_run
from samelight.lab.evaluation.score import choose_protocol, read_scores
from samelight.models.spec import SPEC_KEY, View
from tests.conftest import model_spec
from tests.lab.datasets import write_ccharmony, write_iharmony4, write_realhm
from tests.lab.pictures import disc, smooth_photo, write_pairs


def quietly(steps, what, count):
    return steps


def evaluate(root, run, entries, protocol="samelight", split=None):
    listing, chosen = open_dataset(root, split), PROTOCOLS[protocol]
    predict_run(run, root, listing, entries, chosen, quietly)
    return score_run(run, root, listing, chosen, quietly)


def pixels(path, mode="RGB"):
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def test_the_models_scores_are_those_of_its_harmonized_pictures(tmp_path, tiny_model):
    (pair,) = list_pairs(write_pairs(tmp_path / "pairs", 1))
    model = model_entries(str(tiny_model))
    results = evaluate(tmp_path / "pairs", tmp_path / "run", model)
    scores = {s.entry: s for s in read_scores(tmp_path / "run" / "scores.csv")}
    assert list(scores) == ["identity", str(tiny_model)]
    real, mask = pixels(pair.real), pixels(pair.mask, "L") / np.float32(255)
    output = harmonize(pixels(pair.composite), mask, model=tiny_model)
    score, untouched = scores[str(tiny_model)], scores["identity"]
    assert score.psnr_db == pytest.approx(psnr_db(output, real))
    assert score.fmse_255 == pytest.approx(foreground_mse_255(output, real, mask))
    before = foreground_mse_255(pixels(pair.composite), real, mask)
    assert untouched.fmse_255 == pytest.approx(before)
    assert score.improved == (score.fmse_255 < untouched.fmse_255)
    assert not untouched.improved
    assert score.foreground == pytest.approx(mask.mean())
    assert results.entries[1].total.psnr_db == pytest.approx(score.psnr_db)


@pytest.mark.parametrize("write", [write_iharmony4, write_ccharmony, write_realhm])
@pytest.mark.parametrize("protocol", ["samelight", "idih"])
def test_miniatures_of_the_public_data_sets_are_scored(tmp_path, write, protocol):
    write(tmp_path / "data")
    baselines = baseline_entries(["mean-shift"])
    results = evaluate(tmp_path / "data", tmp_path / "run", baselines, protocol)
    assert results.pairs["images"] in (4, 2)
    assert [c.name for c in results.entries] == ["identity", "mean-shift"]
    assert sum(part.images for part in results.entries[0].groups.values()) == (
        results.entries[0].total.images
    )
    assert math.isfinite(results.entries[1].total.fmse_255)


def test_totals_are_weighted_by_images_not_by_sub_datasets(tmp_path):
    write_pairs(tmp_path / "pairs", 3)  # one "dark", two "all"
    results = evaluate(tmp_path / "pairs", tmp_path / "run", baseline_entries(["mkl"]))
    identity = results.entries[0]
    dark, rest = identity.groups["dark"], identity.groups["all"]
    assert (dark.images, rest.images) == (1, 2)
    wanted = (dark.fmse_255 + 2 * rest.fmse_255) / 3
    assert identity.total.fmse_255 == pytest.approx(wanted)


def test_results_say_with_what_they_were_measured(tmp_path, tiny_model):
    write_pairs(tmp_path / "pairs", 2)
    evaluate(tmp_path / "pairs", tmp_path / "run", model_entries(str(tiny_model)), "pctnet")
    content = json.loads((tmp_path / "run" / "results.json").read_text())
    assert content["protocol"]["name"] == "pctnet"
    assert content["protocol"]["background"] == "not counted"
    assert content["environment"]["packages"]["numpy"] == np.__version__
    assert content["environment"]["device"].startswith("cpu")
    assert content["pairs"]["folder"] == "pairs"
    assert str(tmp_path) not in json.dumps(content).replace(str(tiny_model), "")
    assert content["seconds"]["predict"][0][str(tiny_model)] > 0
    assert content["seconds"]["score"]["wall"] > 0
    assert len(content["entries"][1]["sha256"]) == 64


def test_unrounded_protocols_keep_fractions_of_a_level(tmp_path, tiny_model):
    write_pairs(tmp_path / "pairs", 1)
    model = model_entries(str(tiny_model))
    evaluate(tmp_path / "pairs", tmp_path / "run", model, "pctnet")
    (pair,) = list_pairs(tmp_path / "pairs")
    (score,) = read_scores(tmp_path / "run" / "scores.csv")[1:]
    composite = pixels(pair.composite).astype(np.float32) / np.float32(255)
    mask = pixels(pair.mask, "L") / np.float32(255)
    output = harmonize(composite, mask, model=tiny_model) * 255
    wanted = foreground_mse_255(output, pixels(pair.real), mask)
    assert score.fmse_255 == pytest.approx(wanted, rel=1e-4)
    assert abs(wanted - foreground_mse_255(np.rint(output), pixels(pair.real), mask)) > 0.01


def test_scoring_again_needs_no_model_and_gives_the_same(tmp_path):
    root, run = write_pairs(tmp_path / "pairs", 3), tmp_path / "run"
    first = evaluate(root, run, baseline_entries(["reinhard"]))
    rows = (run / "scores.csv").read_bytes()
    again = score_run(run, root, open_dataset(root), PROTOCOLS["samelight"], quietly)
    assert (run / "scores.csv").read_bytes() == rows
    assert again.entries == first.entries
    # The same outputs under another dialect of their size.
    assert choose_protocol(run, "pctnet").name == "pctnet"
    other = score_run(run, root, open_dataset(root), PROTOCOLS["pctnet"], quietly)
    assert other.entries[1].total != first.entries[1].total
    with pytest.raises(ResultsError, match="predict again with --protocol idih"):
        choose_protocol(run, "idih")


def test_anybodys_outputs_are_scored(tmp_path):
    root = write_pairs(tmp_path / "pairs", 2)
    mine = tmp_path / "run" / "predictions" / "mine"
    mine.mkdir(parents=True)
    for pair in list_pairs(root):
        Image.open(pair.real).save(mine / f"{pair.name}.png")
    results = score_run(tmp_path / "run", root, open_dataset(root), PROTOCOLS["samelight"], quietly)
    assert [c.name for c in results.entries] == ["identity", "mine"]
    assert results.entries[1].total.fmse_255 == 0
    assert results.entries[1].total.psnr_db == math.inf
    assert json.loads((tmp_path / "run" / "results.json").read_text())


def test_what_is_missing_or_does_not_fit_is_named(tmp_path):
    root, run = write_pairs(tmp_path / "pairs", 2), tmp_path / "run"
    baselines = baseline_entries(["mkl"])
    evaluate(root, run, baselines)
    listing = open_dataset(root)
    output = run / "predictions" / "mkl" / "p1_1_1.png"
    Image.new("RGB", (5, 4)).save(output)
    with pytest.raises(ResultsError, match=r"p1_1_1.png is \(4, 5\), under this protocol"):
        score_run(run, root, listing, PROTOCOLS["samelight"], quietly)
    output.unlink()
    with pytest.raises(ResultsError, match=r"p1_1_1.png is missing: run `samelight predict`"):
        score_run(run, root, listing, PROTOCOLS["samelight"], quietly)
    with pytest.raises(ResultsError, match="the protocol was samelight, now it is pctnet"):
        evaluate(root, run, baselines, "pctnet")
    others = write_pairs(tmp_path / "others", 1)
    with pytest.raises(ResultsError, match="the pairs was"):
        evaluate(others, run, baselines)
    with pytest.raises(ResultsError, match="2 triples of pairs"):
        score_run(run, others, open_dataset(others), PROTOCOLS["samelight"], quietly)
    with pytest.raises(UsageError, match="no baseline 'best': choose from identity"):
        baseline_entries(["best"])


def test_only_what_is_not_there_is_predicted(tmp_path):
    root, run = write_pairs(tmp_path / "pairs", 3), tmp_path / "run"
    first = evaluate(root, run, baseline_entries(["mkl"]))
    kept = run / "predictions" / "mkl" / "p0_1_1.png"
    before = kept.stat().st_mtime_ns
    (run / "predictions" / "mkl" / "p2_1_1.png").unlink()
    second = evaluate(root, run, baseline_entries(["mkl", "gray-world"]))
    assert kept.stat().st_mtime_ns == before
    assert [c.name for c in second.entries] == ["identity", "mkl", "gray-world"]
    assert second.entries[1] == first.entries[1]


KILLED = """
import sys, time
from samelight.lab.evaluation import baselines as baselines
from samelight.lab.evaluation import predict
from samelight.interfaces.cli.main import main
slow = baselines.BASELINES["mkl"]
def wait(composite, mask):
    time.sleep(0.05)
    return slow(composite, mask)
baselines.BASELINES["mkl"] = wait
sys.exit(main())
"""


def test_a_killed_evaluation_goes_on(tmp_path, tiny_model):
    root, run = write_pairs(tmp_path / "pairs", 24), tmp_path / "run"
    command = ["evaluate", str(tiny_model), "--pairs", str(root), "--out", str(run)]
    command += ["--baselines", "mkl"]
    begun = subprocess.Popen(
        [sys.executable, "-c", KILLED, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    outputs = run / "predictions"
    while len(list(outputs.rglob("[!.]*.png"))) < 12 and begun.poll() is None:
        time.sleep(0.02)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    kept = {path: path.stat().st_mtime_ns for path in outputs.rglob("[!.]*.png")}
    assert 12 <= len(kept) < 48
    entries = [*baseline_entries(["mkl"]), *model_entries(str(tiny_model))]
    resumed = evaluate(root, run, entries)
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert not [path for path in outputs.rglob("*") if path.name.startswith(".")]
    whole = evaluate(root, tmp_path / "whole", entries)
    assert resumed.entries == whole.entries


def test_interrupted_scoring_goes_on(tmp_path):
    root, run = write_pairs(tmp_path / "pairs", 5), tmp_path / "run"
    whole = evaluate(root, run, baseline_entries(["mkl"]))
    rows = (run / "scores.csv").read_text().splitlines(keepends=True)
    output = run / "predictions" / "mkl" / "p3_1_1.png"
    content = output.read_bytes()
    output.unlink()
    with pytest.raises(ResultsError, match="is missing"):
        score_run(run, root, open_dataset(root), PROTOCOLS["samelight"], quietly)
    (part,) = run.glob("scores.*.part.csv")
    assert part.read_text() == "".join(rows[:7])
    part.write_text("".join(rows[:6]) + rows[6][:9])  # as a kill in the middle of a line leaves it
    output.write_bytes(content)
    again = score_run(run, root, open_dataset(root), PROTOCOLS["samelight"], quietly)
    assert again.entries == whole.entries
    assert (run / "scores.csv").read_text() == "".join(rows)
    assert not list(run.glob("scores.*.part.csv"))


def test_every_baseline_by_name(tmp_path):
    root = write_pairs(tmp_path / "pairs", 1)
    results = evaluate(root, tmp_path / "run", baseline_entries(list(BASELINES)))
    assert [c.name for c in results.entries] == list(BASELINES)


DEV = os.environ.get("SAMELIGHT_DEV")


@pytest.mark.skipif(DEV is None, reason="SAMELIGHT_DEV is not set to the folder of the dev set")
def test_identity_on_the_dev_set_equals_an_independent_computation(tmp_path):
    results = score_run_of_identity(Path(DEV), tmp_path)
    figures = []
    for composite in sorted((Path(DEV) / "composite_images").iterdir()):
        with_mask = composite.stem.rsplit("_", 1)[0]
        real = next((Path(DEV) / "real_images").glob(with_mask.rsplit("_", 1)[0] + ".*"))
        error = pixels(composite).astype(float) - pixels(real).astype(float)
        mask = pixels(Path(DEV) / "masks" / f"{with_mask}.png", "L") / 255
        mse = (error**2).mean()
        fmse = (error**2 * mask[..., None]).sum() / (3 * mask.sum())
        figures.append((10 * math.log10(255**2 / mse), mse, fmse))
    wanted = np.mean(figures, axis=0)
    total = results.entries[0].total
    found = (total.psnr_db, total.mse_255, total.fmse_255)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def score_run_of_identity(root, run):
    """No entry but the identity: nothing is predicted."""
    (run / "predictions" / "none").mkdir(parents=True)
    for pair in list_pairs(root):
        (run / "predictions" / "none" / f"{pair.name}.jpg").symlink_to(pair.composite)
    return score_run(run, root, open_dataset(root), PROTOCOLS["samelight"], quietly)


def test_scores_are_a_row_each(tmp_path):
    root = write_pairs(tmp_path / "pairs", 2)
    evaluate(root, tmp_path / "run", baseline_entries(["mkl"]))
    with (tmp_path / "run" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["entry"], row["name"]) for row in rows] == [
        ("identity", "p0_1_1"), ("mkl", "p0_1_1"), ("identity", "p1_1_1"), ("mkl", "p1_1_1")
    ]  # fmt: skip
    assert rows[0]["group"] == "dark"


def write_background_model(path):
    """The network `image = composite + mask * (mean of the whole composite - 0.5)`."""
    square = [32, 32]
    inputs = [
        helper.make_tensor_value_info("composite", TensorProto.FLOAT, [1, 3, *square]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, *square]),
    ]
    outputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *square])]
    nodes = [
        helper.make_node("ReduceMean", ["composite"], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Sub", ["mean", "half"], ["lift"]),
        helper.make_node("Mul", ["mask", "lift"], ["change"]),
        helper.make_node("Add", ["composite", "change"], ["image"]),
    ]
    half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
    graph = helper.make_graph(nodes, "background", inputs, outputs, [half])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = model_spec("tiny", size_px=32, views=(View(size_px=32),))
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    onnx.save(model, path)
    return str(path)


def test_on_gray_the_model_cannot_see_the_background(tmp_path):
    name = write_background_model(tmp_path / "background.onnx")
    listed = {c.name: c.run for c in model_entries(name, ablate_background=True)}
    assert [c.name for c in model_entries(name)] == [name]
    mask = disc() / np.float32(255)
    dark = smooth_photo(np.random.default_rng(0)) // 2
    inside = mask > 0
    light = np.where(inside[..., None], dark, np.uint8(200))
    seeing = [listed[name](picture, mask)[inside].astype(int) for picture in (dark, light)]
    blind = [listed[f"{name} on gray"](picture, mask) for picture in (dark, light)]
    assert abs(seeing[0] - seeing[1]).mean() > 20
    assert np.array_equal(blind[0][inside], blind[1][inside])
    # What is blind is the prediction: the picture keeps its own background.
    assert np.array_equal(blind[0][~inside], dark[~inside])
    assert np.array_equal(blind[1][~inside], light[~inside])

import csv
import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from samelight import harmonize
from samelight.errors import MaskError
from samelight.lab.data.pairs import list_pairs
from samelight.lab.evaluation.metrics import foreground_mse_255, psnr_db
from samelight.lab.evaluation.peers import PEERS
from samelight.lab.evaluation.report import contenders_table, families_table
from samelight.lab.evaluation.run import (
    Score,
    contenders,
    score_pairs,
    summarise,
    write_scores,
)
from tests.lab.pictures import disc, smooth_photo, write_pairs


def scores_of(pairs, model, **options):
    listed = contenders(str(model), **options)
    return [score for row in score_pairs(pairs, listed) for score in row]


def pixels(path, mode="RGB"):
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def test_every_contender_is_scored_on_every_triple(tmp_path, tiny_model):
    pairs = list_pairs(write_pairs(tmp_path, 3))
    scores = scores_of(pairs, tiny_model, ablate_background=True)
    names = [*PEERS, str(tiny_model), f"{tiny_model} on gray"]
    assert [s.contender for s in scores] == names * 3
    assert [s.name for s in scores[:: len(names)]] == ["p0_1_1", "p1_1_1", "p2_1_1"]
    assert [s.family for s in scores[:: len(names)]] == ["dark", "all", "all"]


def test_the_models_scores_are_those_of_its_harmonized_pictures(tmp_path, tiny_model):
    (pair,) = list_pairs(write_pairs(tmp_path, 1))
    scores = {s.contender: s for s in scores_of([pair], tiny_model)}
    real, mask = pixels(pair.real), pixels(pair.mask, "L") / np.float32(255)
    output = harmonize(pixels(pair.composite), mask, model=tiny_model)
    score = scores[str(tiny_model)]
    assert score.psnr_db == pytest.approx(psnr_db(output, real))
    assert score.fmse_255 == pytest.approx(foreground_mse_255(output, real, mask))
    untouched = scores["identity"]
    assert untouched.fmse_255 == pytest.approx(
        foreground_mse_255(pixels(pair.composite), real, mask)
    )
    assert score.improved == (score.fmse_255 < untouched.fmse_255)
    assert not untouched.improved


def test_scores_are_a_row_each(tmp_path, tiny_model):
    scores = scores_of(list_pairs(write_pairs(tmp_path, 2)), tiny_model)
    write_scores(tmp_path / "scores.csv", scores)
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(scores) == 8
    for row, score in zip(rows, scores, strict=True):
        assert row["contender"] == score.contender
        assert row["name"] == score.name
        assert float(row["psnr_db"]) == pytest.approx(score.psnr_db)
        assert row["improved"] == str(score.improved)


def score(contender, fmse, *, improved=False, psnr=30.0, family="all"):
    return Score(contender, "p", family, psnr, fmse / 4, fmse, improved)


def test_the_ratio_is_of_means_and_the_identitys_is_1():
    identity = [score("identity", 100.0), score("identity", 300.0)]
    model = [score("model", 50.0, improved=True, psnr=32.0), score("model", 350.0)]
    summary = summarise(model, identity)
    assert summary.images == 2
    assert summary.fmse_255 == pytest.approx(200)
    assert summary.mse_255 == pytest.approx(50)
    assert summary.fmse_ratio == pytest.approx(1)  # and not (0.5 + 7/6) / 2
    assert summary.psnr_db == pytest.approx(31)
    assert summary.improved == pytest.approx(0.5)
    assert summarise(identity, identity).fmse_ratio == 1
    assert math.isnan(summarise(model, [score("identity", 0.0)]).fmse_ratio)


def cells(table):
    return [list(column.cells) for column in table.columns]


def test_tables_show_the_summaries():
    scores = [
        score("identity", 100.0, family="dark"),
        score("model", 25.0, improved=True, family="dark"),
        score("identity", 300.0, family="warm"),
        score("model", 375.0, family="warm"),
    ]
    first, *_, ratio, improved = cells(contenders_table(scores))
    assert first == ["identity", "model"]
    assert (ratio, improved) == (["1.000", "1.000"], ["0.0%", "50.0%"])
    family, images, *_, ratio, improved = cells(families_table(scores, "model"))
    assert (family, images) == (["dark", "warm"], ["1", "1"])
    assert (ratio, improved) == (["0.250", "1.250"], ["100.0%", "0.0%"])


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
    helper.set_model_props(model, {"size_px": "32", "method": "tiny"})
    onnx.save(model, path)
    return str(path)


def test_on_gray_the_model_cannot_see_the_background(tmp_path):
    name = write_background_model(tmp_path / "background.onnx")
    listed = contenders(name, ablate_background=True)
    assert f"{name} on gray" not in contenders(name)
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


@pytest.mark.parametrize("folder", ["masks/p0_1.png", "real_images/p0.png"])
def test_sizes_that_differ_are_named(tmp_path, tiny_model, folder):
    write_pairs(tmp_path, 1)
    with Image.open(tmp_path / folder) as image:
        smaller = image.resize((48, 36))
    smaller.save(tmp_path / folder)
    with pytest.raises(MaskError, match=r"p0_1_1: .*\(36, 48\).* differ in size"):
        scores_of(list_pairs(tmp_path), tiny_model)

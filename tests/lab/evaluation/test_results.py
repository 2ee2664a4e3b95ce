import math
from dataclasses import replace

import numpy as np
import pytest

from samelight.errors import ResultsError, UsageError
from samelight.lab.evaluation.protocols import PROTOCOLS
from samelight.lab.evaluation.published import list_published, list_sources, published_rows
from samelight.lab.evaluation.report import (
    entries_rows,
    markdown_table,
    parts_rows,
    results_table,
)
from samelight.lab.evaluation.results import conclude, read_results, summarise
from samelight.lab.evaluation.score import Score


def score(entry, fmse, *, improved=False, psnr=30.0, group="all", foreground=0.1, name="p"):
    figures = {"psnr_db": psnr, "mse_255": fmse / 4, "fmse_255": fmse, "ssim": 0.9, "fssim": 0.8}
    return Score(entry, name, group, foreground, **figures, improved=improved)


def concluded(scores):
    empty = {"pairs": {"images": 2, "folder": "x"}, "environment": {}, "seconds": {}, "models": {}}
    return conclude(scores, PROTOCOLS["samelight"], **empty)


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
    assert math.isnan(summarise(model, [score("identity", 0.0)] * 2).fmse_ratio)


def test_intervals_cover_what_resampling_by_the_book_gives():
    rng = np.random.default_rng(3)
    fmse = rng.gamma(2, 400, 60)
    identity = [score("identity", 1000.0 + k) for k in range(60)]
    summary = summarise([score("model", f) for f in fmse], identity)
    low, high = summary.ci95["fmse_255"]
    drawn = [rng.choice(fmse, 60).mean() for _ in range(4000)]
    np.testing.assert_allclose((low, high), np.percentile(drawn, (2.5, 97.5)), rtol=0.03)
    assert low < summary.fmse_255 < high
    assert summarise([score("m", f) for f in fmse], identity).ci95 == summary.ci95
    assert summary.ci95["ssim"] == pytest.approx((0.9, 0.9))


def test_bins_divide_by_foreground_and_groups_by_group():
    shares = [0.01, 0.049, 0.05, 0.149, 0.15, 1.0]
    scores = [
        score(who, 100.0 * (k + 1), foreground=share, group="ab"[k % 2], name=str(k))
        for k, share in enumerate(shares)
        for who in ("identity", "model")
    ]
    results = concluded(scores)
    model = results.entries[1]
    assert {name: part.images for name, part in model.bins.items()} == {
        "0-5 %": 2, "5-15 %": 2, "15-100 %": 2
    }  # fmt: skip
    assert model.bins["5-15 %"].fmse_255 == pytest.approx(350)
    assert {name: part.images for name, part in model.groups.items()} == {"a": 3, "b": 3}
    assert parts_rows(model.groups)[0][:2] == ("a", "3")


def example():
    return concluded(
        [
            score("identity", 100.0, group="dark", psnr=math.inf),
            score("model", 25.0, improved=True, group="dark"),
            score("identity", 300.0, group="warm"),
            score("model", 375.0, group="warm"),
        ]
    )


def test_tables_show_the_summaries():
    identity, model = entries_rows(example())
    assert (identity[0], model[0]) == ("identity", "model")
    assert identity[1] == "inf"
    assert (identity[-2:], model[-2:]) == (("1.000", "0.0 %"), ("1.000", "50.0 %"))
    dark, warm = parts_rows(example().entries[1].groups)
    assert (dark[0], dark[-2], warm[-2]) == ("dark", "0.250", "1.250")
    lines = results_table(example(), "total", intervals=True).splitlines()
    assert lines[0].startswith("| 2 composites | PSNR dB |")
    assert lines[3].startswith("| identity, 95 % |  |")
    assert len(results_table(example(), "group").splitlines()) == 4
    assert "0.250" in results_table(example(), "group", "model")
    with pytest.raises(UsageError, match="choose total, group or bin, and one of identity, model"):
        results_table(example(), "colour")
    with pytest.raises(UsageError, match="of 'nobody'"):
        results_table(example(), "group", "nobody")
    assert markdown_table(("a", "b"), [("1", "")]) == "| a | b |\n| --- | --- |\n| 1 | |"


def test_results_survive_the_file(tmp_path):
    results = example()
    results.write(tmp_path / "results.json")
    again = read_results(tmp_path)
    assert again.entries[1] == replace(results.entries[1], total=again.entries[1].total)
    assert again.entries[1].total.fmse_255 == results.entries[1].total.fmse_255
    assert math.isnan(again.entries[0].total.psnr_db)  # JSON has no infinity


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(ResultsError, match=r"results.json is missing: run `samelight evaluate`"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text('{"entries": [1]}')
    with pytest.raises(ResultsError, match=r"no results\.json of this version"):
        read_results(tmp_path)


def figures(rows, method):
    (row,) = [r for r in rows if r.method == method]
    return row.psnr_db, row.mse, row.fmse


def test_published_rows_carry_their_sources():
    rows = list_published("iHarmony4", size="256")
    assert figures(rows, "SCS-Co") == ("38.75", "21.33", "248.86")
    assert figures(rows, "HDNet") == ("40.46", "16.55", "")
    full = list_published("iHarmony4", size="own")
    assert figures(full, "composite") == ("31.39", "177.99", "1462.45")
    (gift,) = [r for r in list_published("ccHarmony") if r.method == "GiftNet"]
    assert (gift.psnr_db, gift.fmse, gift.fssim) == ("37.59", "235.20", "0.9322")
    sources = list_sources()
    everything = [r for d in ("iHarmony4", "ccHarmony") for r in list_published(d)]
    assert {row.source for row in everything} <= set(sources)
    assert all(s.address.startswith("https://") for s in sources.values() if s.source != "none")
    # DCCF: one set of outputs, two peaks of the PSNR (docs/benchmark.md).
    dccf = {r.source: r for r in full if r.method == "DCCF"}
    assert dccf["pctnet"].fmse[:5] == dccf["inr"].fmse[:5]
    assert dccf["pctnet"].psnr_db != dccf["inr"].psnr_db


def test_the_published_totals_are_image_weighted_means_of_their_parts():
    counts = {"HCOCO": 4283, "HAdobe5k": 2160, "HFlickr": 828, "Hday2night": 133}
    parts = {
        name: figures(list_published("iHarmony4", name, "own"), "PCTNet-ViT") for name in counts
    }
    weighted = sum(counts[name] * float(parts[name][1]) for name in counts) / 7404
    assert weighted == pytest.approx(18.84, abs=0.01)


def test_ones_own_rows_stand_below():
    rows = published_rows(list_published("iHarmony4"), example(), "All")
    assert rows[-1][:2] == ("model", "own")
    assert rows[-1][7] == "this run, samelight"
    assert len(published_rows([], example(), "HCOCO")) == 0


def test_what_was_not_published_is_answered_with_what_was():
    with pytest.raises(UsageError, match="choose one of iHarmony4, ccHarmony"):
        list_published("mine")
    with pytest.raises(UsageError, match="part 'HCooc'"):
        list_published("iHarmony4", "HCooc")

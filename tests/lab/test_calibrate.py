import numpy as np
import pytest
from PIL import Image

from samelight.errors import DatasetError, UsageError
from samelight.harmonizer import Harmonizer
from samelight.lab.calibrate import (
    MAX_REAL_MOVED,
    Measured,
    apply_map,
    find_gate,
    fit_error_maps,
    measure_folder,
)
from samelight.lab.contract import ErrorMap
from samelight.lab.evaluation.metrics import foreground_mse_255
from samelight.mask.mask import Mask
from samelight.models.spec import Gate
from samelight.render.apply import render
from tests.lab.pictures import disc


def measured(expected, true, name="set", real=(2.0,), moved=(5.0,)):
    """A folder where what is expected of results is as of composites; corrections undo all."""
    square = np.array(true, float) ** 2
    return Measured(
        name,
        expected=np.stack([np.array(expected, float)] * 2, axis=1),
        true=np.stack([np.array(true, float)] * 2, axis=1),
        squared=np.stack([square, -2 * square, square], axis=1),
        expected_real=np.array(real, float),
        real_moved=np.array(moved, float),
    )


def write_flat_pairs(root, real, *composites):
    """Gray squares: a real one, and composites whose disc is of other grays."""
    for folder in ("composite_images", "masks", "real_images"):
        (root / folder).mkdir(parents=True)
    mask = disc(64, 64)
    for number, gray in enumerate(composites):
        picture = np.full((64, 64, 3), real, np.uint8)
        Image.fromarray(picture).save(root / "real_images" / f"p{number}.png")
        picture[mask > 0] = gray
        Image.fromarray(picture).save(root / "composite_images" / f"p{number}_1_1.png")
        Image.fromarray(mask).save(root / "masks" / f"p{number}_1.png")
    return root


def test_a_folder_is_measured_as_the_model_is_used(tmp_path, correcting_model):
    # On the left red loses a fifth, on the right green gains 0.1; it expects 12 and 4 levels.
    folder = write_flat_pairs(tmp_path / "flat", 100, 150, 70)
    found = measure_folder(Harmonizer(correcting_model), folder)
    assert found.name == "flat"
    assert found.expected.tolist() == [[12, 4], [12, 4]]
    np.testing.assert_allclose(found.true[:, 0], [50, 30], rtol=0.02)
    assert found.ratio == pytest.approx(24 / 80, rel=0.02)
    for row, gray in enumerate((150, 70)):
        picture = np.full((64, 64, 3), 100 / 255, np.float32)
        mask = disc(64, 64) / np.float32(255)
        picture[mask > 0] = gray / 255
        correction = Harmonizer(correcting_model).predict(picture, Mask(mask)).correction
        for share in (0.0, 0.5, 1.0):
            output = render(picture, mask, correction.with_strength(share))
            wanted = foreground_mse_255(255 * output, np.full_like(output, 100), mask)
            left = found.squared[row] @ [1, share, share**2]
            assert left == pytest.approx(wanted, rel=0.03)
        assert found.true[row] ** 2 == pytest.approx([found.squared[row, 0], wanted], rel=0.03)
    assert found.expected_real.tolist() == [12, 12]
    np.testing.assert_allclose(found.real_moved, (0.5 * 20 + 0.5 * 25.5) / 3, rtol=0.05)


def test_a_model_that_estimates_nothing_is_refused(tmp_path, tiny_model):
    with pytest.raises(UsageError, match="estimates errors"):
        measure_folder(Harmonizer(tiny_model), tmp_path)


def test_a_folder_without_composites_is_refused(tmp_path, correcting_model):
    with pytest.raises(DatasetError, match="no composites"):
        measure_folder(Harmonizer(correcting_model), tmp_path)


def test_a_map_is_a_straight_line_in_logarithms():
    errors = apply_map(ErrorMap(slope=0.5, offset=np.log(3)), np.array([4.0, 100.0]))
    np.testing.assert_allclose(errors, [6, 30])


def test_a_line_in_logarithms_is_found_again():
    true = np.array([4.0, 9.0, 25.0, 64.0])
    for error_map in fit_error_maps([measured((true / 3) ** 2, true)]):
        assert error_map.slope == pytest.approx(0.5)
        assert error_map.offset == pytest.approx(np.log(3))


def test_expected_over_true_error_is_1_in_the_mean_over_folders(rng):
    folders = [
        measured(rng.uniform(5, 20, 16), rng.uniform(10, 60, 16), "few"),
        measured(rng.uniform(5, 40, 140), rng.uniform(5, 50, 140), "many"),
    ]
    maps = fit_error_maps(folders)
    before, after = (
        np.mean([folder.ratio for folder in each])
        for each in (folders, [folder.mapped(maps) for folder in folders])
    )
    assert before < 0.8
    assert after == pytest.approx(1)


def test_noise_does_not_make_it_expect_the_same_of_all_nor_more_than_it_did(rng):
    true = rng.uniform(10, 60, 100)
    for noise in (0.5, 1.0):
        expected = 100 * true * np.exp(noise * rng.standard_normal(100))
        slope = fit_error_maps([measured(expected, true)])[0].slope
        assert slope == pytest.approx(np.log(true).std() / np.log(expected).std())
    assert fit_error_maps([measured(true**0.5, true)])[0].slope == 1


def test_composites_that_are_all_equally_wrong_tell_nothing():
    with pytest.raises(UsageError, match="equally wrong"):
        fit_error_maps([measured([3, 4], [20, 20])])


def test_what_a_gate_leaves_and_moves_is_what_its_weights_do():
    folder = measured([5, 15, 30], [10, 20, 40], real=(0, 10), moved=(8, 4))
    assert folder.left_over(None) == pytest.approx(0)
    assert folder.moved(None) == 6
    gate = Gate(closed=5, open=25)
    # Weights 0, 0.5, 1: of squared errors 100, 400, 1600 are left 100, 100, 0.
    assert folder.left_over(gate) == pytest.approx(200 / 2100)
    assert folder.moved(gate) == pytest.approx((0 * 8 + 0.25 * 4) / 2)


def test_the_gate_found_lets_through_all_that_it_may():
    # Wrong ones are expected to be above 20, right ones below 10: nothing need be lost.
    clear = measured([20, 30, 50], [20, 30, 50], real=(4, 6, 9), moved=(6, 6, 6))
    gate = find_gate([clear])
    assert clear.left_over(gate) == pytest.approx(0)
    assert clear.moved(gate) <= MAX_REAL_MOVED
    # Where both are expected alike, real photos decide, in the worst folder.
    alike = measured([12, 14], [12, 14], "alike", real=(12, 14), moved=(6, 6))
    gate = find_gate([clear, alike])
    assert alike.moved(gate) <= MAX_REAL_MOVED
    assert alike.left_over(gate) > 0.5

import pytest
import torch

from samelight.lab.losses.pixel import MIN_AREA, foreground_absolute_error, foreground_squared_error


def two_by_two():
    """One image whose two foreground pixels are off by (0.1, 0.2, 0.3) and (0, 0, 0.4)."""
    real = torch.full((1, 3, 2, 2), 0.5)
    output = real.clone()
    output[0, :, 0, 0] += torch.tensor([0.1, -0.2, 0.3])
    output[0, :, 1, 1] += torch.tensor([0.0, 0.0, 0.4])
    mask = torch.eye(2)[None, None]
    return output, real, mask


def test_a_hand_worked_two_by_two():
    output, real, mask = two_by_two()
    # (0.01 + 0.04 + 0.09 + 0.16) / (3 * 2) and (0.1 + 0.2 + 0.3 + 0.4) / (3 * 2)
    assert float(foreground_squared_error(output, real, mask)) == pytest.approx(0.05)
    assert float(foreground_absolute_error(output, real, mask)) == pytest.approx(1 / 6)


def test_images_count_alike_whatever_their_area():
    output, real, mask = two_by_two()
    small = torch.zeros(1, 1, 2, 2)
    small[0, 0, 0, 0] = 1
    only = output.clone()
    only[0, :, 1, 1] = 0.5
    both = [torch.cat(pair) for pair in ((output, only), (real, real), (mask, small))]
    # the second image: (0.01 + 0.04 + 0.09) / 3
    wanted = (0.05 + 0.14 / 3) / 2
    assert float(foreground_squared_error(*both)) == pytest.approx(wanted)


def test_a_small_foreground_counts_as_100_pixels_of_256_squared():
    real = torch.zeros(1, 3, 64, 64)
    output, mask = real.clone(), torch.zeros(1, 1, 64, 64)
    output[0, :, 3, 3], mask[0, 0, 3, 3] = 0.5, 1
    # 100 of 256² pixels are 6.25 of 64²
    assert pytest.approx(6.25) == MIN_AREA * 64 * 64
    assert float(foreground_squared_error(output, real, mask)) == pytest.approx(0.25 / 6.25)
    assert float(foreground_absolute_error(output, real, mask)) == pytest.approx(0.5 / 6.25)


@pytest.mark.parametrize("loss", [foreground_squared_error, foreground_absolute_error])
def test_equal_images_and_empty_masks_are_0(loss):
    _, real, mask = two_by_two()
    assert float(loss(real, real, mask)) == 0
    assert float(loss(real, real, torch.zeros_like(mask))) == 0


@pytest.mark.parametrize("loss", [foreground_squared_error, foreground_absolute_error])
def test_the_gradient_points_away_from_the_real_image(loss):
    output, real, mask = two_by_two()
    output.requires_grad_()
    loss(output, real, mask).backward()
    assert torch.equal(output.grad.sign(), (output.detach() - real).sign())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_errors_are_summed_in_float32(dtype):
    # 12 288 errors of one: float16 and bfloat16 cannot count so far.
    output, real = torch.ones(1, 3, 64, 64, dtype=dtype), torch.zeros(1, 3, 64, 64, dtype=dtype)
    assert float(foreground_squared_error(output, real, torch.ones(1, 1, 64, 64))) == 1

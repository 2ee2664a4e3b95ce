import pytest
import torch

from samelight.lab.nn.heads import AffineHead, BlendHead, enlarge


def test_affine_head_starts_as_the_identity():
    torch.manual_seed(0)
    composite = torch.rand(2, 3, 16, 24)
    assert torch.equal(AffineHead(8)(torch.randn(2, 8, 4, 6), composite), composite)


def test_affine_head_adds_a_matrix_and_an_offset():
    head = AffineHead(8)
    with torch.no_grad():
        head.coefficients.bias[1 * 3 + 0] = 0.5  # green out of red
        head.coefficients.bias[9 + 2] = -0.1  # less blue
    composite = torch.tensor([0.4, 0.3, 0.2])[None, :, None, None].expand(1, 3, 4, 4)
    found = head(torch.randn(1, 8, 2, 2), composite)
    # green 0.3 + 0.5 * 0.4, blue 0.2 - 0.1
    torch.testing.assert_close(found[0, :, 2, 3], torch.tensor([0.4, 0.5, 0.1]))


def test_affine_head_adds_one_map_to_every_places():
    head, features = AffineHead(8), torch.randn(1, 8, 2, 2)
    torch.nn.init.normal_(head.coefficients.weight)
    composite, coefficients = torch.rand(1, 3, 4, 4), torch.zeros(1, 12)
    coefficients[0, 0 * 3 + 2], coefficients[0, 9 + 1] = 0.5, 0.25  # red out of blue; more green
    alone, together = head(features, composite), head(features, composite, coefficients)
    change = torch.stack([0.5 * composite[:, 2], torch.full((1, 4, 4), 0.25), torch.zeros(1, 4, 4)])
    torch.testing.assert_close(together, alone + change.transpose(0, 1))


def test_blend_head_takes_no_map_to_add():
    with pytest.raises(ValueError, match="no colour map"):
        BlendHead(2)(torch.zeros(1, 2, 1, 1), torch.ones(1, 3, 1, 1), torch.zeros(1, 12))


@pytest.mark.parametrize(("logit", "keep"), [(0.0, 0.5), (10.0, 1.0), (-10.0, 0.0)])
def test_blend_head_mixes_the_composite_with_a_colour(logit, keep):
    head = BlendHead(2)
    with torch.no_grad():
        head.coefficients.weight.zero_()
        head.coefficients.bias.copy_(torch.tensor([logit, 0.8, 0.6, 0.0]))
    composite = torch.tensor([0.2, 0.2, 0.4])[None, :, None, None]
    found = head(torch.randn(1, 2, 1, 1), composite)
    wanted = keep * torch.tensor([0.2, 0.2, 0.4]) + (1 - keep) * torch.tensor([0.8, 0.6, 0.0])
    torch.testing.assert_close(found.flatten(), wanted)


def test_blend_heads_slope_is_three():
    head = BlendHead(2)
    with torch.no_grad():
        head.coefficients.weight.zero_()
        head.coefficients.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    found = head(torch.zeros(1, 2, 1, 1), torch.ones(1, 3, 1, 1))
    torch.testing.assert_close(found.flatten(), torch.full((3,), 0.95257413))  # sigmoid(3)


def test_coefficients_are_enlarged_at_half_pixels_and_in_float32():
    row = torch.tensor([[[[0.0, 1.0]]]], dtype=torch.bfloat16)
    enlarged = enlarge(row, torch.empty(1, 3, 1, 4))
    assert enlarged.dtype == torch.float32
    assert enlarged.flatten().tolist() == [0, 0.25, 0.75, 1]

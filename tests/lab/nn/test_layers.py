import pytest
import torch

from samelight.lab.nn.layers import ResidualBlock, residual_stack, stem


def test_residual_blocks_start_as_the_identity():
    features = torch.randn(1, 16, 6, 5)
    assert torch.equal(residual_stack(16, 3)(features), features)


def test_a_residual_block_adds_to_its_input():
    torch.manual_seed(0)
    block, features = ResidualBlock(16), torch.randn(1, 16, 6, 5)
    torch.nn.init.normal_(block.project.weight)
    branch = block.project(block.act(block.expand(block.norm(features))))
    torch.testing.assert_close(block(features), features + branch)
    assert branch.abs().max() > 0.1


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_stem_divides_the_size_by_its_stride(stride):
    assert stem(4, 16, stride)(torch.rand(1, 4, 16, 24)).shape == (
        1,
        16,
        16 // stride,
        24 // stride,
    )


def test_another_stride_is_refused():
    with pytest.raises(ValueError, match="stem stride is 3, wanted 1, 2 or 4"):
        stem(4, 16, 3)

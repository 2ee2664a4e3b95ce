import torch

from samelight.lab.nn.tokens import TokenBlock, place_colours, region_means


@torch.no_grad()
def test_a_block_is_attention_and_a_small_network_each_added():
    block, tokens = TokenBlock(8, heads=2).eval(), torch.randn(2, 5, 8)
    seen = block.attend_norm(tokens)
    queries, keys, values = (seen @ block.triple.weight.T + block.triple.bias).split(8, dim=2)
    together = torch.zeros_like(tokens)
    for head in (slice(0, 4), slice(4, 8)):
        for image in range(2):
            q, k, v = (part[image, :, head] for part in (queries, keys, values))
            products = torch.exp(q @ k.T / 2)
            together[image, :, head] = products / products.sum(dim=1, keepdim=True) @ v
    middle = tokens + block.attended(together)
    torch.testing.assert_close(block(tokens), middle + block.mix(block.mix_norm(middle)))


def test_place_colours_of_a_half_covered_place_are_those_of_its_regions():
    composite = torch.zeros(1, 3, 4, 4)
    composite[:, 0, :, :2] = 1.0  # left half red: the foreground
    composite[:, 2, :, 2:] = 0.5  # right half blue
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    whole = place_colours(composite, mask, (1, 1))[0, :, 0, 0]
    assert whole.tolist() == [2, -2, -2, -2, -2, 0, 0]
    left, right = place_colours(composite, mask, (1, 2))[0, :, 0].unbind(1)
    # Where a region is not, its colour is said to be none.
    assert left.tolist() == [2, -2, -2, 0, 0, 0, 1]
    assert right.tolist() == [0, 0, 0, -2, -2, 0, -1]


def test_region_means_weigh_by_share():
    tokens = torch.tensor([[[1.0], [2.0], [4.0]]])
    share = torch.tensor([[[1.0, 0.5, 0.0]]])
    found = region_means(tokens, share)
    torch.testing.assert_close(found, torch.tensor([[(1 + 1) / 1.5, (1 + 4) / 1.5]]))
    nowhere = region_means(tokens, torch.zeros(1, 1, 3))
    torch.testing.assert_close(nowhere, torch.tensor([[0, 7 / 3]]))

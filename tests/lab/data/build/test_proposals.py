import numpy as np

from samelight.lab.data.build.proposals import propose_masks


def patchwork(seed=0):
    """A photo of 6 x 8 flat patches of 20 px with a little grain, and the patches' numbers."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(48).reshape(6, 8).repeat(20, 0).repeat(20, 1)
    colours = rng.integers(0, 256, (48, 3))
    grain = rng.integers(-3, 4, (*numbers.shape, 3))
    return np.clip(colours[numbers] + grain, 0, 255).astype(np.uint8), numbers


def draw(seed=0, count=6):
    photo, numbers = patchwork()
    return propose_masks(photo, count, np.random.default_rng(seed)), numbers


def test_masks_are_binary_and_neither_tiny_nor_nearly_everything():
    masks, numbers = draw()
    assert len(masks) == 6
    for mask in masks:
        assert mask.shape == numbers.shape
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 255}
        assert 0.01 < (mask > 0).mean() < 0.62


def test_masks_follow_the_edges_of_the_picture():
    masks, numbers = draw()
    for mask in masks:
        share = np.bincount(numbers.ravel(), (mask > 0).ravel()) / np.bincount(numbers.ravel())
        cut_through = (share > 0.25) & (share < 0.75)
        assert cut_through.mean() < 0.1


def test_the_same_seed_draws_the_same_masks_and_another_others():
    assert all(np.array_equal(a, b) for a, b in zip(draw(1)[0], draw(1)[0], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(draw(1)[0], draw(2)[0], strict=False))


def test_a_photo_of_one_colour_has_no_masks_to_offer():
    assert propose_masks(np.full((60, 80, 3), 90, np.uint8), 3, np.random.default_rng(0)) == []

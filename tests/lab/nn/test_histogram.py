import torch

from samelight.lab.nn.histogram import region_histograms


def test_a_value_is_shared_by_its_two_nearest_bins():
    composite = torch.full((1, 3, 8, 8), 0.5)
    composite[:, 0] = 0.375  # half way between the bins at 0.25 and 0.5
    composite[:, 1] = 1.0
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    histograms = region_histograms(composite, mask, bins=5)
    assert histograms.shape == (1, 2, 3, 5)
    for region in histograms[0]:
        wanted = [[0, 0.5, 0.5, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]]
        torch.testing.assert_close(region, torch.tensor(wanted))


def test_each_region_counts_its_own():
    composite = torch.zeros(1, 3, 8, 8)
    composite[..., :2] = 1.0
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    foreground, background = region_histograms(composite, mask, bins=2)[0, :, 0]
    assert foreground.tolist() == [0.5, 0.5]
    assert background.tolist() == [1, 0]
    empty = region_histograms(composite, 0 * mask, bins=2)[0, 0]
    assert not empty.any()


def test_large_pictures_are_counted_as_small_ones():
    composite, mask = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    doubled, mask_doubled = (
        part.repeat_interleave(2, 2).repeat_interleave(2, 3) for part in (composite, mask)
    )
    found = region_histograms(doubled, mask_doubled, bins=4)
    torch.testing.assert_close(found, region_histograms(composite, mask, bins=4))

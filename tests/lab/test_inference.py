import pytest
import torch

from samelight.errors import UsageError
from samelight.lab.contract import CorrectionNetwork, Predicted, Use
from samelight.lab.inference import answer, harmonize, predict_views, require_size, require_use
from tests.lab.records import seen_at
from tests.lab.tiny import TinyNetwork

VIEWS = [(16,), (16, -16), (16, 8), (16, 8, -8), (-8, 16), (8, 16, 4), (12, 4)]


class Grid(CorrectionNetwork):
    """Red gains what the picture's two halves show, by cell; it expects the mask's size as errors.

    Errors are not linear in what is seen, so that a mean of logarithms can be told from a mean.
    """

    multiple_of = 2

    def predict(self, composite, mask):
        halves = torch.nn.functional.adaptive_avg_pool2d(composite[:, :1], (1, 2))
        coefficients = torch.zeros(len(composite), 12, 1, 2)
        # A number that depends on the size, as a network's answer does.
        coefficients[:, 9:10] = halves * composite.shape[-1]
        errors = (1 + composite.shape[-1] * composite[:, :1, :, 0].mean(dim=(1, 2)))[:, None]
        return Predicted(coefficients, torch.cat([errors, errors**2], dim=1))

    def calibrate(self, maps):
        raise NotImplementedError


@pytest.fixture
def seen():
    torch.manual_seed(0)
    return torch.rand(2, 3, 48, 48), torch.rand(2, 1, 48, 48)


def shrunk(picture, size):
    """Averaged over blocks, by hand."""
    side = picture.shape[-1] // size
    return picture.unflatten(3, (size, side)).unflatten(2, (size, side)).mean(dim=(3, 5))


@pytest.mark.parametrize("sizes", VIEWS, ids=str)
def test_the_answer_is_the_mean_over_views_each_seen_as_it_is_named(seen, sizes):
    use = seen_at(*(3 * size if 12 not in sizes else 4 * size for size in sizes))
    assert use.size_px == 48
    coefficients, logs = [], []
    for view in use.views:
        composite, mask = (shrunk(picture, view.size_px) for picture in seen)
        if view.flip:
            composite, mask = composite.flip(3), mask.flip(3)
        one = Grid().predict(composite, mask)
        coefficients.append(one.coefficients.flip(3) if view.flip else one.coefficients)
        logs.append(one.errors.log())
    found = predict_views(Grid(), use, *seen)
    torch.testing.assert_close(found.coefficients, sum(coefficients) / len(coefficients))
    torch.testing.assert_close(found.errors, (sum(logs) / len(logs)).exp())


def test_what_a_mirrored_view_says_of_a_place_is_done_there(seen):
    straight, mirrored = (predict_views(Grid(), seen_at(side), *seen) for side in (48, -48))
    torch.testing.assert_close(straight.coefficients, mirrored.coefficients)


def test_the_picture_is_what_the_mean_makes_of_the_composite(seen):
    use = seen_at(48, 24)
    coefficients, errors = answer(Grid(), use, *seen)
    composite, mask = seen
    wanted = Grid().rendered(Predicted(coefficients, errors), composite, mask).clamp(0, 1)
    assert torch.equal(harmonize(Grid(), use, composite, mask), wanted)
    assert (wanted - composite).abs().max() > 0.1


def test_a_network_that_answers_with_a_picture_is_asked_once(seen):
    network, use = TinyNetwork().eval(), seen_at(48)
    (image,) = answer(network, use, *seen)
    assert torch.equal(image, network(*seen))
    assert torch.equal(harmonize(network, use, *seen), image)
    for sizes in ((48, 24), (-48,)):
        with pytest.raises(UsageError, match="give it one view"):
            require_use(network, seen_at(*sizes))


@pytest.mark.parametrize("size", [0, -2, 7])
def test_sizes_that_do_not_suit_a_network_are_refused(size):
    with pytest.raises(UsageError, match="multiple of 2"):
        require_size(Grid(), size)


def test_every_views_size_must_suit_the_network():
    require_use(Grid(), seen_at(6, 2))
    with pytest.raises(UsageError, match=r"3 px .* multiple of 2"):
        require_use(Grid(), seen_at(6, 3))


@pytest.mark.parametrize(
    ("sizes", "said"),
    [((), "wanted one or more"), ((512, 200), "512, 200 px"), ((8, 0), "8, 0"), ((8, 8), "twice")],
)
def test_views_that_no_picture_has_are_refused(sizes, said):
    with pytest.raises(UsageError, match=said):
        Use(views=seen_at(*sizes).views)

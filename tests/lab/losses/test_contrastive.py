import math

import pytest
import torch
import torch.nn.functional as F

from samelight.lab.losses.contrastive import region_contrast
from samelight.lab.nn.codes import Bag


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def bag(images=3, places=1, width=5):
    codes = F.normalize(torch.randn(images, places, width), dim=2)
    return Bag(codes, torch.rand(images, places) + 0.1)


def of(*vectors):
    """One code per image, each of full weight."""
    return Bag(torch.tensor(vectors)[:, None], torch.ones(len(vectors), 1))


def cosine(one, other):
    return sum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True))


@pytest.mark.parametrize("other_images", [False, True])
@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_of_single_codes_it_is_infonce(other_images, temperature):
    anchor, positive, negative = bag(), bag(), bag()
    losses = []
    for n in range(3):
        query = anchor.codes[n, 0]
        keys = [positive.codes[n, 0], negative.codes[n, 0]]
        if other_images:
            keys += [positive.codes[k, 0] for k in range(3) if k != n]
        scores = [math.exp(cosine(query, key) / temperature) for key in keys]
        losses.append(-math.log(scores[0] / sum(scores)))
    found = region_contrast(
        anchor, positive, negative, temperature=temperature, other_images=other_images
    )
    assert float(found) == pytest.approx(sum(losses) / 3, abs=1e-4)


def test_of_bags_of_places_it_compares_weighted_means_of_scores():
    anchor, positive, negative = bag(2, 4), bag(2, 3), bag(2, 6)

    def score(query, keys, n):
        shares = (keys.weights[n] / keys.weights[n].sum()).tolist()
        scores = [math.exp(cosine(query, key) / 0.2) for key in keys.codes[n]]
        return sum(s * share for s, share in zip(scores, shares, strict=True))

    losses = []
    for n in range(2):
        per_place = []
        for query in anchor.codes[n]:
            alike = score(query, positive, n)
            everything = alike + score(query, negative, n) + score(query, positive, 1 - n)
            per_place.append(-math.log(alike / everything))
        shares = (anchor.weights[n] / anchor.weights[n].sum()).tolist()
        losses.append(sum(x * share for x, share in zip(per_place, shares, strict=True)))
    found = region_contrast(anchor, positive, negative, temperature=0.2)
    assert float(found) == pytest.approx(sum(losses) / 2, abs=1e-4)


def test_a_worked_case():
    """Alike as can be to the positive, at a right angle to the negative."""
    anchor, negative = of([1.0, 0.0]), of([0.0, 1.0])
    found = region_contrast(anchor, anchor, negative, temperature=1.0)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-5)
    swapped = region_contrast(anchor, negative, anchor, temperature=1.0)
    assert float(swapped) == pytest.approx(math.log(1 + math.exp(1)), abs=1e-5)


def test_it_is_never_below_0():
    for _ in range(5):
        assert region_contrast(bag(3, 4), bag(3, 4), bag(3, 4)) >= 0


def test_a_lower_temperature_makes_it_sharper():
    anchor, near, far = of([1.0, 0.0]), of([0.8, 0.6]), of([0.6, 0.8])
    cold, warm = (region_contrast(anchor, near, far, temperature=t) for t in (0.05, 1.0))
    assert cold < warm
    cold, warm = (region_contrast(anchor, far, near, temperature=t) for t in (0.05, 1.0))
    assert cold > warm


def test_other_images_are_further_negatives():
    anchor, positive, negative = bag(), bag(), bag()
    alone = region_contrast(anchor, positive, negative, other_images=False)
    assert region_contrast(anchor, positive, negative) > alone
    one = [Bag(*(x[:1] for x in b)) for b in (anchor, positive, negative)]
    assert region_contrast(*one) == region_contrast(*one, other_images=False)


def test_a_step_brings_the_anchor_to_the_positive_and_away_from_the_negative():
    codes = F.normalize(torch.randn(1, 1, 5), dim=2).requires_grad_()
    positive, negative = bag(1), bag(1)
    region_contrast(Bag(codes, torch.ones(1, 1)), positive, negative, temperature=1.0).backward()
    stepped = F.normalize(codes.detach() - 0.1 * codes.grad, dim=2)

    def likeness(to, of):
        return float((to.codes * of).sum().detach())

    lead = likeness(positive, codes) - likeness(negative, codes)
    assert likeness(positive, stepped) - likeness(negative, stepped) > lead


def test_a_gradient_reaches_all_three():
    bags = [bag(2, 3) for _ in range(3)]
    for codes, _ in bags:
        codes.requires_grad_()
    region_contrast(*bags, temperature=1.0).backward()
    for codes, _ in bags:
        assert codes.grad.abs().min() > 0


@pytest.mark.parametrize("other_images", [False, True])
@pytest.mark.parametrize("empty", ["anchor", "positive"])
def test_an_image_without_one_of_the_regions_does_not_count(empty, other_images):
    """Not among the images, nor among the others' negatives when it has no positive to show."""
    bags = {name: bag(3, 2) for name in ("anchor", "positive", "negative")}
    bags[empty].weights[1] = 0
    if empty == "anchor":
        other_images = False
    rest = {name: Bag(*(x[[0, 2]] for x in b)) for name, b in bags.items()}
    found = region_contrast(**bags, other_images=other_images)
    torch.testing.assert_close(found, region_contrast(**rest, other_images=other_images))


def test_places_outside_the_region_do_not_count():
    anchor, positive, negative = bag(2, 4), bag(2, 4), bag(2, 4)
    for b in (anchor, positive, negative):
        b.weights[:, 2:] = 0
    inside = [Bag(*(x[:, :2] for x in b)) for b in (anchor, positive, negative)]
    found = region_contrast(anchor, positive, negative, temperature=0.5)
    wanted = region_contrast(*inside, temperature=0.5)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_nothing_to_contrast_is_0_and_has_finite_gradients():
    bags = [Bag(b.codes.requires_grad_(), torch.zeros(2, 3)) for b in (bag(2, 3) for _ in "abc")]
    found = region_contrast(*bags)
    found.backward()
    assert float(found.detach()) == 0
    assert all(b.codes.grad.isfinite().all() for b in bags)


def test_it_works_in_float32_under_autocast():
    bags = [bag(2, 3) for _ in range(3)]
    wanted = region_contrast(*bags)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = region_contrast(*bags)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)

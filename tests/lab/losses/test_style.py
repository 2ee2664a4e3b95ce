import pytest
import torch

from samelight.lab.losses.style import CONSISTENCIES, cross_gram, cross_similarity, style_contrast


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def styles(negatives=3):
    return torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 2), torch.randn(2, negatives, 4, 3, 2)


def distance(one, other):
    pairs = zip(one.flatten().tolist(), other.flatten().tolist(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / one.numel()


def test_it_is_the_ratio_of_distances_per_image():
    output, real, negatives = styles()
    ratios = []
    for n in range(2):
        near = distance(output[n], real[n])
        far = [distance(output[n], wrong) for wrong in negatives[n]]
        ratios.append(near / (near + sum(far)))
    found = float(style_contrast(output, real, negatives))
    assert found == pytest.approx(sum(ratios) / 2, abs=1e-6)


def test_a_worked_case():
    output, real = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 0.0]])
    negatives = torch.tensor([[[3.0, 3.0], [1.0, 3.0]]])  # at distances of 2 and 1
    assert float(style_contrast(output, real, negatives)) == pytest.approx(1 / 4)


@pytest.mark.parametrize("negatives", [1, 3])
def test_it_is_0_when_the_output_has_the_real_style(negatives):
    _, real, wrong = styles(negatives)
    assert float(style_contrast(real, real, wrong)) == 0


def test_it_is_1_only_when_the_output_has_the_one_wrong_style():
    _, real, wrong = styles(1)
    assert float(style_contrast(wrong[:, 0], real, wrong)) == pytest.approx(1, abs=1e-6)
    _, real, wrong = styles(3)
    for number in range(3):
        assert float(style_contrast(wrong[:, number], real, wrong)) < 0.9


def test_it_lies_between_0_and_1():
    for negatives in (1, 2, 5):
        assert 0 < style_contrast(*styles(negatives)) < 1


def between():
    """An output that lies, in every number, between the real style and the wrong one."""
    real, wrong = torch.randn(2, 6), torch.randn(2, 1, 6)
    return (real + 0.4 * (wrong[:, 0] - real)).requires_grad_(), real, wrong


@pytest.mark.parametrize("detach", [False, True])
def test_a_step_leads_to_the_real_style_and_away_from_the_wrong_one(detach):
    output, real, wrong = between()
    before = style_contrast(output, real, wrong, detach_negatives=detach)
    before.backward()
    stepped = output.detach() - 1e-3 * output.grad.sign()
    assert style_contrast(stepped, real, wrong) < before
    assert distance(stepped, real) < distance(output, real)
    assert distance(stepped, wrong[:, 0]) > distance(output, wrong[:, 0])


def test_detaching_changes_the_gradient_and_not_the_value():
    gradients, values = [], []
    for detach in (False, True):
        torch.manual_seed(1)
        output, real, wrong = between()
        value = style_contrast(output, real, wrong, detach_negatives=detach)
        value.backward()
        values.append(value.detach())
        gradients.append(output.grad)
    assert torch.equal(*values)
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3


def test_by_default_the_gradient_pushes_away_from_the_negatives():
    """d/dx near / (near + far) at 1, real 0, wrong 3: (far + near) / (near + far)^2 = 1/3."""
    real, wrong = torch.zeros(1, 1), torch.full((1, 1, 1), 3.0)
    for detach, wanted in ((False, 1 / 3), (True, 2 / 9)):
        output = torch.ones(1, 1, requires_grad=True)
        style_contrast(output, real, wrong, detach_negatives=detach).backward()
        assert float(output.grad) == pytest.approx(wanted)


def test_beyond_a_wrong_style_only_the_detached_ratio_leads_back():
    """A limit of the published form: from 2, with the real style at 0 and the wrong one at 1,
    going on for ever lowers the ratio too."""
    real, wrong = torch.zeros(1, 1), torch.ones(1, 1, 1)
    for detach, leads_back in ((False, False), (True, True)):
        output = torch.full((1, 1), 2.0, requires_grad=True)
        style_contrast(output, real, wrong, detach_negatives=detach).backward()
        assert bool(output.grad > 0) == leads_back


def test_nothing_is_asked_where_all_styles_are_one():
    output, _, _ = styles()
    output.requires_grad_()
    same = output.detach()
    found = style_contrast(output, same, same[:, None].expand(-1, 3, -1, -1, -1))
    found.backward()
    assert float(found.detach()) == 0
    assert not output.grad.any()


def test_a_cross_gram_is_how_the_channels_go_together():
    foreground, background = torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 2)
    found = cross_gram(foreground, background)
    assert found.shape == (2, 4, 4)
    for n in range(2):
        for a in range(4):
            for b in range(4):
                places = [(i, j) for i in range(3) for j in range(2)]
                wanted = sum(
                    float(foreground[n, a, i, j]) * float(background[n, b, i, j]) for i, j in places
                )
                assert float(found[n, a, b]) == pytest.approx(wanted / 6, abs=1e-5)


def test_cross_similarity_is_how_the_places_are_alike():
    foreground, background = torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 2)
    found = cross_similarity(foreground, background)
    assert found.shape == (2, 6, 6)
    for n in range(2):
        for p in range(6):
            for q in range(6):
                wanted = sum(
                    float(foreground[n, c].flatten()[p]) * float(background[n, c].flatten()[q])
                    for c in range(4)
                )
                assert float(found[n, p, q]) == pytest.approx(wanted / 4, abs=1e-5)


def test_a_cross_gram_does_not_know_where_things_are():
    foreground, background = torch.randn(1, 4, 3, 2), torch.randn(1, 4, 3, 2)
    mirrored = cross_gram(foreground.flip(3), background.flip(3))
    torch.testing.assert_close(mirrored, cross_gram(foreground, background))
    moved = cross_similarity(foreground.flip(3), background.flip(3))
    assert (moved - cross_similarity(foreground, background)).abs().max() > 0.1


@pytest.mark.parametrize("relate", CONSISTENCIES.values())
def test_consistency_reaches_the_foreground_and_is_float32(relate):
    foreground = torch.randn(1, 4, 3, 2).bfloat16().requires_grad_()
    background, real = torch.randn(1, 4, 3, 2).bfloat16(), torch.randn(1, 4, 3, 2)
    wrong = torch.randn(1, 2, 4, 3, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        relation = relate(foreground, background)
        wrongs = torch.stack([relate(w, background) for w in wrong.unbind(1)], dim=1)
        found = style_contrast(relation, relate(real, background), wrongs)
    found.backward()
    assert relation.dtype == found.dtype == torch.float32
    assert foreground.grad.isfinite().all()
    assert foreground.grad.abs().max() > 0


def test_it_works_in_float32_under_autocast():
    # 100 +- 0.1: bfloat16 would see no difference at all.
    output, real, negatives = (100 + 0.1 * x for x in styles())
    wanted = style_contrast(output, real, negatives)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(style_contrast(output, real, negatives), wanted)

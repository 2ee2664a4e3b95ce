import pytest
import torch
import torch.nn.functional as F

from samelight.lab.losses.relation import MAX_SIDE, relation_distance


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def literal_distance(student, teacher, mask):
    """Every foreground place against every background place of one image and level."""
    places = [(i, j) for i in range(mask.shape[0]) for j in range(mask.shape[1])]
    total = weights = 0.0
    for f in places:
        for b in places:
            weight = float(mask[f]) * (1 - float(mask[b]))
            found, wanted = (
                float(F.cosine_similarity(x[:, f[0], f[1]], x[:, b[0], b[1]], dim=0))
                for x in (student, teacher)
            )
            total += weight * abs(found - wanted)
            weights += weight
    return total / weights


@pytest.mark.parametrize("soft", [False, True])
def test_it_is_the_mean_over_all_pairs_of_places(soft):
    student = [torch.randn(2, 5, 4, 3), torch.randn(2, 7, 2, 3)]
    teacher = [torch.randn_like(level) for level in student]
    mask = torch.rand(2, 1, 4, 3)
    mask = mask if soft else torch.eye(4, 3)[None, None].repeat(2, 1, 1, 1)
    per_level = []
    for s, t in zip(student, teacher, strict=True):
        small = mask if s.shape[-2] == 4 else F.avg_pool2d(mask, (2, 1))
        per_image = [literal_distance(s[i], t[i], small[i, 0]) for i in range(2)]
        per_level.append(sum(per_image) / 2)
    found = float(relation_distance(student, teacher, mask))
    assert found == pytest.approx(sum(per_level) / 2, abs=1e-4)


def test_large_levels_are_averaged_first():
    student, teacher = torch.randn(1, 3, 32, 32), torch.randn(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 10:20] = 1
    small = [F.avg_pool2d(x, 32 // MAX_SIDE) for x in (student, teacher, mask)]
    torch.testing.assert_close(
        relation_distance([student], [teacher], mask),
        relation_distance([small[0]], [small[1]], small[2]),
    )


def half_mask():
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    return mask


def test_equal_features_are_at_0_whatever_their_length():
    features = torch.randn(1, 3, 4, 4)
    assert float(relation_distance([features], [3 * features], half_mask())) < 1e-6


def test_it_reaches_2_when_every_relation_is_the_opposite():
    teacher = torch.ones(1, 3, 4, 4)
    student = torch.where(half_mask() > 0, -teacher, teacher)
    assert float(relation_distance([student], [teacher], half_mask())) == pytest.approx(2)
    for _ in range(5):
        found = relation_distance([torch.randn(1, 3, 4, 4)], [torch.randn(1, 3, 4, 4)], half_mask())
        assert 0 <= found <= 2


def test_no_gradient_flows_into_the_teacher_and_a_step_of_the_student_helps():
    student = torch.randn(1, 3, 4, 4, requires_grad=True)
    teacher = torch.randn(1, 3, 4, 4, requires_grad=True)
    before = relation_distance([student], [teacher], half_mask())
    before.backward()
    assert teacher.grad is None
    step = 0.05 * student.grad / student.grad.norm()
    after = relation_distance([student.detach() - step], [teacher], half_mask())
    assert after < before


def test_images_without_both_regions_are_not_counted():
    student, teacher = torch.randn(3, 3, 4, 4), torch.randn(3, 3, 4, 4)
    mask = torch.cat([half_mask(), torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)])
    alone = relation_distance([student[:1]], [teacher[:1]], mask[:1])
    assert alone > 0.1
    torch.testing.assert_close(relation_distance([student], [teacher], mask), alone)
    assert float(relation_distance([student], [teacher], torch.zeros_like(mask))) == 0


def test_features_that_are_zero_have_finite_gradients():
    student = torch.zeros(1, 3, 4, 4, requires_grad=True)
    relation_distance([student], [torch.randn(1, 3, 4, 4)], half_mask()).backward()
    assert student.grad.isfinite().all()

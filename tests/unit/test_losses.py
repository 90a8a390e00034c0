"""Distillation losses against torch's own; options that a unit lacks, and that a teacher rules out."""

import pytest
import torch
from torch.nn import functional as F

from ligero.train import distill
from ligero.train.teacher import average


@pytest.fixture
def scores():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(7, 5, generator=generator, dtype=torch.float64) * 3 for _ in range(2)]


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_kl_and_cross_entropy(scores, temperature):
    student, teacher = scores
    p = F.softmax(teacher / temperature, -1)
    log_q = F.log_softmax(student / temperature, -1)
    kl = F.kl_div(log_q, p, reduction="sum") * temperature**2
    torch.testing.assert_close(distill.kl(student, teacher, temperature), kl)
    ce = F.cross_entropy(student / temperature, p, reduction="sum") * temperature**2
    torch.testing.assert_close(distill.cross(student, teacher, temperature), ce)


def test_kl_of_equal_scores_is_zero_and_both_have_one_gradient(scores):
    student, teacher = scores
    assert distill.kl(teacher, teacher, 2.0).abs() < 1e-12
    gradients = []
    for loss in (distill.kl, distill.cross):
        s = student.clone().requires_grad_()
        loss(s, teacher, 2.0).backward()
        gradients.append(s.grad)
    torch.testing.assert_close(*gradients)


def test_temperature_leaves_the_size_of_the_gradient(scores):
    """Hinton et al. (2015): with T² the gradient of soft targets keeps its magnitude."""
    student, teacher = scores
    norms = []
    for temperature in (20.0, 40.0):
        s = student.clone().requires_grad_()
        distill.kl(s, teacher, temperature).backward()
        norms.append(float(s.grad.norm()))
    assert norms[0] == pytest.approx(norms[1], rel=0.05)


def test_mse(scores):
    student, teacher = scores
    expected = F.mse_loss(student, teacher) * len(student)
    torch.testing.assert_close(distill.mse(student, teacher, 3.0), expected)


@pytest.mark.parametrize("name", distill.LOSSES)
def test_missing_options_count_for_nothing(scores, name):
    student, teacher = scores
    loss = distill.LOSSES[name]
    wide = torch.cat([student, torch.full((7, 2), 9.0, dtype=torch.float64)], 1).requires_grad_()
    # As the heads have it (`models/heads.py`).
    absent = torch.arange(7) >= 5
    missing = torch.full((7, 2), -torch.inf, dtype=torch.float64)
    total = loss(wide.masked_fill(absent, -torch.inf), torch.cat([teacher, missing], 1), 2.0)
    torch.testing.assert_close(total, loss(student, teacher, 2.0))
    total.backward()
    assert torch.isfinite(wide.grad).all()
    assert (wide.grad[:, 5:] == 0).all()


@pytest.mark.parametrize("name", distill.LOSSES)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_what_a_teacher_rules_out_is_taught(name, temperature):
    teacher = torch.tensor([[-0.1, -2.4, -torch.inf], [0.0, 0.0, 0.0]])
    student = torch.tensor([[0.0, 0.0, 5.0], [0.0, 0.0, 0.0]], requires_grad=True)
    total = distill.LOSSES[name](student, teacher, temperature)
    total.backward()
    assert torch.isfinite(total) and torch.isfinite(student.grad).all()
    assert student.grad[0, 2] > 0.5
    if name != "mse":
        p, q = ((s / temperature).softmax(-1) for s in (teacher, student.detach()))
        torch.testing.assert_close(student.grad, temperature * (q - p))
    # What it would come to is what the teacher says.
    with torch.no_grad():
        learned = student.clone()
    optimizer = torch.optim.SGD([learned.requires_grad_()], lr=2.0)
    for _ in range(500):
        optimizer.zero_grad()
        distill.LOSSES[name](learned, teacher, temperature).backward()
        optimizer.step()
    torch.testing.assert_close(learned.softmax(-1), teacher.softmax(-1), atol=2e-3, rtol=0)


def test_averaged_teachers_one_of_whom_rules_out(scores):
    student, teacher = (each.float() for each in scores)
    crf = teacher.log_softmax(-1).masked_fill(torch.arange(5) == 2, -torch.inf)
    told = average([[{"tag": teacher.numpy()}], [{"tag": crf.numpy()}]], "logits")[0]["tag"]
    student.requires_grad_()
    distill.kl(student, torch.from_numpy(told), 1.0).backward()
    assert (student.grad[:, 2] > 1e-4).all()

"""Distillation losses against torch's own, and what happens to options that a unit lacks."""

import pytest
import torch
from torch.nn import functional as F

from ligero.train import distill


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
    missing = torch.full((7, 2), -torch.inf, dtype=torch.float64)
    total = loss(wide, torch.cat([teacher, missing], 1), 2.0)
    torch.testing.assert_close(total, loss(student, teacher, 2.0))
    total.backward()
    assert torch.isfinite(wide.grad).all()
    assert (wide.grad[:, 5:] == 0).all()

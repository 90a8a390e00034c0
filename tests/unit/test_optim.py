"""Schedules and parameter groups."""

import pytest
import torch

from ligero.config import FitConfig
from ligero.train import optim


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_rate_rises_to_its_peak_and_ends_near_zero(schedule):
    rates = [optim.rate(s, peak=2.0, total=100, warmup=0.1, schedule=schedule) for s in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == rates[10] == max(rates) == 2.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.05
    assert rates[55] == pytest.approx(1.0)  # half-way down, both


def test_constant_and_no_warmup():
    assert optim.rate(0, peak=1.0, total=1, warmup=0.0, schedule="constant") == 1.0


def test_biases_and_norms_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3))
    optimizer = optim.create(model, FitConfig(weight_decay=0.5))
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    before = [p.detach().clone() for p in model.parameters()]
    optimizer.step()
    linear, bias, scale, shift = model.parameters()
    torch.testing.assert_close(linear, before[0] * (1 - 0.1 * 0.5))
    for p, old in ((bias, before[1]), (scale, before[2]), (shift, before[3])):
        assert (p == old).all()

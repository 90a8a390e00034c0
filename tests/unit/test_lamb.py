"""LAMB against its formula, written down once more in numpy."""

import numpy as np
import pytest
import torch

from ligero.config import FitConfig
from ligero.train import optim
from ligero.train.lamb import Lamb

B1, EPS = 0.9, 1e-6


def by_hand(weights, gradients, *, rate, decay, b2):
    """ALBERT's `optimization.py`, line by line, in float64; weights after all steps."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    m = {name: np.zeros_like(value) for name, value in w.items()}
    v = {name: np.zeros_like(value) for name, value in w.items()}
    for step in gradients:
        for name, gradient in step.items():
            g = gradient.astype(np.float64)
            m[name] = B1 * m[name] + (1 - B1) * g
            v[name] = b2 * v[name] + (1 - b2) * g * g
            update = m[name] / (np.sqrt(v[name]) + EPS)
            ratio = 1.0
            if w[name].ndim > 1:
                update = update + decay * w[name]
                norm, size = np.sqrt((w[name] ** 2).sum()), np.sqrt((update**2).sum())
                ratio = norm / size if norm > 0 and size > 0 else 1.0
            w[name] = w[name] - rate * ratio * update
    return w


def weights(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "matrix": rng.normal(size=(7, 5)),
        # ALBERT's code has no bound on the norm, where the paper's second version has one of 10.
        "large": rng.normal(size=(30, 20)) * 4,
        "zero": np.zeros((4, 3)),
        "cube": rng.normal(size=(2, 3, 4)) * 0.01,
        "bias": rng.normal(size=5),
        "scale": np.ones(5),
    }


def parameters(values):
    return {n: torch.nn.Parameter(torch.tensor(v, dtype=torch.float64)) for n, v in values.items()}


@pytest.mark.parametrize("steps", [1, 5])
def test_steps_are_those_of_the_formula(steps):
    start = weights()
    assert np.sqrt((start["large"] ** 2).sum()) > 50
    rng = np.random.default_rng(1)
    gradients = [
        {n: rng.normal(size=v.shape) * 10.0 ** rng.integers(-4, 2) for n, v in start.items()}
        for _ in range(steps)
    ]
    model = torch.nn.Module()
    for name, parameter in parameters(start).items():
        model.register_parameter(name, parameter)
    config = FitConfig(optimizer="lamb", weight_decay=0.3, beta2=0.98)
    optimizer = optim.create(model, config)
    assert isinstance(optimizer, Lamb)
    for step in gradients:
        for name, p in model.named_parameters():
            p.grad = torch.tensor(step[name])
        for group in optimizer.param_groups:
            group["lr"] = 0.02
        optimizer.step()
    expected = by_hand(start, gradients, rate=0.02, decay=0.3, b2=0.98)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(p.detach().numpy(), expected[name], rtol=1e-6, atol=1e-9)
        assert not np.allclose(expected[name], start[name], rtol=0, atol=1e-12)


def test_a_step_is_as_long_as_the_rate_says_of_the_weights_own_norm():
    start = weights()
    for scale in (1e-5, 1.0, 1e5):
        values = parameters(start)
        optimizer = Lamb(values.values(), lr=0.02)
        for p in values.values():
            p.grad = torch.full_like(p, scale)
        optimizer.step()
        for name in ("matrix", "large", "cube"):
            moved = (values[name].detach() - torch.tensor(start[name])).norm()
            assert float(moved) == pytest.approx(0.02 * np.linalg.norm(start[name]), rel=1e-6)


def test_no_gradient_no_step_and_nothing_to_keep():
    values = parameters(weights())
    optimizer = Lamb(values.values(), lr=0.1)
    values["matrix"].grad = torch.ones_like(values["matrix"])
    optimizer.step()
    assert set(optimizer.state) == {values["matrix"]}
    assert (values["large"].detach().numpy() == weights()["large"]).all()
    assert set(optimizer.state[values["matrix"]]) == {"step", "exp_avg", "exp_avg_sq"}


def test_zero_weights_and_zero_gradients_stay_finite():
    values = parameters(weights())
    optimizer = Lamb(values.values(), lr=0.1, weight_decay=0.0)
    for p in values.values():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for name, p in values.items():
        assert (p.detach().numpy() == weights()[name]).all()


def test_lamb_learns_what_a_linear_layer_can():
    torch.manual_seed(0)
    x, wanted = torch.randn(64, 8), torch.randn(8, 3)
    model = torch.nn.Linear(8, 3)
    optimizer = Lamb(model.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((model(x) - x @ wanted) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]

"""LAMB (You et al., 2020), as ALBERT's code defines it."""

from collections.abc import Iterable
from typing import Any

import torch


class Lamb(torch.optim.Optimizer):
    """Adam's step without bias correction, rescaled tensor by tensor to the weights' own norm.

        m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g²
        u = m / (sqrt(v) + eps) + decay w
        w = w - rate (|w| / |u|) u   with |w| / |u| = 1 where either is 0

    As in ALBERT's `optimization.py`: no bias correction, no bound on |w|, and neither decay nor
    rescaling for biases and normalisation weights, which have one dimension.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step from the gradients that the parameters hold."""
        for group in self.param_groups:
            (b1, b2), decay = group["betas"], group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"] = torch.zeros(())
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                state["step"] += 1
                state["exp_avg"].lerp_(p.grad, 1 - b1)
                state["exp_avg_sq"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                update = state["exp_avg"] / state["exp_avg_sq"].sqrt().add_(group["eps"])
                if p.ndim > 1:
                    update.add_(p, alpha=decay)
                    norm, size = float(p.norm()), float(update.norm())
                    ratio = norm / size if norm > 0 and size > 0 else 1.0
                else:
                    ratio = 1.0
                p.add_(update, alpha=-group["lr"] * ratio)

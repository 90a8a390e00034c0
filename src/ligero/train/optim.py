"""AdamW, parameter groups, and learning-rate schedules."""

import math
from collections.abc import Callable

import torch

# Schedules map progress (0 at the first step, 1 after the last) to a factor of the peak rate.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1.0 - progress,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
    "constant": lambda progress: 1.0,
}


def rate(step: int, *, peak: float, total: int, warmup: float, schedule: str) -> float:
    """Learning rate of step `step` (from 0) of `total`.

    It rises linearly over the first `warmup` (a share) of the steps to `peak`, then follows the
    schedule, which ends with the last step: a run that stops early would never anneal.
    """
    rising = round(warmup * total)
    if step < rising:
        return peak * (step + 1) / rising
    return peak * SCHEDULES[schedule]((step - rising) / max(1, total - rising))


def adamw(
    model: torch.nn.Module, *, weight_decay: float, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); biases and normalisation weights do not decay."""
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-6, fused=True)

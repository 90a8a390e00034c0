"""AdamW, parameter groups, and learning-rate schedules."""

import math
from collections.abc import Callable
from typing import Any

import torch

from ligero.config import FitConfig
from ligero.train.lamb import Lamb

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


def create(model: torch.nn.Module, config: FitConfig) -> torch.optim.Optimizer:
    """The optimiser of a run, its rate yet to be set; it is asked for each step.

    Biases and normalisation weights neither decay nor, under LAMB, are rescaled. A module with a
    `peak` learning rate of its own is a group apart, which names that rate, and does not decay.
    AdamW: Loshchilov and Hutter (2019). LAMB: You et al. (2020), as ALBERT uses it.
    """
    paced = [module for module in model.modules() if hasattr(module, "peak")]
    apart = {p for module in paced for p in module.parameters()}
    learned = [p for p in model.parameters() if p.requires_grad and p not in apart]
    decayed = [p for p in learned if p.ndim > 1]
    plain = [p for p in learned if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    groups += [
        {"params": list(module.parameters()), "weight_decay": 0.0, "peak": module.peak}
        for module in paced
    ]
    betas = (0.9, config.beta2)
    if config.optimizer == "lamb":
        return Lamb(groups, betas=betas)
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-6, fused=True)

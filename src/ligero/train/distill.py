"""Objective: distillation of a teacher's scores (Speedy Gonzales, section 3.1).

    L = alpha CE + (1 - alpha) KD

KD compares the teacher's and the student's scores of the same unit: a text, or a word read at its
first sub-word, so the two may differ in vocabulary and in windows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ligero.config import DistillConfig
from ligero.train.features import Batch, Features
from ligero.train.finetune import Supervised, cross_entropy
from ligero.train.loop import LossSum
from ligero.train.order import Ids
from ligero.train.scorer import choices

# An option that a unit does not have scores -inf with the teacher; it then counts for nothing.


def kl(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² KL(teacher || student) of scores [units, options], summed over units (Hinton et al. 2015)."""
    log_p = F.log_softmax(teacher / temperature, dim=-1)
    return cross(student, teacher, temperature) - temperature**2 * _entropy(log_p)


def cross(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² cross-entropy of the student's distribution under the teacher's, summed over units."""
    p = F.softmax(teacher / temperature, dim=-1)
    log_q = F.log_softmax(
        student.masked_fill(teacher == -torch.inf, -torch.inf) / temperature, dim=-1
    )
    return -(temperature**2) * (p * log_q.masked_fill(teacher == -torch.inf, 0.0)).sum()


def mse(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Squared difference of the scores themselves, mean over options, summed over units.

    The temperature has no place here; it is accepted so that the losses are exchangeable.
    """
    there = teacher != -torch.inf
    squares = (student - teacher.masked_fill(~there, 0.0)).masked_fill(~there, 0.0).square()
    return (squares.sum(dim=-1) / there.sum(dim=-1)).sum()


def _entropy(log_p: Tensor) -> Tensor:
    """Entropy of distributions [units, options], summed over units."""
    return -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0.0)).sum()


LOSSES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {"kl": kl, "ce": cross, "mse": mse}


class Distill(Supervised):
    """A student learns a teacher's scores, and the gold labels as far as alpha says."""

    def __init__(
        self,
        train: Features,
        dev: Features,
        targets: Sequence[Mapping[str, np.ndarray]],
        config: DistillConfig,
    ) -> None:
        """targets: for each training example choice -> the teacher's scores [units, options]."""
        super().__init__(train, dev)
        self.targets = dict(enumerate(targets))
        self.config, self.compare = config, LOSSES[config.loss]

    def batch(self, ids: Ids, epoch: int) -> Batch:
        """The examples with the teacher's scores."""
        return self.train.batch(ids, self.targets)

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """The mixed loss; its weight is the number of units, labelled or not."""
        student = choices(model, self.kind, batch)
        alpha, temperature = self.config.alpha, self.config.temperature
        taught = [
            self.compare(scores, batch.targets[name].to(scores.device), temperature)
            for name, scores in student.items()
        ]
        total = (1 - alpha) * torch.stack(taught).sum()
        if alpha:
            total = total + alpha * cross_entropy(student, batch.gold)
        return LossSum(total, float(sum(len(scores) for scores in student.values())))

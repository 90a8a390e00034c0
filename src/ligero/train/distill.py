"""Objective: distillation of a teacher's scores (Speedy Gonzales, section 3.1).

    L = alpha CE + (1 - alpha) KD

KD compares the teacher's and the student's scores of the same unit: a text, or a word read at its
first sub-word, so the two may differ in vocabulary and in windows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ligero.config import DistillConfig
from ligero.models import crf
from ligero.train.features import Batch, Features
from ligero.train.finetune import Supervised, gold_loss
from ligero.train.loop import LossSum
from ligero.train.order import Ids
from ligero.train.scorer import choices
from ligero.train.unlabelled import Pool

# -inf says two things. With the student: its unit has no such option, which then counts for nothing.
# With the teacher alone: the option is there and ruled out (a CRF's forbidden tags), and that is taught.

# Squares ask for a number: what is ruled out scores as far below the best option as one of 0.00005.
RULED_OUT = 10.0


def kl(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² KL(teacher || student) of scores [units, options], summed over units (Hinton et al. 2015)."""
    log_p = F.log_softmax(teacher / temperature, dim=-1)
    return cross(student, teacher, temperature) - temperature**2 * _entropy(log_p)


def cross(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² cross-entropy of the student's distribution under the teacher's, summed over units."""
    p = F.softmax(teacher / temperature, dim=-1)
    log_q = F.log_softmax(student / temperature, dim=-1)
    # 0 times -inf is no number.
    return -(temperature**2) * (p * log_q.masked_fill(teacher == -torch.inf, 0.0)).sum()


def mse(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Squared difference of the scores themselves, mean over options, summed over units.

    The temperature has no place here; it is accepted so that the losses are exchangeable.
    """
    there = student != -torch.inf
    lowest = teacher.amax(dim=-1, keepdim=True) - RULED_OUT
    told = torch.where(teacher == -torch.inf, lowest, teacher)
    squares = (student.masked_fill(~there, 0.0) - told.masked_fill(~there, 0.0)).square()
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
        pool: Pool | None = None,
    ) -> None:
        """targets: for each training example choice -> the teacher's scores [units, options].

        pool: examples without labels, of which each epoch has some.
        """
        super().__init__(train, dev)
        self.labelled, self.known = train, [*targets]
        self.targets = dict(enumerate(targets))
        self.config, self.compare = config, LOSSES[config.loss]
        self.pool, self.more = pool, round(pool.ratio * len(train)) if pool else 0
        self.size += self.more

    def enter(self, epoch: int) -> None:
        """The labelled examples, and the next ones of the pool."""
        if self.pool is None:
            return
        others, targets = self.pool.take(epoch * self.more, self.more)
        self.train = self.labelled.joined(others)
        self.rows, self.widths = self.train.rows, self.train.widths
        self.targets = dict(enumerate([*self.known, *targets]))

    def batch(self, ids: Ids, epoch: int) -> Batch:
        """The examples with the teacher's scores."""
        return self.train.batch(ids, self.targets)

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """The mixed loss; its weight is the number of units, labelled or not."""
        student = choices(model, self.kind, batch)
        alpha, temperature = self.config.alpha, self.config.temperature
        taught = [
            self.compare(scores, target, temperature)
            for scores, target in _compared(model, student, batch)
        ]
        total = (1 - alpha) * torch.stack(taught).sum()
        if alpha:
            total = total + alpha * gold_loss(model, student, batch)
        return LossSum(total, float(sum(len(scores) for scores in student.values())))


def _compared(
    model: torch.nn.Module, student: Mapping[str, Tensor], batch: Batch
) -> Iterator[tuple[Tensor, Tensor]]:
    """The student's scores of each choice, and the teacher's.

    A student with a CRF is compared by its words' log-marginals (posterior distillation, Wang et al.
    2020): they are what a teacher's distribution over a word's tags stands beside, whether that is a
    soft-max or marginals too, and its transitions learn by them even where no gold label is looked at.
    A tag that the student's scheme rules out counts for nothing.
    """
    chain = crf.of(model)
    for name, scores in student.items():
        teacher = batch.targets[name].to(scores.device)
        if chain is None:
            yield scores, teacher
        else:
            mine = chain.log_marginals(scores, batch.owner.to(scores.device))
            possible = teacher.masked_fill(mine == -torch.inf, -torch.inf)
            yield mine, F.log_softmax(possible, dim=-1)

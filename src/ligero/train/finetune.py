"""Objective: supervised learning from gold labels."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from ligero.models import crf
from ligero.tasks.kinds.kind import UNLABELLED
from ligero.train.features import Batch, Features
from ligero.train.loop import LossSum
from ligero.train.order import Ids
from ligero.train.scorer import choices, evaluate


def cross_entropy(scores: dict[str, torch.Tensor], gold: dict[str, torch.Tensor]) -> torch.Tensor:
    """Summed cross-entropy with the gold labels over all units of all choices."""
    losses = [
        F.cross_entropy(s, gold[name].to(s.device), ignore_index=UNLABELLED, reduction="sum")
        for name, s in scores.items()
    ]
    return torch.stack(losses).sum()


def gold_loss(
    model: torch.nn.Module, scores: dict[str, torch.Tensor], batch: Batch
) -> torch.Tensor:
    """Summed cross-entropy with the gold labels; of a model with a CRF minus the log-likelihood of its
    sentences' tags."""
    chain = crf.of(model)
    if chain is None:
        return cross_entropy(scores, batch.gold)
    here = scores["tag"].device
    return chain.loss(scores["tag"], batch.gold["tag"].to(here), batch.owner.to(here))


class Supervised:
    """Cross-entropy on the training split, the task's own metric on the validation split."""

    def __init__(self, train: Features, dev: Features) -> None:
        self.train, self.dev, self.kind = train, dev, train.kind.name
        self.size, self.rows, self.widths = len(train), train.rows, train.widths
        self.metric = train.kind.metric(train.labels)

    def enter(self, epoch: int) -> None:
        """Every epoch has the same examples."""

    def batch(self, ids: Ids, epoch: int) -> Batch:
        """The examples as they are: nothing is drawn."""
        return self.train.batch(ids)

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """Cross-entropy; its weight is the number of labelled units."""
        weight = sum(int((gold != UNLABELLED).sum()) for gold in batch.gold.values())
        scores = choices(model, self.kind, batch)
        return LossSum(gold_loss(model, scores, batch), float(weight))

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """The kind's metrics on the validation split."""
        return evaluate(model, self.dev)

    def names(self, ids: Ids) -> Sequence[str]:
        """The examples' ids."""
        return [self.train.examples[int(i)].id for i in ids]

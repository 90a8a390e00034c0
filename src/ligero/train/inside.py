"""Objective: distillation from inside the teacher, beside its outputs.

What one layer of the teacher computes is compared with what one of the student does, word by word:
relations between words (MiniLMv2: Wang et al., 2021) and hidden states (FitNets: Romero et al., 2015;
TinyBERT: Jiao et al., 2020). Each word is read at its first sub-word, so the two may differ in
vocabulary, windows, layers, heads and width. Of two texts these are the words of the second alone, a
context or a hypothesis: what the first one is counts by what it does to them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ligero.config import DistillConfig, FitConfig
from ligero.errors import InputError
from ligero.models.heads import padded
from ligero.models.inside import Inside, check, layer_number, look
from ligero.models.weights import drawn_from
from ligero.train import order
from ligero.train.distill import Distill
from ligero.train.features import Batch
from ligero.train.loop import LossSum
from ligero.train.order import Ids
from ligero.train.trained import Trained

# Width of a relation head with the teacher: 48 of 768, 64 of 1,024 (MiniLMv2, section 4).
HEAD_WIDTH = 16
# Pairs of words, padded, that are looked at in one go; an example with more is by itself.
MOST_RELATIONS = 1 << 17
# The student's map into the teacher's width, under this name in the student while it learns.
PROJECTION = "projection"


def relation_loss(student: Tensor, teacher: Tensor, present: Tensor, heads: int) -> Tensor:
    """KL(teacher || student) of the relations between words, [examples] (MiniLMv2, section 3).

    student, teacher: one vector for each word, [examples, words, width], widths their own: queries,
    or keys, or values. They are cut into `heads` of equal width, and a word's relation is the
    soft-max of its scaled products with all words that are given of its example. present: [examples,
    words], whether an example has such a word. The mean over heads and words; 0 for an example without
    words.

    Where words are many, a few examples of like length go together, and are computed again when
    gradients are: of a long text the relations of all words, in all heads, would else be held several
    times over.
    """
    if len(present) * present.shape[1] ** 2 <= MOST_RELATIONS:
        return _relation_kl(student, teacher, present, heads)
    counts = present.sum(dim=1).clamp(min=1)
    by_length = counts.argsort(stable=True)
    losses = []
    for part in _parts(by_length, counts[by_length].tolist()):
        most = int(counts[part[-1]])
        given = (vectors[part, :most] for vectors in (student, teacher, present))
        losses.append(
            checkpoint(_relation_kl, *given, heads, use_reentrant=False, preserve_rng_state=False)
        )
    return torch.cat(losses)[by_length.argsort()]


def _parts(rows: Tensor, counts: Sequence[int]) -> Iterator[Tensor]:
    """Examples in order of their words' `counts`, as many at a time as MOST_RELATIONS allows."""
    start = 0
    for end in range(1, len(counts) + 1):
        if end == len(counts) or (end + 1 - start) * counts[end] ** 2 > MOST_RELATIONS:
            yield rows[start:end]
            start = end


def _relation_kl(student: Tensor, teacher: Tensor, present: Tensor, heads: int) -> Tensor:
    log_q, log_p = (_relations(vectors, present, heads) for vectors in (student, teacher))
    kl = (log_p.exp() * (log_p - log_q)).sum(dim=-1)
    return _over_words(kl.mean(dim=1), present)


def state_loss(student: Tensor, teacher: Tensor, present: Tensor) -> Tensor:
    """Squared difference of states [examples, words, width], the mean over width and words, [examples].

    present: as `relation_loss` has it (TinyBERT, equation 8).
    """
    return _over_words((student - teacher).square().mean(dim=-1), present)


def _relations(vectors: Tensor, present: Tensor, heads: int) -> Tensor:
    """Logarithms of each word's relations to all, [examples, heads, words, words]."""
    parts = vectors.unflatten(-1, (heads, -1)).transpose(1, 2)
    scores = parts @ parts.transpose(-1, -2) / math.sqrt(parts.shape[-1])
    # Not minus infinity: an example without words would have no soft-max.
    absent = ~present[:, None, None]
    return scores.masked_fill(absent, torch.finfo(scores.dtype).min).log_softmax(dim=-1)


def _over_words(losses: Tensor, present: Tensor) -> Tensor:
    """The mean of losses [examples, words] over the words that an example has."""
    return (losses * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)


@dataclass(frozen=True)
class Pair:
    """Which of a teacher's layers is compared with which of a student's.

    heads: into how many the vectors of both are cut for relations. width: of the states that the
    student's are mapped into; 0 where they are of that width.
    """

    teacher_layer: int
    student_layer: int
    heads: int
    width: int


def pair(teacher: Any, student: Any, config: DistillConfig) -> Pair:
    """What the settings choose for two models, told by their configurations of transformers.

    InputError for a family whose inside is not known, for a layer that is not there, and for numbers of
    heads that do not divide both widths.
    """
    for model in (teacher, student):
        check(model)
    widths = int(teacher.hidden_size), int(student.hidden_size)
    return Pair(
        layer_number(teacher, config.teacher_layer),
        layer_number(student, config.student_layer),
        _heads(config.relation_heads, *widths),
        widths[0] if config.hidden and widths[0] != widths[1] else 0,
    )


def _heads(asked: int, teacher: int, student: int) -> int:
    fitting = [n for n in range(1, teacher + 1) if teacher % n == student % n == 0]
    if asked and asked not in fitting:
        raise InputError(
            f"{asked} relation heads for widths of {teacher} and {student}",
            expected=f"one of {', '.join(map(str, fitting))}, which divide both; 0: chosen",
        )
    return asked or max(n for n in fitting if n <= max(1, teacher // HEAD_WIDTH))


def is_asked(config: DistillConfig, fit: FitConfig) -> bool:
    """Whether anything inside is compared.

    InputError for a first stage that has nothing to learn, or that patience would end.
    """
    asked = bool(config.relations or config.hidden)
    if config.first and not asked:
        raise InputError(
            f"distill.first = {config.first:g}",
            expected="distill.relations or distill.hidden with it",
        )
    if config.first and fit.patience:
        raise InputError(
            f"patience {fit.patience} with distill.first = {config.first:g}",
            expected="one of them: scores do not rise before outputs are learned",
        )
    return asked


def detach(student: nn.Module) -> None:
    """Take from a model what `deepen` gave it, if anything: it only served to learn."""
    if hasattr(student, PROJECTION):
        delattr(student, PROJECTION)


@dataclass
class Read:
    """Some examples as student and teacher read them. alone: whether outputs are not learned yet."""

    student: Batch
    teacher: Batch
    alone: bool

    @property
    def tokens(self) -> int:
        """Sub-words that the student reads."""
        return self.student.tokens


class DistillInside:
    """A student learns what its teacher computes inside, and its outputs as `Distill` has them.

    L = outputs + relations (Q-Q + K-K + V-V) + hidden MSE. What is inside an example weighs as its
    units do, so that for kinds whose units are words the mean is over words, and for those that
    choose for a text the mean over words is taken within each text.
    """

    def __init__(
        self, outputs: Distill, teacher: Trained, pair: Pair, fit: FitConfig, seed: int
    ) -> None:
        """outputs: its training examples have words. fit, seed: from which the steps of the first
        stage follow, and the examples in them."""
        self.outputs, self.config = outputs, outputs.config
        self.teacher, self.model, self.pair = teacher, teacher.model.eval(), pair
        self.fit, self.seed, self.size, self.metric = fit, seed, outputs.size, outputs.metric
        total = fit.steps or fit.epochs * order.steps(self.size, fit.batch_size)
        self.first = round(self.config.first * total)
        self.labelled = teacher.features(outputs.labelled.examples)

    def enter(self, epoch: int) -> None:
        """What the outputs make ready, as the teacher reads it, too."""
        self.outputs.enter(epoch)
        own = self.outputs.train
        self.rows, self.widths = own.rows, own.widths
        self.units = np.asarray([sum(map(len, gold.values())) for gold in own.gold])
        others = own.examples[len(self.labelled) :]
        self.read = self.labelled.joined(self.teacher.features(others)) if others else self.labelled
        # The epoch's steps are known beforehand, so an example's place in it says what is learned.
        lengths = self.rows * self.widths if self.fit.bucketed else self.widths
        cut = order.batches(
            self.seed, epoch, lengths, self.fit.batch_size, bucketed=self.fit.bucketed
        )
        self.alone = np.zeros(self.size, dtype=bool)
        for ids in cut[: max(0, self.first - epoch * len(cut))]:
            self.alone[ids] = True

    def batch(self, ids: Ids, epoch: int) -> Read:
        """The examples with the teacher's scores, and as the teacher reads them."""
        return Read(self.outputs.batch(ids, epoch), self.read.batch(ids), bool(self.alone[ids[0]]))

    def loss(self, model: nn.Module, batch: Read) -> LossSum:
        """The summed loss; its weight is that of the outputs, learned or not."""
        with look(model, self.pair.student_layer) as own:
            outputs = self.outputs.loss(model, batch.student)
        inside = self._inside(model, own, batch)
        return LossSum(inside if batch.alone else outputs.total + inside, outputs.weight)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """The kind's metrics on the validation split."""
        return self.outputs.evaluate(model)

    def names(self, ids: Ids) -> Sequence[str]:
        """The examples' ids."""
        return self.outputs.names(ids)

    def _inside(self, model: nn.Module, own: Inside, batch: Read) -> Tensor:
        """What is inside compared, summed over units."""
        told, here = self._told(batch.teacher), own.states.device
        student, present = _at_words(batch.student, here)
        teacher, _ = _at_words(batch.teacher, here)
        # Differences of logarithms, and squares, ask for more than bf16 has.
        with torch.autocast(here.type, enabled=False):
            losses = torch.zeros(len(batch.student.ids), device=here)
            if self.config.relations:
                for mine, theirs in (
                    (own.queries, told.queries), (own.keys, told.keys), (own.values, told.values)
                ):  # fmt: skip
                    losses = losses + self.config.relations * relation_loss(
                        student(mine), teacher(theirs), present, self.pair.heads
                    )
            if self.config.hidden:
                project = getattr(model, PROJECTION, nn.Identity())
                losses = losses + self.config.hidden * state_loss(
                    project(student(own.states)), teacher(told.states), present
                )
            units = torch.from_numpy(self.units[batch.student.ids]).to(here)
            return (losses * units).sum()

    def _told(self, batch: Batch) -> Inside:
        """What the teacher computes, without dropout and without a gradient."""
        inputs = {name: tensor.to(self.model.device) for name, tensor in batch.inputs.items()}
        with torch.no_grad(), look(self.model, self.pair.teacher_layer) as told:
            self.model.base_model(**inputs)
        return told


def _at_words(batch: Batch, here: torch.device) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """How to read vectors [rows, length, width] at words, as [examples, words, width] in fp32; and
    which words an example has, [examples, words]."""
    word, present = padded(batch.owner.to(here), len(batch.ids))
    at = batch.words.to(here)[word]
    return lambda vectors: vectors[at[..., 0], at[..., 1]].float(), present


def deepen(
    outputs: Distill, student: Trained, teacher: Trained, pair: Pair, fit: FitConfig, seed: int
) -> DistillInside:
    """Distillation of outputs, and of what is inside beside them, as `DistillInside` says.

    For states of another width than the teacher's the student is given a linear map, drawn from
    `seed`: part of the model like any other, optimised and kept in checkpoints, until `detach`.
    """
    if pair.width:
        with drawn_from(seed):
            projection = nn.Linear(student.model.config.hidden_size, pair.width, bias=False)
        student.model.add_module(PROJECTION, projection.to(student.model.device))
    return DistillInside(outputs, teacher, pair, fit, seed)

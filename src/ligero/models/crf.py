"""A linear-chain conditional random field over the words of a sentence, whatever encoder scores them.

Lafferty et al. (2001), on a neural network's scores as in Lample et al. (2016), section 2.2. It is a
submodule, `model.crf`, of a transformers model: its weights are saved beside the model's own, and plain
transformers, which knows none of it, reads the rest.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import PreTrainedModel

from ligero.errors import InputError
from ligero.models import hub
from ligero.models.heads import padded
from ligero.tasks import schemes
from ligero.tasks.chains import Chain
from ligero.tasks.kinds.kind import UNLABELLED

# What a forbidden transition scores: no sum of real scores comes near, and unlike minus infinity it has
# a gradient.
NEVER = -1e4


class CRF(nn.Module):
    """Scores of transitions, learned; what a scheme of entity tags forbids is masked and not learned.

    start, end: [labels]. moves: [labels, labels], from a row's tag to a column's. They begin at zero, so
    that nothing is drawn. As `chains.Decoder` it decodes by what they are at the moment.

    scores: [words, labels], of the words of some sentences one after another; owner: [words], the
    sentence of each, in ascending order. All is computed in fp32, under autocast too.
    """

    # The transitions' own peak learning rate. They are few and begin at zero: at a fine-tuned encoder's
    # rate they would hardly leave it, and unlike an encoder's weights they are scores already, for which
    # a step has the same size in any model.
    peak = 0.01

    start: Tensor
    moves: Tensor
    end: Tensor
    no_start: Tensor
    no_moves: Tensor
    no_end: Tensor

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        allowed = schemes.allowed(tuple(labels))
        for name in ("start", "moves", "end"):
            zeros = torch.as_tensor(getattr(allowed, name), dtype=torch.float32)
            self.register_parameter(name, nn.Parameter(torch.zeros_like(zeros)))
            # They follow from the labels, so no file needs them.
            self.register_buffer(f"no_{name}", torch.isneginf(zeros), persistent=False)

    def loss(self, scores: Tensor, gold: Tensor, owner: Tensor) -> Tensor:
        """Minus the log-likelihood of the gold tags, summed over sentences.

        gold: [words], UNLABELLED for a word whose tag is summed over.
        """
        if not len(scores):
            return scores.sum()
        with torch.autocast(scores.device.type, enabled=False):
            options = torch.arange(scores.shape[1], device=scores.device)
            wrong = (gold.unsqueeze(1) != options) & (gold != UNLABELLED).unsqueeze(1)
            # Two sums over paths by one recursion: over all, and over those that have the gold tags.
            both = torch.cat([scores, scores.masked_fill(wrong, NEVER)])
            word, there = _sentences(torch.cat([owner, owner + owner[-1] + 1]))
            start, moves, end = self._transitions()
            logs = _totals(_forward(both[word], start, moves), there, end)
            every, right = logs.chunk(2)
            return (every - right).sum()

    def log_marginals(self, scores: Tensor, owner: Tensor) -> Tensor:
        """Log-probability of each tag of each word by itself, [words, labels] (forward-backward).

        Minus infinity, without a gradient, for tags that no allowed path has there.
        """
        if not len(scores):
            return scores
        with torch.autocast(scores.device.type, enabled=False):
            word, there = _sentences(owner)
            start, moves, end = self._transitions()
            lengths = there.sum(dim=1, keepdim=True)
            places = torch.arange(word.shape[1], device=word.device)
            backwards = word.gather(1, (lengths - 1 - places).clamp(min=0))
            before = _forward(scores[word], start, moves)
            after = _forward(scores[backwards], end, moves.T)
            total = _totals(before, there, end)[:, None].expand_as(there)[there].unsqueeze(1)
            # Turning each sentence round twice leaves it as it was.
            found = before[there] + after[there][backwards[there]] - scores - total
            return found.masked_fill(found < NEVER / 2, -torch.inf)

    @torch.no_grad()
    def chain(self) -> Chain:
        """The transitions as numpy decodes with them, minus infinity where they are forbidden."""
        start, moves, end = (each.cpu().numpy() for each in self._transitions(-torch.inf))
        return Chain(start, moves, end, learned=True)

    def best(self, scores: np.ndarray) -> np.ndarray:
        """As `Chain.best`."""
        return self.chain().best(scores)

    def beliefs(self, scores: np.ndarray) -> np.ndarray:
        """As `Chain.beliefs`."""
        return self.chain().beliefs(scores)

    def _transitions(self, never: float = NEVER) -> tuple[Tensor, Tensor, Tensor]:
        return (
            self.start.masked_fill(self.no_start, never),
            self.moves.masked_fill(self.no_moves, never),
            self.end.masked_fill(self.no_end, never),
        )


def attach(model: PreTrainedModel, labels: Sequence[str], folder: Path | None = None) -> CRF:
    """Give a model a CRF over its labels: the one that a checkpoint's folder has for them, or a new one."""
    made = CRF(labels).to(model.device)
    if folder is not None:
        _read(made, labels, folder)
    model.crf = made
    return made


def of(model: nn.Module) -> CRF | None:
    """A model's CRF, if it has one."""
    found = getattr(model, "crf", None)
    return found if isinstance(found, CRF) else None


def has_crf(folder: Path) -> bool:
    """Whether a checkpoint's folder holds the weights of one."""
    file = folder / hub.WEIGHTS
    if not file.is_file():
        return False
    with safe_open(file, framework="pt") as weights:
        return "crf.moves" in weights.keys()  # noqa: SIM118, as this is no mapping


def _read(crf: CRF, labels: Sequence[str], folder: Path) -> None:
    """Take over a checkpoint's transitions, in the order of `labels`; none where its labels are others."""
    if not has_crf(folder):
        return
    names = hub.read_json(folder / hub.CONFIG).get("id2label") or {}
    place = {label: int(index) for index, label in names.items()}
    if place.keys() != set(labels):
        return
    order = torch.tensor([place[label] for label in labels])
    with safe_open(folder / hub.WEIGHTS, framework="pt") as weights, torch.no_grad():
        for name, parameter in crf.named_parameters():
            found = weights.get_tensor(f"crf.{name}")
            if set(found.shape) != {len(labels)}:
                raise InputError(
                    f"crf.{name} of shape {tuple(found.shape)}", file=folder / hub.WEIGHTS,
                    expected=f"{len(labels)} for each label",
                )  # fmt: skip
            found = found[order]
            parameter.copy_(found[:, order] if found.ndim == 2 else found)


def _sentences(owner: Tensor) -> tuple[Tensor, Tensor]:
    """As `heads.padded`, of those sentences that have words."""
    _, sentence, counts = torch.unique_consecutive(owner, return_inverse=True, return_counts=True)
    return padded(sentence, len(counts))


def _forward(scores: Tensor, start: Tensor, moves: Tensor) -> Tensor:
    """Log of the sum over all paths that end in a word's tag, that word included.

    scores: [sentences, most, labels], and so is what comes out; a sentence's padding, which comes last,
    reaches none of its words.
    """
    first, *rest = scores.unbind(dim=1)
    found = [start + first]
    for own in rest:
        found.append(torch.logsumexp(found[-1].unsqueeze(2) + moves, dim=1) + own)
    return torch.stack(found, dim=1)


def _totals(forward: Tensor, there: Tensor, end: Tensor) -> Tensor:
    """Log of the sum over all paths of each sentence, [sentences]."""
    last = there.sum(dim=1) - 1
    sentence = torch.arange(len(last), device=last.device)
    return torch.logsumexp(forward[sentence, last] + end, dim=-1)

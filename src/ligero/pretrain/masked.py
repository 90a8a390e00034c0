"""Objective: masked language modelling, alone or with sentence order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ligero.config import MaskConfig
from ligero.models import language
from ligero.pretrain import masking
from ligero.pretrain.masking import Masked
from ligero.pretrain.windows import Windows
from ligero.train import order
from ligero.train.loop import LossSum
from ligero.train.order import Ids

UNLABELLED = -100


@dataclass
class Batch:
    """Windows with some of their sub-words hidden.

    inputs: what the encoder takes, each [rows, length]. places, gold: [hidden], as in `Masked`.
    swapped: [rows], 1 where a window's segments are swapped, UNLABELLED where it has but one.
    draws: [hidden], a number from [0, 1) for each hidden place.
    """

    inputs: dict[str, Tensor]
    places: Tensor
    gold: Tensor
    swapped: Tensor | None = None
    draws: Tensor | None = None

    @property
    def tokens(self) -> int:
        """Sub-words in it; there is no padding."""
        return self.inputs["input_ids"].numel()


@dataclass
class MaskedWords:
    """Guess hidden sub-words from both sides (Devlin et al., 2019, section 3.1).

    A window counts as much as any other: its loss is the sum over its hidden sub-words divided by
    how many the rate asks for. Word shapes, where the model knows them, are given and not guessed: a
    hidden word keeps its own, and so does one that another was put in the place of.
    """

    train: Windows
    dev: Windows
    config: MaskConfig
    seed: int
    dev_windows: int
    compiled: bool = False
    metric: str = field(default="accuracy", init=False)

    def __post_init__(self) -> None:
        self.size = self.train.size
        # Every window is one row of the same length: views of one number.
        self.rows: Ids = np.broadcast_to(np.int64(1), self.size)
        self.widths: Ids = np.broadcast_to(np.int64(self.train.length), self.size)
        self.expected = self.config.rate * self.train.text

    def enter(self, epoch: int) -> None:
        """Every epoch has the same windows, or begins them elsewhere by itself."""

    def batch(self, ids: Ids, epoch: int) -> Batch:
        """The windows `ids`, masked anew in every epoch."""
        return self.drawn(self.train, ids, epoch, "mask")

    def drawn(self, windows: Windows, ids: Ids, epoch: int, name: str) -> Batch:
        """Windows masked as `name`, the seed and the epoch say."""
        rows = windows.read(ids, epoch)
        hidden = self.hide(windows, rows, ids, epoch, name)
        inputs = {"input_ids": torch.from_numpy(hidden.ids)}
        if rows.types is not None:
            inputs["token_type_ids"] = torch.from_numpy(rows.types)
        return Batch(inputs, *tensors(hidden))

    def hide(self, windows: Windows, rows: Any, ids: Ids, epoch: int, name: str) -> Masked:
        """What is hidden of `rows`."""
        key = order.key(name, self.seed, epoch)
        return masking.hide(
            rows, self.config, mask=windows.mask, plain=windows.plain, chance=(key, ids)
        )

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """Cross-entropy of the hidden sub-words; its weight is the number of windows."""
        picked, _ = encoded(model, batch)
        total = self.guess(model, picked, batch.gold) / self.expected
        return LossSum(total, float(len(batch.inputs["input_ids"])))

    def guess(self, model: Any, picked: Tensor, gold: Tensor) -> Tensor:
        """Summed cross-entropy of the hidden sub-words, from the states [hidden, width] there."""
        gold = gold.to(picked.device)
        if not self.compiled:
            return cross_entropy(model, picked, gold)
        for tensor in (picked, gold):
            # How many are hidden differs from batch to batch.
            torch._dynamo.mark_dynamic(tensor, 0)
        return fused_cross_entropy(model, picked, gold)

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Loss and accuracy, in percent, at the hidden sub-words of held-out windows."""
        return evaluated(self, model, self.tallies)

    def tallies(self, model: torch.nn.Module, batch: Batch) -> dict[str, tuple[float, float]]:
        """Figure -> its sum over a batch, and what it is to be divided by."""
        _, scores, _ = scored(model, batch)
        return guesses(scores, batch)

    def names(self, ids: Ids) -> Sequence[str]:
        """The windows' numbers."""
        return [f"window {int(i)}" for i in ids]


def cross_entropy(model: Any, picked: Tensor, gold: Tensor) -> Tensor:
    """Summed cross-entropy of sub-words [hidden] given last hidden states [hidden, width]."""
    return F.cross_entropy(language.words(model, picked).float(), gold, reduction="sum")


# The scores of a step's hidden sub-words are as large as all of a small model's activations, and each
# step of a soft-max that is not fused goes through them once more.
fused_cross_entropy = torch.compile(cross_entropy)


def encoded(model: Any, batch: Batch) -> tuple[Tensor, Any]:
    """Last hidden states at the hidden places [hidden, width]; all that the encoder gave."""
    here = next(model.parameters()).device
    inputs = {name: tensor.to(here) for name, tensor in batch.inputs.items()}
    # Evaluation is a small part of the time, and is not worth a compilation of its own.
    encode = model.base_model if model.training else model.base_model.forward
    output = encode(**inputs)
    states = output.last_hidden_state
    return states.reshape(-1, states.shape[-1]).index_select(0, batch.places.to(here)), output


def scored(model: Any, batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
    """States [rows, length, hidden]; scores [hidden, entries] at the hidden places; pooled states."""
    picked, output = encoded(model, batch)
    return output.last_hidden_state, language.words(model, picked), output.get("pooler_output")


def guesses(scores: Tensor, batch: Batch) -> dict[str, tuple[float, float]]:
    """Summed loss, and right guesses in percent, of the hidden sub-words."""
    gold, scores = batch.gold.to(scores.device), scores.float()
    right = 100.0 * float((scores.argmax(1) == gold).sum())
    count = float(len(gold))
    return {
        "loss": (float(F.cross_entropy(scores, gold, reduction="sum")), count),
        "accuracy": (right, count),
    }


def evaluated(objective: Any, model: torch.nn.Module, tallies: Any) -> dict[str, float]:
    """The means of `tallies` over the first held-out windows, hidden the same way each time."""
    ids = np.arange(min(objective.dev_windows, objective.dev.size))
    each = max(1, 4096 // objective.dev.length)
    sums: dict[str, np.ndarray] = {}
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for part in np.split(ids, range(each, len(ids), each)):
                batch = objective.drawn(objective.dev, part, 0, "dev")
                for name, pair in tallies(model, batch).items():
                    sums[name] = sums.get(name, np.zeros(2)) + np.array(pair)
    finally:
        model.train(training)
    return {name: float(total / max(count, 1.0)) for name, (total, count) in sums.items()}


def tensors(hidden: Masked) -> tuple[Tensor, Tensor]:
    """Places and gold, as a batch holds them."""
    return torch.from_numpy(hidden.places), torch.from_numpy(hidden.gold)

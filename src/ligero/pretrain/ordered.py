"""Objective: masked language modelling with sentence order (ALBERT)."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from ligero.models import language
from ligero.pretrain.masked import UNLABELLED, Batch, MaskedWords, encoded, guesses, scored, tensors
from ligero.pretrain.windows import Rows, Windows
from ligero.train import order
from ligero.train.loop import LossSum
from ligero.train.order import Ids


class OrderedSentences(MaskedWords):
    """Guess hidden sub-words, and whether two segments stand in their order (Lan et al., 2020,
    section 3.1; both losses weigh the same).

    A window is cut where a sentence or line begins, the one nearest a place drawn at random, and in
    half the windows the segments change places. A window that holds no such place, or text of
    several documents, is one segment, and has no order to learn.
    """

    def drawn(self, windows: Windows, ids: Ids, epoch: int, name: str) -> Batch:
        """Windows in two segments, masked."""
        key = order.key("order", name, self.seed, epoch)
        draws = order.uniform(key, ids, 2)
        rows, types, swapped = _paired(windows, ids, epoch, draws)
        hidden = self.hide(windows, rows, ids, epoch, name)
        inputs = {
            "input_ids": torch.from_numpy(hidden.ids),
            "token_type_ids": torch.from_numpy(types),
        }
        return Batch(inputs, *tensors(hidden), torch.from_numpy(swapped))

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """Both cross-entropies; the weight is the number of windows."""
        picked, output = encoded(model, batch)
        total = self.guess(model, picked, batch.gold) / self.expected
        total = total + _order_loss(model, output.pooler_output, batch)[0]
        return LossSum(total, float(len(batch.inputs["input_ids"])))

    def tallies(self, model: torch.nn.Module, batch: Batch) -> dict[str, tuple[float, float]]:
        """Those of masked words, and of order."""
        _, scores, pooled = scored(model, batch)
        loss, right, count = _order_loss(model, pooled, batch)
        return guesses(scores, batch) | {
            "order_loss": (float(loss), count),
            "order_accuracy": (100.0 * right, count),
        }


def _order_loss(model: Any, pooled: Any, batch: Batch) -> tuple[torch.Tensor, float, float]:
    """Summed cross-entropy, right guesses, and windows that have an order."""
    assert batch.swapped is not None
    scores = language.order(model, pooled).float()
    gold = batch.swapped.to(scores.device)
    loss = F.cross_entropy(scores, gold, ignore_index=UNLABELLED, reduction="sum")
    right = float((scores.detach().argmax(1) == gold).sum())
    return loss, right, float((gold != UNLABELLED).sum())


def _paired(
    windows: Windows, ids: Ids, epoch: int, draws: np.ndarray
) -> tuple[Rows, np.ndarray, np.ndarray]:
    """The windows as [CLS] a [SEP] b [SEP], their type ids, and which were swapped."""
    rows = windows.read(ids, epoch)
    types = np.zeros_like(rows.ids) if rows.types is None else rows.types
    swapped = np.full(len(ids), UNLABELLED, dtype=np.int64)
    for row, window in enumerate(windows.spans(ids, epoch)):
        # One sub-word makes room for the [SEP] between the segments.
        last = windows.text - 1
        starts = windows.sentence_starts(window)
        starts = starts[starts < last]
        if window.documents[1:last].any() or not len(starts):
            continue
        cut = int(starts[np.argmin(np.abs(starts - draws[row, 0] * windows.text))])
        swapped[row] = int(draws[row, 1] < 0.5)
        first, second = np.arange(cut), np.arange(cut, last)
        if swapped[row]:
            first, second = second, first
        border = 1 + len(first)
        told = windows.types(window)
        types[row] = 0
        types[row, border + 1 :] = 1
        for piece, at in ((first, 1), (second, border + 1)):
            types[row, at : at + len(piece)] += told[piece]
            rows.ids[row, at : at + len(piece)] = window.ids[piece]
            rows.begins[row, at : at + len(piece)] = window.words[piece]
            rows.begins[row, at] = True
            rows.inner[row, at : at + len(piece)] = ~windows.special[window.ids[piece]]
        rows.ids[row, border] = windows.sep
        rows.begins[row, border] = rows.inner[row, border] = False
    return rows, types, swapped

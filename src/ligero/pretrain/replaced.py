"""Objective: replaced-token detection (ELECTRA)."""

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from ligero.config import MaskConfig, ReplacedConfig
from ligero.models import language
from ligero.models.weights import drawn_from
from ligero.pretrain.masked import Batch, MaskedWords, guesses, scored
from ligero.pretrain.windows import Windows
from ligero.train import order
from ligero.train.loop import LossSum
from ligero.train.order import Ids


class Judged(nn.Module):
    """A generator that fills hidden places, and a judge of every sub-word (Clark et al., 2020).

    The judge is what is wanted in the end. Both share the embeddings of sub-words and positions, as
    in the paper; the generator has fewer layers of the same width.
    """

    def __init__(self, judge: PreTrainedModel, layers: int, seed: int) -> None:
        super().__init__()
        self.judge = judge
        # Its vocabulary's head is not asked; the embeddings in it are the encoder's.
        asked = set(judge.base_model.parameters())
        for parameter in set(judge.parameters()) - asked:
            parameter.requires_grad_(False)
        config = copy.deepcopy(judge.config)
        config.num_hidden_layers = min(layers, config.num_hidden_layers)
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[: config.num_hidden_layers]
        self.generator = language.drawn(config, seed=seed + 1)
        self.generator.base_model.embeddings = judge.base_model.embeddings
        self.generator.tie_weights()
        hidden = config.hidden_size
        with drawn_from(seed + 2):
            self.dense, self.score = nn.Linear(hidden, hidden), nn.Linear(hidden, 1)
        self.config = judge.config

    def judged(self, states: Tensor) -> Tensor:
        """Scores [rows, length] of each sub-word having been replaced."""
        return self.score(F.gelu(self.dense(states))).squeeze(-1)


class ReplacedTokens(MaskedWords):
    """Tell which sub-words a small generator put there: every position teaches (Clark et al., 2020,
    section 2; the judge's loss weighs 50)."""

    def __init__(
        self,
        train: Windows,
        dev: Windows,
        config: MaskConfig,
        seed: int,
        dev_windows: int,
        judged: ReplacedConfig,
    ) -> None:
        # All chosen sub-words become [MASK], as in the paper: the judge never sees it anyway.
        config = replace(config, mask=1.0, random=0.0)
        super().__init__(train, dev, config, seed, dev_windows)
        self.judged = judged

    def drawn(self, windows: Windows, ids: Ids, epoch: int, name: str) -> Batch:
        """Windows masked, with what the generator's guesses are drawn by."""
        batch = super().drawn(windows, ids, epoch, name)
        key = order.key("guess", name, self.seed, epoch)
        draws = torch.from_numpy(order.uniform(key, ids, windows.length)).reshape(-1)
        return replace(batch, draws=draws[batch.places])

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """The generator's cross-entropy and the judge's; the weight is the number of windows."""
        guess, verdict, _, _ = self._judge(model, batch)
        count = len(batch.inputs["input_ids"])
        total = guess / self.expected + self.judged.weight * verdict / self.train.length
        return LossSum(total, float(count))

    def tallies(self, model: torch.nn.Module, batch: Batch) -> dict[str, tuple[float, float]]:
        """The generator's guesses; the judge's loss, and as accuracy the F1 of what was replaced."""
        guess, verdict, scores, found = self._judge(model, batch)
        told = guesses(scores, batch)
        count = float(batch.tokens)
        replaced, caught, called = found
        total = guess / self.expected + self.judged.weight * verdict / self.train.length
        return {
            "loss": (float(total), float(len(batch.inputs["input_ids"]))),
            "generator_loss": told["loss"],
            "generator_accuracy": told["accuracy"],
            "judge_loss": (float(verdict), count),
            "accuracy": (200.0 * caught, replaced + called),
        }

    def _judge(
        self, model: Any, batch: Batch
    ) -> tuple[Tensor, Tensor, Tensor, tuple[float, float, float]]:
        """Both summed losses; the generator's scores; replaced, found, called replaced."""
        _, scores, _ = scored(_generator(model), batch)
        gold = batch.gold.to(scores.device)
        guess = F.cross_entropy(scores.float(), gold, reduction="sum")
        ids = batch.inputs["input_ids"].to(scores.device)
        places = batch.places.to(scores.device)
        with torch.no_grad():
            assert batch.draws is not None
            sampled = sample(scores, batch.draws)
            filled = ids.reshape(-1).index_copy(0, places, sampled).view_as(ids)
            truth = torch.zeros_like(ids).reshape(-1)
            truth = truth.index_copy(0, places, (sampled != gold).long()).view_as(ids)
        encode = model.judge.base_model if model.training else model.judge.base_model.forward
        given = {name: tensor.to(scores.device) for name, tensor in batch.inputs.items()}
        verdicts = model.judged(encode(**{**given, "input_ids": filled}).last_hidden_state).float()
        verdict = F.binary_cross_entropy_with_logits(verdicts, truth.float(), reduction="sum")
        called = verdicts.detach() > 0
        caught = float((called & (truth == 1)).sum())
        return guess, verdict, scores, (float(truth.sum()), caught, float(called.sum()))


def sample(scores: Tensor, draws: Tensor) -> Tensor:
    """One entry [n] for each row of scores [n, entries], by its number [n] from [0, 1).

    Sums of whole numbers come out the same on every device, whatever the order of adding.
    """
    shares = (torch.softmax(scores.float(), 1) * 2.0**30).to(torch.int32)
    sums = shares.cumsum(1, dtype=torch.int32)
    wanted = (draws.to(scores.device) * sums[:, -1]).to(torch.int32)
    found = torch.searchsorted(sums, wanted.unsqueeze(1), right=True).squeeze(1)
    # Scores that are not finite sum up to anything; the loss will tell.
    return found.clamp_(max=scores.shape[1] - 1)


def _generator(model: Any) -> PreTrainedModel:
    model.generator.train(model.training)
    return model.generator

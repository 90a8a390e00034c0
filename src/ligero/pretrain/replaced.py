"""Objective: replaced-token detection (ELECTRA)."""

import copy
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
        super().__init__(train, dev, config, seed, dev_windows)
        self.judged = judged

    def hide(self, windows: Windows, rows: Any, ids: Ids, epoch: int, name: str) -> Any:
        """All chosen sub-words become [MASK], as in the paper: the judge never sees it anyway."""
        kept, self.config = self.config, MaskConfig(self.config.rate, self.config.whole_words, 1, 0)
        try:
            return super().hide(windows, rows, ids, epoch, name)
        finally:
            self.config = kept

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """The generator's cross-entropy and the judge's; the weight is the number of windows."""
        guess, verdict, _, _ = self._judge(model, batch)
        count = len(batch.inputs["input_ids"])
        total = guess / self.expected + self.judged.weight * verdict / self.train.length
        return LossSum(total, float(count))

    def tallies(self, model: torch.nn.Module, batch: Batch) -> dict[str, tuple[float, float]]:
        """The generator's guesses; the judge's loss and how much of what was replaced it finds."""
        _, verdict, scores, found = self._judge(model, batch)
        told = guesses(scores, batch)
        count = float(batch.tokens)
        replaced, caught, called = found
        return {
            "loss": (told["loss"][0] + self.judged.weight * float(verdict), told["loss"][1]),
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
            noise = -torch.log(-torch.log(torch.rand(scores.shape, device=scores.device) + 1e-20))
            sampled = (scores.float() + noise).argmax(1) if model.training else scores.argmax(1)
            filled = ids.reshape(-1).index_copy(0, places, sampled).view_as(ids)
            truth = torch.zeros_like(ids).reshape(-1)
            truth = truth.index_copy(0, places, (sampled != gold).long()).view_as(ids)
        encode = model.judge.base_model if model.training else model.judge.base_model.forward
        verdicts = model.judged(encode(input_ids=filled).last_hidden_state).float()
        verdict = F.binary_cross_entropy_with_logits(verdicts, truth.float(), reduction="sum")
        called = verdicts.detach() > 0
        caught = float((called & (truth == 1)).sum())
        return guess, verdict, scores, (float(truth.sum()), caught, float(called.sum()))


def _generator(model: Any) -> PreTrainedModel:
    model.generator.train(model.training)
    return model.generator

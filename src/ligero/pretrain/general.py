"""Objective: general distillation as DistilBERT's, before any task."""

from collections.abc import Mapping

import torch
from torch.nn import functional as F
from transformers import PreTrainedModel

from ligero.config import GeneralConfig, MaskConfig
from ligero.pretrain.masked import Batch, MaskedWords, scored
from ligero.pretrain.windows import Windows
from ligero.train.loop import LossSum


class GeneralDistillation(MaskedWords):
    """L = kl T² KL(teacher || student) + mlm CE + cosine (1 - cos of last hidden states).

    KL and CE at the hidden places, the angle at every position (Sanh et al., 2019, section 3, and
    the authors' code, which restricts the former to hidden places). The teacher reads what the
    student reads, without dropout.
    """

    def __init__(
        self,
        train: Windows,
        dev: Windows,
        config: MaskConfig,
        seed: int,
        dev_windows: int,
        teacher: PreTrainedModel,
        weights: GeneralConfig,
    ) -> None:
        super().__init__(train, dev, config, seed, dev_windows)
        self.teacher, self.weights = teacher.eval(), weights

    def loss(self, model: torch.nn.Module, batch: Batch) -> LossSum:
        """The three parts; the weight is the number of windows."""
        parts = self.parts(model, batch)
        total = torch.stack([getattr(self.weights, name) * part for name, part in parts.items()])
        return LossSum(total.sum(), float(len(batch.inputs["input_ids"])))

    def parts(self, model: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """kl, mlm and cosine, each a sum over windows of the mean within a window."""
        with torch.no_grad():
            told_states, told, _ = scored(self.teacher, batch)
        states, scores, _ = scored(model, batch)
        t = self.weights.temperature
        own, theirs = (F.log_softmax(s.float() / t, dim=1) for s in (scores, told))
        kl = F.kl_div(own, theirs, reduction="sum", log_target=True) * t * t
        mlm = F.cross_entropy(scores.float(), batch.gold.to(scores.device), reduction="sum")
        cosine = 1.0 - F.cosine_similarity(states.float(), told_states.float(), dim=-1)
        return {
            "kl": kl / self.expected,
            "mlm": mlm / self.expected,
            "cosine": cosine.sum() / self.train.length,
        }

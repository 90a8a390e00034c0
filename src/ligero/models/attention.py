"""Attention for training on processors: two matrix products and a soft-max.

torch's fused kernel for processors (2.13) takes 2 to 3 times as long in the backward pass at the lengths
that small models are trained at (measured: 34 against 10 ms for 32 x 5 heads of 64 at 128
sub-words, 73 against 45 ms for 8 x 12 heads of 26 at 512, bf16 on two cores). It saves the memory
of the scores, [rows, heads, length, length], which matters from some thousand sub-words on.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from ligero.models.dropout import drop

NAME = "ligero"
LONGEST = 1024


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """transformers' interface: [rows, heads, length, width] each -> [rows, length, heads, width].

    attention_mask: [rows, 1 or heads, length, length], True where a word may look. Long texts and other
    devices are left to torch's kernel, and masked ones that are not trained on.
    """
    if (
        query.device.type != "cpu"
        or key.shape[-2] > LONGEST
        or (attention_mask is not None and not module.training)
    ):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(-1, -2))
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1)
    mixed = torch.matmul(drop(weights, dropout) if dropout else weights, value)
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use(model: PreTrainedModel) -> None:
    """Let a model attend this way; what is saved of it does not say so."""
    model.set_attn_implementation(NAME)

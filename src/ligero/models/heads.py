"""From a model's output to the scores of a kind's choices, one function for each kind.

`model` is a transformers model with the kind's head (`build.AUTO_CLASSES`); what comes out is
{choice: scores [units, options]}, differentiable, example after example as the batch holds them.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def tag(
    model: torch.nn.Module, inputs: Mapping[str, Tensor], rows: Tensor, words: Tensor
) -> dict[str, Tensor]:
    """Scores of each word, read at its first sub-word (Speedy Gonzales, section 3.4)."""
    logits = model(**inputs).logits
    return {"tag": logits[words[:, 0], words[:, 1]]}


def classify(
    model: torch.nn.Module, inputs: Mapping[str, Tensor], rows: Tensor, words: Tensor
) -> dict[str, Tensor]:
    """Scores of each text: the mean over its windows, which for a short text is its only one."""
    logits = model(**inputs).logits
    examples = int(rows[-1]) + 1
    if examples == len(rows):
        return {"label": logits}
    total = logits.new_zeros(examples, logits.shape[1]).index_add(0, rows, logits)
    return {"label": total / torch.bincount(rows, minlength=examples).unsqueeze(1)}


Head = Callable[[torch.nn.Module, Mapping[str, Tensor], Tensor, Tensor], dict[str, Tensor]]

HEADS: dict[str, Head] = {"tag": tag, "classify": classify}

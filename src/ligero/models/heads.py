"""From a model's output to the scores of a kind's choices, one function for each kind.

`model` is a transformers model with the kind's head (`build.model_class`). rows: [windows], the
example that each row of the inputs belongs to, in ascending order. words: [words, 2], row and
position of each word's first sub-word, example after example. What comes out is {choice: scores
[units, options]}, differentiable, example after example as the batch holds them; where options are
an example's own words, those that it does not have score minus infinity.
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


def answer(
    model: torch.nn.Module, inputs: Mapping[str, Tensor], rows: Tensor, words: Tensor
) -> dict[str, Tensor]:
    """Scores of no answer and of each word as an answer's start and end, [examples, 1 + words].

    Words are read at their first sub-words. No answer is read at the windows' first sub-words, the
    lowest of an example's: there is none only if no window has one.
    """
    output = model(**inputs)
    examples = int(rows[-1]) + 1
    window, is_window = padded(rows, examples)
    word, is_word = padded(rows[words[:, 0]], examples)
    at = words[word]

    def options(logits: Tensor) -> Tensor:
        nothing = logits[:, 0][window].masked_fill(~is_window, torch.inf).amin(dim=1, keepdim=True)
        found = logits[at[..., 0], at[..., 1]].masked_fill(~is_word, -torch.inf)
        return torch.cat([nothing, found], dim=1)

    return {"start": options(output.start_logits), "end": options(output.end_logits)}


def parse(
    model: torch.nn.Module, inputs: Mapping[str, Tensor], rows: Tensor, words: Tensor
) -> dict[str, Tensor]:
    """Scores of each word's heads, [words, 1 + words of the longest], and of its relations.

    The root is read at the first sub-word of an example's first window, the classification token.
    """
    examples = int(rows[-1]) + 1
    owner = rows[words[:, 0]]
    word, is_word = padded(owner, examples)
    window, is_window = padded(rows, examples)
    first = window[:, :1]
    root = torch.stack([first, torch.zeros_like(first)], dim=-1)
    output = model(
        **inputs,
        units=torch.cat([root, words[word]], dim=1),
        present=torch.cat([is_window[:, :1], is_word], dim=1),
    )
    # Boolean indices go example after example, as words do.
    return {"head": output.heads[is_word], "relation": output.relations[is_word]}


def padded(owner: Tensor, examples: int) -> tuple[Tensor, Tensor]:
    """Things grouped by the example that owns them: [examples, most], and which are there.

    owner: [things], ascending. Places beyond an example's own things hold some other thing's index.
    """
    counts = torch.bincount(owner, minlength=examples)
    place = torch.arange(int(counts.max()), device=owner.device)
    index = (counts.cumsum(0) - counts).unsqueeze(1) + place
    return index.clamp(max=max(0, len(owner) - 1)), place < counts.unsqueeze(1)


Head = Callable[[torch.nn.Module, Mapping[str, Tensor], Tensor, Tensor], dict[str, Tensor]]

HEADS: dict[str, Head] = {"tag": tag, "classify": classify, "answer": answer, "parse": parse}

"""From a graph's output to the scores of a kind's choices, as `models/heads.py` does it in torch.

output: of one example's windows, [windows, width, ...] ("classify": [windows, labels]). words:
[words, 2], window and position of each word's first sub-word. weights: of what is computed here. What
comes out is {choice: scores [units, options]}.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Scores = dict[str, Floats]


def tag(output: Floats, words: Ints, weights: Mapping[str, Floats]) -> Scores:
    """Scores of each word, read at its first sub-word."""
    return {"tag": output[words[:, 0], words[:, 1]]}


def classify(output: Floats, words: Ints, weights: Mapping[str, Floats]) -> Scores:
    """Scores of the text: the mean over its windows."""
    return {"label": output.mean(axis=0, keepdims=True)}


def answer(output: Floats, words: Ints, weights: Mapping[str, Floats]) -> Scores:
    """Scores of no answer, the lowest of the windows' first sub-words, and of each word."""
    nothing = output[:, 0].min(axis=0, keepdims=True)
    options = np.concatenate([nothing, output[words[:, 0], words[:, 1]]])
    return {"start": options[None, :, 0], "end": options[None, :, 1]}


def parse(output: Floats, words: Ints, weights: Mapping[str, Floats]) -> Scores:
    """Scores of each word's heads, [words, 1 + words], and relations (`models.parser.Biaffine`)."""
    units = np.concatenate([np.zeros((1, 2), dtype=np.int64), words])
    arcs, relations = len(weights["arc.weight"]), weights["relation.weight"].shape[1]
    size = round(relations**0.5) - 1
    ends = np.cumsum([arcs, arcs, size])
    dependent, head, relation, relation_head = np.split(
        output[units[:, 0], units[:, 1]], ends, axis=1
    )
    scores = (dependent[1:] @ weights["arc.weight"].T + weights["arc.bias"]) @ head.T
    scores[np.arange(len(words)), np.arange(1, len(words) + 1)] = -np.inf
    shares = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    expected = (shares / shares.sum(axis=1, keepdims=True)) @ relation_head
    one = np.ones((len(words), 1), dtype=np.float32)
    first, second = np.hstack([relation[1:], one]), np.hstack([expected, one])
    products = (first[:, :, None] * second[:, None, :]).reshape(len(words), -1)
    return {
        "head": scores,
        "relation": products @ weights["relation.weight"].T + weights["relation.bias"],
    }


Head = Callable[[Floats, Ints, Mapping[str, Floats]], Scores]

HEADS: dict[str, Head] = {"tag": tag, "classify": classify, "answer": answer, "parse": parse}

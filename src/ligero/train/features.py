"""The examples of one split as one model reads them, and batches of them as tensors."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import Tokenizer

from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Gold, Kind, Labels
from ligero.tasks.words import Encoder, pad
from ligero.train.order import Ids
from ligero.vocab import special_ids

# Rows are padded to a multiple of this: fewer distinct shapes, and vector units stay full.
WIDTH_STEP = 8


@dataclass
class Batch:
    """Some examples, padded.

    ids: [examples], which examples of the split these are.
    inputs: what the encoder takes; each tensor is [rows, width], a row being one window.
    row_example: [rows], the place in `ids` of the example that a row belongs to.
    words: [words, 2], row and position of each word's first sub-word, example after example.
    gold, targets: choice -> indices [units], and a teacher's scores [units, options].
    """

    ids: Ids
    inputs: dict[str, torch.Tensor]
    row_example: torch.Tensor
    words: torch.Tensor
    gold: dict[str, torch.Tensor]
    targets: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def owner(self) -> torch.Tensor:
        """[words], the place in `ids` of the example that a word belongs to, ascending."""
        return self.row_example[self.words[:, 0]]

    @property
    def tokens(self) -> int:
        """Sub-words in it, padding not counted."""
        return int(self.inputs["attention_mask"].sum())


class Features:
    """Examples tokenised, windowed, with their gold labels as indices.

    rows, widths: [examples], windows of each example and sub-words of its longest one.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        tokenizer: Tokenizer,
        window: int,
        kind: Kind,
        labels: Labels,
        segments: bool,
        shape_step: int = 0,
    ) -> None:
        """segments: whether the model takes segment ids (`token_type_ids`). shape_step: as
        `Encoder` has it."""
        self.examples, self.kind, self.labels, self.window = tuple(examples), kind, labels, window
        self.segments = segments
        self.pad = special_ids(tokenizer)["pad_id"]
        self.encoded = Encoder(tokenizer, window, shape_step)(self.examples)
        self.gold: list[Gold] = [kind.gold(e, labels) for e in self.examples]
        self.rows: Ids = np.asarray([len(e.ids) for e in self.encoded], dtype=np.int64)
        self.widths: Ids = np.asarray([e.width for e in self.encoded], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.examples)

    def joined(self, others: "Features") -> "Features":
        """These examples and then others, which the same model reads; neither is changed."""
        both = copy.copy(self)
        both.examples = (*self.examples, *others.examples)
        both.encoded, both.gold = self.encoded + others.encoded, self.gold + others.gold
        both.rows = np.concatenate([self.rows, others.rows])
        both.widths = np.concatenate([self.widths, others.widths])
        return both

    def batch(
        self, ids: Ids, targets: Mapping[int, Mapping[str, np.ndarray]] | None = None
    ) -> Batch:
        """The examples `ids`, with a teacher's scores (example -> choice -> scores) if given."""
        width = -(-int(self.widths[ids].max()) // WIDTH_STEP) * WIDTH_STEP
        width = min(width, max(self.window, int(self.widths[ids].max())))
        rows = pad(
            [self.encoded[i] for i in ids],
            pad_id=self.pad, width=width, segments=self.segments,
        )  # fmt: skip
        return Batch(
            ids=ids,
            inputs={name: torch.from_numpy(array) for name, array in rows.inputs.items()},
            row_example=torch.from_numpy(rows.example),
            words=torch.from_numpy(rows.words),
            gold={
                choice.name: torch.from_numpy(
                    np.concatenate([self.gold[i][choice.name] for i in ids])
                )
                for choice in self.kind.choices
            },
            targets={}
            if targets is None
            else {
                choice.name: torch.from_numpy(_stack([targets[int(i)][choice.name] for i in ids]))
                for choice in self.kind.choices
            },
        )


def _stack(scores: Sequence[np.ndarray]) -> np.ndarray:
    """[units, options] of several examples on top of each other; missing options score -inf."""
    options = max(s.shape[1] for s in scores)
    filled = [
        np.pad(s, ((0, 0), (0, options - s.shape[1])), constant_values=-np.inf) for s in scores
    ]
    return np.concatenate(filled)

"""Windows of text as a pre-training objective reads them: equal in length, never padded.

Needs numpy alone, so that what is drawn can be tested without a model.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tokenizers import Tokenizer

from ligero import vocab
from ligero.corpus.shards import Shards, Window
from ligero.errors import InputError
from ligero.train import order
from ligero.train.order import Ids

# What a line's sentences end in, and what one may open with besides an upper-case letter.
_ENDS = frozenset(".?!…")
_OPENS = frozenset("¿¡«“—–-\"'(")


@dataclass(frozen=True)
class Rows:
    """Windows with their special tokens.

    ids: int64 [rows, length]. begins: bool [rows, length], what begins a word. inner: bool
    [rows, length], what is text and no special token.
    """

    ids: np.ndarray
    begins: np.ndarray
    inner: np.ndarray


class Windows:
    """All windows of `length` sub-words of a corpus, [CLS] and [SEP] included.

    Text is read end to end, across lines and documents, as RoBERTa does it (Liu et al., 2019,
    section 4.2, FULL-SENTENCES): nothing is padded. Before a document's first sub-word stands a
    [SEP], for which the window's last sub-word makes room. Every epoch cuts at other places.

    Raises InputError for a corpus shorter than a window, and a vocabulary without [MASK].
    """

    def __init__(self, shards: Shards, tokenizer: Tokenizer, length: int, *, seed: int) -> None:
        found = vocab.special_ids(tokenizer)
        mask = tokenizer.token_to_id(vocab.special_tokens(tokenizer).get("mask", ""))
        if mask is None:
            raise InputError("a vocabulary without a mask token", expected="one with [MASK]")
        self.shards, self.length, self.seed = shards, length, seed
        self.tokenizer = tokenizer
        self.cls, self.sep, self.mask = found["cls_id"], found["sep_id"], mask
        self.text = length - 2
        self.size = (shards.tokens - self.text) // self.text
        if self.size < 1:
            raise InputError(
                f"{shards.tokens:,} sub-words of text", file=shards.folder,
                expected=f"at least {2 * self.text:,}, two windows",
            )  # fmt: skip
        self.entries = tokenizer.get_vocab_size()
        special = {i for i, t in tokenizer.get_added_tokens_decoder().items() if t.special}
        # What a random replacement is drawn from.
        self.plain = np.array([i for i in range(self.entries) if i not in special])

    def read(self, ids: Ids, epoch: int) -> Rows:
        """The windows `ids` of an epoch."""
        rows = np.empty((len(ids), self.length), dtype=np.int64)
        begins = np.zeros((len(ids), self.length), dtype=bool)
        inner = np.zeros((len(ids), self.length), dtype=bool)
        for row, window in enumerate(self.spans(ids, epoch)):
            self._fill(window, rows[row], begins[row], inner[row])
        return Rows(rows, begins, inner)

    def spans(self, ids: Ids, epoch: int) -> list[Window]:
        """The text of the windows `ids`, without special tokens: `length` - 2 sub-words each."""
        shift = order.key("windows", self.seed, epoch) % self.text
        starts = [shift + int(i) * self.text for i in ids]
        return [self.shards.span(start, start + self.text) for start in starts]

    def _fill(self, window: Window, ids: np.ndarray, begins: np.ndarray, inner: np.ndarray) -> None:
        ids[0], ids[-1] = self.cls, self.sep
        # A document that begins with the window has [CLS] before it.
        breaks = np.flatnonzero(window.documents[1:]) + 1
        at = 1
        for piece in np.split(np.arange(len(window.ids)), breaks):
            if at > 1 and at < self.length - 1:
                ids[at] = self.sep
                at += 1
            piece = piece[: self.length - 1 - at]
            here = slice(at, at + len(piece))
            ids[here], begins[here], inner[here] = window.ids[piece], window.words[piece], True
            at += len(piece)
        # A window may begin within a word: what it has of it is a word here.
        begins[1] = inner[1]

    @cached_property
    def _sentences(self) -> tuple[np.ndarray, np.ndarray]:
        """Which entries may end a sentence, and which may begin one: bool [entries]."""
        ends, opens = np.zeros((2, self.entries), dtype=bool)
        upper = False
        for entry, number in self.tokenizer.get_vocab().items():
            shown = entry.removeprefix("##").lstrip("▁ĠG") if entry else entry
            if not shown:
                continue
            ends[number] = set(shown) <= _ENDS
            opens[number] = shown[0].isupper() or shown[0] in _OPENS
            upper |= shown[0].isupper()
        # A lowercase vocabulary does not tell: any word may begin a sentence there.
        return ends, opens if upper else np.ones_like(opens)

    def sentence_starts(self, window: Window) -> np.ndarray:
        """Where within a window a line or sentence begins, its first sub-word left out: positions.

        Within a line a sentence begins where a word that may open one follows ".", "?", "!" or "…";
        the point of an abbreviation before a name counts too, which few are.
        """
        ends, opens = self._sentences
        ids = window.ids.astype(np.int64)
        after = np.zeros(len(ids), dtype=bool)
        after[1:] = ends[ids[:-1]] & opens[ids[1:]] & window.words[1:]
        after |= window.lines
        after[0] = False
        return np.flatnonzero(after)

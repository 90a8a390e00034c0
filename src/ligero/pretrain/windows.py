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

# What a line's sentences end in, and what one may open with besides a letter. A quotation mark or a
# hyphen may as well belong to what comes before.
_ENDS = frozenset(".?!…")
_OPENS = frozenset("¿¡«“—–(")


@dataclass(frozen=True)
class Rows:
    """Windows with their special tokens.

    ids: int64 [rows, length]. begins: bool [rows, length], what begins a word. inner: bool
    [rows, length], what is text and no special token. types: int64 [rows, length], type ids in the
    first segment; None for a model that knows no word shapes, where they are all 0.
    """

    ids: np.ndarray
    begins: np.ndarray
    inner: np.ndarray
    types: np.ndarray | None = None


class Windows:
    """All windows of `length` sub-words of a corpus, [CLS] and [SEP] included.

    Text is read end to end, across lines and documents, as RoBERTa does it (Liu et al., 2019,
    section 4.2, FULL-SENTENCES): nothing is padded. Before a document's first sub-word stands a
    [SEP], for which the window's last sub-word makes room. Every epoch cuts at other places.

    shape_step: as `word_shapes.step` gives it for the model; 0 where it knows no word shapes.

    Raises InputError for a corpus shorter than a window, a vocabulary without [MASK], and shards
    without the word shapes that a model knows.
    """

    def __init__(
        self,
        shards: Shards,
        tokenizer: Tokenizer,
        length: int,
        *,
        seed: int,
        shape_step: int = 0,
    ) -> None:
        found = vocab.special_ids(tokenizer)
        mask = tokenizer.token_to_id(vocab.special_tokens(tokenizer).get("mask", ""))
        if mask is None:
            raise InputError("a vocabulary without a mask token", expected="one with [MASK]")
        if shape_step and not shards.case:
            raise InputError(
                "shards without word shapes", file=shards.folder,
                expected="what ligero corpus shards makes with --case",
            )  # fmt: skip
        self.shards, self.length, self.seed = shards, length, seed
        self.shape_step = shape_step
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
        self.special = np.zeros(self.entries, dtype=bool)
        self.special[[i for i, t in tokenizer.get_added_tokens_decoder().items() if t.special]] = (
            True
        )
        # What a random replacement is drawn from.
        self.plain = np.flatnonzero(~self.special)

    def read(self, ids: Ids, epoch: int) -> Rows:
        """The windows `ids` of an epoch."""
        rows = np.empty((len(ids), self.length), dtype=np.int64)
        begins = np.zeros((len(ids), self.length), dtype=bool)
        inner = np.zeros((len(ids), self.length), dtype=bool)
        types = np.zeros((len(ids), self.length), dtype=np.int64)
        for row, window in enumerate(self.spans(ids, epoch)):
            self._fill(window, rows[row], begins[row], inner[row], types[row])
        return Rows(rows, begins, inner, types if self.shape_step else None)

    def spans(self, ids: Ids, epoch: int) -> list[Window]:
        """The text of the windows `ids`, without special tokens: `length` - 2 sub-words each."""
        shift = order.key("windows", self.seed, epoch) % self.text
        starts = [shift + int(i) * self.text for i in ids]
        return [self.shards.span(start, start + self.text) for start in starts]

    def types(self, window: Window) -> np.ndarray:
        """The type ids of a window's sub-words in the first segment, int64 [n]."""
        if not self.shape_step:
            return np.zeros(len(window.ids), dtype=np.int64)
        assert window.shapes is not None
        return self.shape_step * window.shapes.astype(np.int64)

    def _fill(
        self,
        window: Window,
        ids: np.ndarray,
        begins: np.ndarray,
        inner: np.ndarray,
        types: np.ndarray,
    ) -> None:
        ids[0], ids[-1] = self.cls, self.sep
        told = self.types(window)
        # A document that begins with the window has [CLS] before it.
        breaks = np.flatnonzero(window.documents[1:]) + 1
        at = 1
        for piece in np.split(np.arange(len(window.ids)), breaks):
            if at > 1 and at < self.length - 1:
                ids[at] = self.sep
                at += 1
            piece = piece[: self.length - 1 - at]
            here = slice(at, at + len(piece))
            ids[here], begins[here] = window.ids[piece], window.words[piece]
            types[here] = told[piece]
            # [UNK], or a special token that someone wrote into a text, is nothing to be guessed.
            inner[here] = ~self.special[window.ids[piece]]
            at += len(piece)
        # A window may begin within a word: what it has of it is a word here.
        begins[1] = True

    @cached_property
    def _signs(self) -> "_Signs":
        shown = [""] * self.entries
        decoder = self.tokenizer.decoder
        for entry, number in self.tokenizer.get_vocab().items():
            # A byte-level vocabulary's entries are readable only once they are decoded.
            text = decoder.decode([entry]) if decoder is not None else entry
            shown[number] = text.removeprefix("##").strip("▁ ")
        # A lowercase vocabulary does not tell: any word may begin a sentence there.
        upper = np.array([text[:1].isupper() for text in shown])
        any_case = not (upper & ~self.special).any()
        letter = np.array([text[:1].isalpha() for text in shown])
        capital = np.array([not text or text.isupper() for text in shown])
        return _Signs(
            empty=np.array([not text for text in shown]),
            letters=np.array([len(text) for text in shown]),
            capital=capital | letter if any_case else capital,
            ends=np.array([set(text) <= _ENDS for text in shown]),
            point=np.array([text == "." for text in shown]),
            opens=np.array([text[:1] in _OPENS and text != "" for text in shown]),
            first=letter if any_case else upper,
        )

    def sentence_starts(self, window: Window) -> np.ndarray:
        """Where within a window a line or sentence begins, its first sub-word left out: positions.

        Within a line a sentence begins where a word that may open one follows ".", "?", "!" or "…",
        unless a point stands after one or two capitals: "EE.UU.", "D. Juan". The point of a longer
        abbreviation before a name counts too, which few are.
        """
        signs, ids = self._signs, window.ids.astype(np.int64)
        begins = window.words.copy()
        begins[0] = True
        first = np.flatnonzero(begins)
        # Some vocabularies cut the mark of a word's start off the word itself.
        told = ids[np.minimum(first + signs.empty[ids[first]], len(ids) - 1)]
        ends = np.logical_and.reduceat(signs.ends[ids], first)
        short = np.logical_and.reduceat(signs.capital[ids], first)
        short &= np.add.reduceat(signs.letters[ids], first) <= 2
        names = signs.first[told]
        names[2:] &= ~(short[:-2] & signs.point[told[1:-1]])
        after = np.zeros(len(first), dtype=bool)
        after[1:] = ends[:-1] & (signs.opens[told] | names)[1:]
        starts = window.lines.copy()
        starts[first[after]] = True
        starts[0] = False
        return np.flatnonzero(starts)


@dataclass(frozen=True)
class _Signs:
    """What an entry of a vocabulary may be to a sentence, each [entries].

    empty: nothing but the mark of a word's start. letters: how many characters it has. capital:
    capitals alone, or nothing. ends: signs that end a sentence, or nothing. point: the sign ".".
    opens: signs that begin a sentence. first: begins with a letter that may begin one.
    """

    empty: np.ndarray
    letters: np.ndarray
    capital: np.ndarray
    ends: np.ndarray
    point: np.ndarray
    opens: np.ndarray
    first: np.ndarray

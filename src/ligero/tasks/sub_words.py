"""Text -> sub-words, pieces that were met before out of memory.

A tokenizer takes 80 microseconds for a sentence that it finds in the processor's cache and twice that
after a model has emptied it, a sixth of what a small model itself takes. Most pieces between two
spaces come again and again, and what they become depends on nothing else.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tokenizers import Tokenizer

# Pieces kept, and the longest of them in characters: at most some 20 MB.
KEPT, LONGEST = 30_000, 40
# Steps of a tokenizer that look at nothing beyond a space.
_NORMALIZERS = {"NFC", "NFD", "Lowercase", "StripAccents", "BertNormalizer", "Replace"}
_SPLITTERS = {"WhitespaceSplit", "BertPreTokenizer"}


class SubWords(NamedTuple):
    """A text's sub-words without special tokens: ids, and the characters of each (start, end)."""

    ids: list[int]
    offsets: list[tuple[int, int]]


Read = Callable[[str], SubWords]


def reader(tokenizer: Tokenizer) -> Read:
    """What reads one text as `tokenizer` does, with a memory where that cannot change the result."""

    def read(text: str) -> SubWords:
        found = tokenizer.encode(text, add_special_tokens=False)
        return SubWords(found.ids, found.offsets)

    return Remembering(read) if separable(tokenizer) else read


class Remembering:
    """Reads a text piece by piece, parted at spaces. Several threads may use one."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[str, SubWords] = {}

    def __call__(self, text: str) -> SubWords:
        """The sub-words of a text."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        at = 0
        for piece in text.split(" "):
            if piece:
                found = self._known.get(piece) or self._learn(piece)
                ids += found.ids
                offsets += [(at + start, at + end) for start, end in found.offsets]
            at += len(piece) + 1
        return SubWords(ids, offsets)

    def _learn(self, piece: str) -> SubWords:
        found = self._read(piece)
        if len(piece) <= LONGEST:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[piece] = found
        return found


def separable(tokenizer: Tokenizer) -> bool:
    """Whether a text's sub-words are those of its pieces between spaces, one after another.

    That is so if words are cut at white space before all else, and no step before that or added
    token has to do with a space.
    """
    cuts, steps = _steps(tokenizer.pre_tokenizer), _steps(tokenizer.normalizer)
    patterns = [text for step in steps for text in step.get("pattern", {}).values()]
    added = tokenizer.get_added_tokens_decoder().values()
    return (
        bool(cuts)
        and cuts[0]["type"] in _SPLITTERS
        and all(step["type"] in _NORMALIZERS for step in steps)
        and not any(mark in pattern for pattern in patterns for mark in (" ", r"\s"))
        and not any(t.lstrip or t.rstrip or " " in t.content for t in added)
    )


def _steps(part: Any) -> list[dict[str, Any]]:
    """The steps of a normalizer or pre-tokenizer as `tokenizer.json` writes them."""
    if part is None:
        return []
    written = json.loads(part.__getstate__())
    if written["type"] != "Sequence":
        return [written]
    return list(written.get("normalizers") or written.get("pretokenizers") or [])

"""What a vocabulary is worth: figures over text and over its own entries, for any tokenizer.

Sub-words and words are brought together by character offsets, so that tokenizers of every make are
measured alike. A word is a run of letters or of digits; a sign stands alone.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import Tokenizer

from ligero.vocab.special import NAMINGS

LONGEST = 8
"""Entries that are shown for their length."""

SPANISH = {
    "lower case": "abcdefghijklmnñopqrstuvwxyzáéíóúü",
    "upper case": "ABCDEFGHIJKLMNÑOPQRSTUVWXYZÁÉÍÓÚÜ",
    "digits": "0123456789",
    "signs": ".,;:…¿?¡!()[]{}«»“”‘’\"'-–—/\\|%&@#*+=<>_~^$€°ºª·",
}
"""What Spanish text is sure to hold, none of which may be unknown."""

SENTENCES = (
    "La señora Núñez pagó 1.234,56 € en EE.UU. el 20/11.",
    "«¿Qué pingüinos?», preguntó; nadie contestó (ni siquiera tú).",
    "El 37 % de los electroencefalogramas se interpretó rápidamente.",
    "ESPAÑA Y PERÚ JUGARÁN MAÑANA: escríbenos a prensa@ejemplo.es",
)

_WORD = re.compile(r"[^\W\d_]+|\d+")
_LINES = 1000  # encoded at a time: what the library holds of each sub-word is some 200 bytes
_ACUTE_AND_SO_ON = "áéíóúüñÁÉÍÓÚÜÑ"


def over(tokenizer: Tokenizer, texts: Iterable[str]) -> dict[str, Any]:
    """Figures of `texts`: characters (no white space), words, sub_words, and the ratios

        sub_words_per_word     sub-words that hold some of a word, for each word
        whole                  share of words that are one sub-word, which holds nothing else
        unknown                share of sub-words that are the unknown token
        characters_per_sub_word
        single_letters         share of sub-words that are one letter of a longer word

    None where there is nothing to divide by.
    """
    # Composed letters: a word of decomposed ones would end before its accent.
    lines = (line for text in texts for line in unicodedata.normalize("NFC", text).split("\n"))
    unknown = unknown_id(tokenizer)
    names = ("characters", "words", "sub_words", "pieces", "whole", "unknown", "single_letters")
    total = dict.fromkeys(names, 0)
    while some := list(itertools.islice(lines, _LINES)):
        encoded = tokenizer.encode_batch(some, add_special_tokens=False)
        for line, found in zip(some, encoded, strict=True):
            total["characters"] += sum(map(len, line.split()))
            total["sub_words"] += len(found.ids)
            total["unknown"] += 0 if unknown is None else found.ids.count(unknown)
            for start, end, held in _held(line, found.offsets):
                total["words"] += 1
                total["pieces"] += len(held)
                total["single_letters"] += end - start > 1 and sum(b - a == 1 for _, a, b in held)
                if len(held) == 1:
                    number, *span = held[0]
                    total["whole"] += span == [start, end] and found.ids[number] != unknown
    words, sub_words = total["words"], total["sub_words"]
    return {
        "characters": total["characters"],
        "words": words,
        "sub_words": sub_words,
        "sub_words_per_word": _ratio(total["pieces"], words),
        "whole": _ratio(total["whole"], words),
        "unknown": _ratio(total["unknown"], sub_words),
        "characters_per_sub_word": _ratio(total["characters"], sub_words),
        "single_letters": _ratio(total["single_letters"], sub_words),
    }


def itself(tokenizer: Tokenizer) -> dict[str, Any]:
    """What needs no text: `entries`, how many are `single` characters, the `longest`, `coverage`
    (of SPANISH: how many signs, which are `missing`, which letters are `plain`, read without their
    accent), and `cuts`, SENTENCES as `cut` shows them."""
    entries = tokenizer.get_vocab()
    special = {token for naming in NAMINGS.values() for token in naming.values()}
    texts = {_text(tokenizer, entries[e], e) for e in entries if e not in special}
    single = sum(len(_text(tokenizer, entries[e], e)) == 1 for e in entries if e not in special)
    longest = sorted(texts, key=lambda text: (-len(text), text))[:LONGEST]
    return {
        "entries": tokenizer.get_vocab_size(),
        "single": single,
        "longest": longest,
        "coverage": {name: _covered(tokenizer, signs) for name, signs in SPANISH.items()},
        "cuts": [cut(tokenizer, sentence) for sentence in SENTENCES],
    }


def cut(tokenizer: Tokenizer, text: str) -> str:
    """`text` with "|" between sub-words that no space parts; what is unknown in ⟦ ⟧.

    Of sub-words that share a character (its bytes, or a mark before it) the last shows it.
    """
    found = tokenizer.encode(text, add_special_tokens=False)
    unknown = unknown_id(tokenizer)
    spans = _trimmed(text, found.offsets)
    parts: list[str] = []
    done = 0
    for index, (number, (start, end)) in enumerate(zip(found.ids, spans, strict=True)):
        if index:
            parts.append(text[done:start] or "|")
        if index + 1 < len(spans) and spans[index + 1][0] == start:
            end = start
        shown = text[max(start, done) : end]
        parts.append(f"⟦{shown}⟧" if number == unknown else shown)
        done = max(done, end)
    return "".join(parts)


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of what cannot be written in the vocabulary; None where everything can be."""
    for naming in NAMINGS.values():
        number: int | None = tokenizer.token_to_id(naming["unk"])
        if number is not None:
            return number
    return None


def _held(
    line: str, offsets: list[tuple[int, int]]
) -> Iterator[tuple[int, int, list[tuple[int, int, int]]]]:
    """Each word's start and end, and the sub-words that hold some of it: number, start, end."""
    spans = _trimmed(line, offsets)
    first = 0
    for match in _WORD.finditer(line):
        start, end = match.span()
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        held = []
        number = first
        while number < len(spans) and spans[number][0] < end:
            held.append((number, *spans[number]))
            number += 1
        yield start, end, held


def _trimmed(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Offsets without the space that some tokenizers count to the word after it.

    A sub-word that is such a space and nothing else counts to the word as well.
    """
    trimmed = []
    for start, end in offsets:
        blank = start
        while blank < end and text[blank].isspace():
            blank += 1
        if start < end == blank and end < len(text):
            end += 1
        trimmed.append((blank, end))
    return trimmed


def _covered(tokenizer: Tokenizer, signs: str) -> dict[str, Any]:
    unknown = unknown_id(tokenizer)
    ids = {c: tokenizer.encode(c, add_special_tokens=False).ids for c in signs}
    missing = [c for c in signs if not ids[c] or unknown in ids[c]]
    plain = []
    for c in signs:
        if c in _ACUTE_AND_SO_ON and c not in missing:
            base = unicodedata.normalize("NFD", c)[0]
            if ids[c] == tokenizer.encode(base, add_special_tokens=False).ids:
                plain.append(c)
    return {"of": len(signs), "missing": missing, "plain": plain}


def _text(tokenizer: Tokenizer, number: int, entry: str) -> str:
    """What an entry stands for, without the marks of its make ("▁", "##", "Ġ")."""
    text: str = tokenizer.decode([number], skip_special_tokens=False)
    text = text.strip() or entry
    return text.removeprefix("##") if len(text) > 2 else text


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None

"""Word shapes: what folding case takes from a text, found in its own characters.

An uncased vocabulary reads "Rosa" and "rosa" alike. The shape of the word that a sub-word is of goes
in beside it, through its type id: segment + segments * shape, where `segments` is how many types the
model had. Shape 0 is thus what it knew already. The feature is Collobert et al.'s (2011) and, with
digits, Huang et al.'s (2015).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ligero.errors import InputError, excerpt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHAPES = {
    "lower": "no capital: rosa; also signs and special tokens",
    "title": "a capital first, and no other: Rosa, O",
    "opening": "the same where a sentence begins, which any word may be written with",
    "upper": "two letters or more, all capitals: ONU",
    "mixed": "capitals elsewhere: iPhone, McDonald",
    "digits": "digits, and signs between them: 1998, 3.000,5, 12/10",
    "both": "letters and digits: B-52, 4x4, 11-M",
}
"""Shape -> what words have it. A shape's number is its place."""

NAMES = tuple(SHAPES)
_NUMBERS = {name: number for number, name in enumerate(NAMES)}
TITLE, OPENING = _NUMBERS["title"], _NUMBERS["opening"]

# Where a configuration says which shapes a model knows, by name and in order.
SETTING = "word_shapes"

# Letters and digits, with soft hyphens and accents as characters of their own; signs count between
# digits, and a hyphen where one side is a digit. Never white space, so that a text's words are those
# of its pieces between spaces.
_RUN = r"(?:[^\W_][\u00ad\u0300-\u036f]*)+"
_SIGN = r"(?:(?<=\d)[.,:/](?=\d)|(?<=\d)-(?=[^\W_])|(?<=[^\W_])-(?=\d))"
_WORD = re.compile(f"{_RUN}(?:{_SIGN}{_RUN})*")

# What begins a sentence after it, and what tells that none does; all other signs leave it open.
_BEGINS = frozenset('.!?…¿¡«“"\n')
_GOES_ON = frozenset(",;:")

# Pieces kept, and the longest of them in characters.
KEPT, LONGEST = 30_000, 40

# Of every kind that an uncased vocabulary must not tell from lower case.
_PROBE = "Rosa ONU McDonald Ñandú"


def find(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The shape of each sub-word's word, as its number.

    offsets: the characters of each sub-word, (start, end), in order. One that is of several words
    has the shape of the last that is not lower.
    """
    found, at, count = [0] * len(offsets), 0, len(offsets)
    for start, end, number in words(text):
        while at < count and offsets[at][1] <= start:
            at += 1
        place = at
        while place < count and offsets[place][0] < end:
            found[place] = number
            place += 1
    return found


def words(text: str) -> list[tuple[int, int, int]]:
    """The words of a text that are not lower: start, end, number of the shape."""
    found: list[tuple[int, int, int]] = []
    at, begins = 0, True
    for piece in text.split(" "):
        read = _remembered if len(piece) <= LONGEST else _read
        inside, opening, after = read(piece)
        for start, end, number in opening if begins else inside:
            found.append((at + start, at + end, number))
        begins = begins if after is None else after
        at += len(piece) + 1
    return found


def shape(word: str) -> int:
    """The number of a word's shape, wherever it stands."""
    letters = "".join(filter(str.isalpha, word))
    if any(c.isalnum() and not c.isalpha() for c in word):
        return _NUMBERS["both" if letters else "digits"]
    if letters == letters.lower():
        return _NUMBERS["lower"]
    if letters[1:] == letters[1:].lower():
        return TITLE
    return _NUMBERS["upper" if letters == letters.upper() else "mixed"]


def check(tokenizer: "Tokenizer") -> None:
    """Raises InputError for a vocabulary that does not read capitals as it reads lower case."""
    given, folded = (
        tokenizer.encode(text, add_special_tokens=False).ids for text in (_PROBE, _PROBE.lower())
    )
    if given != folded:
        raise InputError(
            "word shapes (case) for a vocabulary that keeps case, which has nothing to gain",
            expected="one that folds it",
        )


def step(config: Mapping[str, Any]) -> int:
    """What a shape's number counts in a type id, which is how many segments the model has; 0 for a
    model without shapes.

    config: transformers', as a dictionary. Raises InputError for shapes that are not these.
    """
    told = config.get(SETTING)
    if told is None:
        return 0
    types = config.get("type_vocab_size")
    if told != list(NAMES) or not isinstance(types, int) or types % len(NAMES) or not types:
        raise InputError(
            f"{SETTING} {excerpt(str(told))} with type_vocab_size {types}",
            expected=f"{', '.join(NAMES)}, and a multiple of {len(NAMES)}",
        )
    return types // len(NAMES)


_Words = tuple[tuple[int, int, int], ...]


class _Piece(NamedTuple):
    """What stands between two spaces: its words as `words` gives them, inside a sentence and where
    one begins, and whether one begins after it (None: if one did before it)."""

    inside: _Words
    opening: _Words
    after: bool | None


def _read(piece: str) -> _Piece:
    (inside, goes_on), (opening, begins) = _walk(piece, False), _walk(piece, True)
    return _Piece(inside, opening, begins if begins == goes_on else None)


_remembered = lru_cache(maxsize=KEPT)(_read)


def _walk(piece: str, begins: bool) -> tuple[_Words, bool]:
    """The words of a piece, and whether a sentence begins after it."""
    found, at, initial = [], 0, False
    for match in _WORD.finditer(piece):
        word, (start, end) = match.group(), match.span()
        number = shape(word)
        if number == TITLE and _begins(piece[at:start], begins, initial):
            number = OPENING
        if number:
            found.append((start, end, number))
        # "D. Juan", "Sr. Peña", "EE. UU.": the point of one or two letters ends no sentence.
        begins, initial, at = False, len(word) <= 2 and word[0].isupper(), end
    return tuple(found), _begins(piece[at:], begins, initial)


def _begins(signs: str, before: bool, initial: bool) -> bool:
    """Whether a sentence begins after some signs. initial: whether they follow a word whose point
    ends none."""
    if initial and signs.startswith("."):
        signs = signs[1:]
    for sign in reversed(signs):
        if sign in _BEGINS:
            return True
        if sign in _GOES_ON:
            return False
    return before

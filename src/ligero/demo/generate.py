"""Made-up Spanish sentences with parts of speech, named entities and a topic."""

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ligero.demo.fillers import FILLERS
from ligero.demo.grammar import Token, Writer, capitalise, join
from ligero.demo.text import detokenise
from ligero.demo.topics import RULES, TOPICS

# Shares of the registers, in hundredths; they add up to 100.
REGISTERS = {"wire": 43, "dateline": 9, "formal": 12, "talk": 13, "headline": 13, "social": 10}
# Share of names that dev and test take from lists that training never sees.
HELD_OUT_SHARE = 0.25
_TRIES = 400


@dataclass(frozen=True)
class Sentence:
    """One sentence: words, universal parts of speech and BIO tags, all of one length."""

    words: tuple[str, ...]
    pos: tuple[str, ...]
    tags: tuple[str, ...]
    topic: str
    register: str

    @property
    def text(self) -> str:
        """The sentence as one would write it."""
        return detokenise(self.words)

    def entities(self) -> list[tuple[str, str]]:
        """(type, words joined by spaces) of each entity, in order."""
        found: list[tuple[str, str]] = []
        for word, tag in zip(self.words, self.tags, strict=True):
            if tag[0] == "B":
                found.append((tag[2:], word))
            elif tag[0] == "I":
                found[-1] = (found[-1][0], f"{found[-1][1]} {word}")
        return found


def plain(text: str) -> str:
    """`text` in lower case without accents (ñ stays), as written in a hurry."""
    parts = unicodedata.normalize("NFD", text.lower().replace("ñ", "\0"))
    return "".join(c for c in parts if not unicodedata.combining(c)).replace("\0", "ñ")


def sentences(count: int, seed: int, held_out: bool = False) -> list[Sentence]:
    """`count` different sentences; the same for the same arguments, on every Python.

    held_out: take a quarter of the names from lists that are never used without it.
    """
    return Maker(random.Random(seed), held_out).make(count)


class Maker:
    """A stream of sentences that never repeats one, nor any in `seen` (texts, lower case)."""

    def __init__(
        self, rng: random.Random, held_out: bool = False, seen: set[str] | None = None
    ) -> None:
        self.rng = rng
        self.writer = Writer(rng, RULES, FILLERS, HELD_OUT_SHARE if held_out else 0.0)
        self.seen = set() if seen is None else seen

    def make(self, count: int, topic: str | None = None, vague: float = 0.0) -> list[Sentence]:
        """The next `count` sentences, of one topic or of all.

        vague: the share of them whose words might belong to any topic.
        """
        return [self._new(topic, vague) for _ in range(count)]

    def _new(self, topic: str | None, vague: float) -> Sentence:
        for _ in range(_TRIES):
            sentence = self._one(topic or self.rng.choice(TOPICS), vague)
            key = plain(sentence.text)
            if key not in self.seen and _sensible(sentence):
                self.seen.add(key)
                return sentence
        raise RuntimeError(f"no new sentence in {_TRIES} tries: the templates are used up")

    def _one(self, topic: str, vague: float) -> Sentence:
        self.writer.topic = topic
        register = self.rng.choices(list(REGISTERS), list(REGISTERS.values()))[0]
        if vague and self.rng.random() < vague:
            register, tokens = "wire", self.rule("vago")
        else:
            tokens = _WRITERS[register](self)
        words, pos, tags = zip(*tokens, strict=True)
        return Sentence(words, pos, tags, topic, register)

    def rule(self, name: str) -> list[Token]:
        """A finished sentence of the rule `name`, with its capital."""
        if name == "talk" and self.rng.random() < 0.35:
            # The talk of no topic in particular.
            tokens, _ = self.writer.expand(self.rng.choice(RULES["talk"]))
        else:
            tokens, _ = self.writer.rule(name)
        return _after_stops(capitalise(join(_one_mark(tokens))))

    def wire(self) -> list[Token]:
        """A sentence of news, with the slips of the trade now and then."""
        tokens = self.rule("wire")
        if self.rng.random() < 0.06:
            tokens = [_title_case(t) for t in tokens]
        return tokens

    def dateline(self) -> list[Token]:
        """News with place, day and agency before it."""
        return self.rule("dateline") + self.rule("wire")

    def headline(self) -> list[Token]:
        """A headline, half of them in capitals, without its full stop."""
        # A headline in five tells no topic: who against whom.
        tokens = self.rule("headline" if self.rng.random() < 0.8 else "titular")
        if self.rng.random() < 0.5:
            tokens = [t._replace(word=t.word.upper()) for t in tokens]
        return tokens

    def social(self) -> list[Token]:
        """A short message: mostly lower case, accents and opening marks often left out."""
        tokens = self.rule("social" if self.rng.random() < 0.7 else "talk")
        if any(t.word == "—" for t in tokens):  # nobody chats with a narrator
            return self.social()
        tokens = [t for t in tokens if t.word not in {"¿", "¡"}]
        if self.rng.random() < 0.5:
            return [t._replace(word=plain(t.word)) for t in tokens]
        if self.rng.random() < 0.5:
            return [t._replace(word=t.word.lower()) for t in tokens]
        return tokens


_WRITERS = {
    "wire": Maker.wire,
    "dateline": Maker.dateline,
    "formal": lambda maker: maker.rule("formal"),
    "talk": lambda maker: maker.rule("talk"),
    "headline": Maker.headline,
    "social": Maker.social,
}

# What careless writers capitalise, though the Academy does not.
_TITLES = {"presidente", "presidenta", "ministro", "ministra", "alcalde", "alcaldesa", "director"}
_TITLES |= {"directora", "liga", "estado", "provincia", "ley", "reforma", "universidad", "lunes"}
_TITLES |= {"domingo", "abril", "mayo", "sol", "paz", "victoria", "esperanza"}


def _title_case(token: Token) -> Token:
    return token._replace(word=token.word.capitalize()) if token.word in _TITLES else token


def _one_mark(tokens: Sequence[Token]) -> list[Token]:
    """A closing comma gives way to the mark after it, a full stop to an abbreviation's point."""
    done: list[Token] = []
    for token in tokens:
        if token.word in {",", ".", ";", ":", ")"} and done and done[-1].word == ",":
            done.pop()
        # "… en EE. UU." ends with one point, not two.
        if token.word == "." and done and done[-1].word.endswith("."):
            continue
        done.append(token)
    return done


def _after_stops(tokens: list[Token]) -> list[Token]:
    """A capital after what ends a sentence within the example, and in a quotation after ":"."""
    for index in range(1, len(tokens)):
        before, word = tokens[index - 1].word, tokens[index].word
        asked = before in {"?", "!"} and (word.isalpha() or word in {"¿", "¡"})
        if before == "." or asked or (before == ":" and word == "«"):
            tokens[index:] = capitalise(tokens[index:])
    return tokens


def _sensible(sentence: Sentence) -> bool:
    """No name twice: nobody plays against itself, no road leads from Soria to Soria."""
    names = [name for _, name in sentence.entities()]
    return len(set(names)) == len(names) and len(sentence.words) <= 90

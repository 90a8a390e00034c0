"""Templates that agree: a small slot grammar whose output carries part of speech and entity.

A template is Spanish with marks, items separated by spaces:

    word        a function word of `lexicon.FUNCTION`, a mark, a number or a capitalised name
    word_n      any other word with its part of speech (the letters are in POS)
    word@1      the word, given in the masculine singular, agrees with slot 1
    ganó|ganaron@1   the form for the number of slot 1; a verb unless marked otherwise
    {name.arg#1}     a rule or filler, remembered as slot 1
    {name.arg@1}     a rule or filler that agrees with slot 1 (inside that rule, slot 0)
    {name}?          left out half the time
    [ORG … ]    everything between is one entity

A rule's own slot 1 is what agrees with it outside. Contractions (del, al), "el agua" and "e Inés"
are applied to the finished sentence, so templates are written without them.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ligero.demo.lexicon import FUNCTION
from ligero.demo.morphology import Form, before_tonic, euphonic, inflect

POS = {
    "n": "NOUN",
    "v": "VERB",
    "a": "ADJ",
    "r": "ADV",
    "p": "PRON",
    "d": "DET",
    "e": "ADP",
    "s": "SCONJ",
    "c": "CCONJ",
    "x": "AUX",
    "N": "NUM",
    "P": "PROPN",
    "i": "INTJ",
    "y": "SYM",
}


class Token(NamedTuple):
    """One word with its universal part of speech and its BIO tag."""

    word: str
    pos: str
    tag: str = "O"


class Item(NamedTuple):
    """One item of a template; `kind` is open, close, slot or word."""

    kind: str
    name: str = ""
    args: tuple[str, ...] = ()
    bind: int | None = None
    agree: int | None = None
    pos: str = ""
    optional: bool = False


Filled = tuple[list[Token], Form]
Filler = Callable[["Writer", tuple[str, ...], Form | None], Filled]

_SLOT = re.compile(r"\{([^}#@]+)(?:#(\d))?(?:@(\d))?\}(\?)?")
_WORD = re.compile(r"(.+?)(?:@(\d))?(?:_([nvardpescxNPiy]))?")


def guess_pos(word: str, in_entity: bool = False) -> str:
    """The part of speech of an unmarked word: marks, digits, function words, names; else ""."""
    if word.lower() in FUNCTION and not (in_entity and word[0].isupper()):
        return FUNCTION[word.lower()]
    if not any(c.isalnum() for c in word):
        return "SYM" if word in {"%", "€", "#", "@"} else "PUNCT"
    if word[0].isdigit():
        return "NUM"
    return "PROPN" if word[0].isupper() else ""


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


@cache
def parse(template: str) -> tuple[Item, ...]:
    """The items of `template`; ValueError names an item that has no part of speech."""
    items: list[Item] = []
    depth = 0
    for part in template.split():
        if part.startswith("[") and part[1:].isupper():
            items.append(Item("open", part[1:]))
            depth += 1
        elif part == "]":
            items.append(Item("close"))
            depth -= 1
        elif slot := _SLOT.fullmatch(part):
            name, *args = slot[1].split(".")
            numbers = _number(slot[2]), _number(slot[3])
            items.append(Item("slot", name, tuple(args), *numbers, "", bool(slot[4])))
        elif part[0] == "{" or not (word := _WORD.fullmatch(part)):
            raise ValueError(f"cannot read {part!r} in {template!r}")
        else:
            pos = POS[word[3]] if word[3] else guess_pos(word[1], depth > 0)
            pos = pos or ("VERB" if "|" in word[1] else "")
            if not pos:
                raise ValueError(f"{part!r} has no part of speech in {template!r}")
            items.append(Item("word", word[1], (), None, _number(word[2]), pos))
    if depth:
        raise ValueError(f"an entity is not closed in {template!r}")
    return tuple(items)


def entity(tokens: Sequence[Token], kind: str) -> list[Token]:
    """`tokens` as one entity: B- on the first, I- on the rest."""
    return [t._replace(tag=f"{'I' if i else 'B'}-{kind}") for i, t in enumerate(tokens)]


class Writer:
    """Expands templates with one stream of random numbers.

    `held_out`: the share of names (0 to 1) drawn from the lists that training never uses.
    """

    def __init__(
        self,
        rng: random.Random,
        rules: Mapping[str, Sequence[str]],
        fillers: Mapping[str, Filler],
        held_out: float = 0.0,
    ) -> None:
        self.rng, self.rules, self.fillers, self.held_out = rng, rules, fillers, held_out
        self.topic = ""

    def rule(self, name: str, outer: Form | None = None) -> Filled:
        """One alternative of the rule `name`, or of `name_topic` when there is one."""
        alternatives = self.rules.get(f"{name}_{self.topic}") or self.rules[name]
        return self.expand(self.rng.choice(alternatives), outer)

    def expand(self, template: str, outer: Form | None = None) -> Filled:
        """The tokens of `template`, agreement done, contractions not yet."""
        items = [i for i in parse(template) if not i.optional or self.rng.random() < 0.5]
        forms: dict[int, Form] = {} if outer is None else {0: outer}
        filled: dict[int, list[Token]] = {}
        # What is agreed with must be drawn before what agrees, wherever it stands.
        for ready in (True, False):
            for index, item in enumerate(items):
                if item.kind == "slot" and (item.agree is None) == ready:
                    wanted = None if item.agree is None else forms[item.agree]
                    filled[index], form = self._fill(item, wanted)
                    if item.bind is not None:
                        forms[item.bind] = form
        tokens: list[Token] = []
        entities: list[tuple[str, int]] = []
        for index, item in enumerate(items):
            if item.kind == "open":
                entities.append((item.name, len(tokens)))
            elif item.kind == "close":
                kind, start = entities.pop()
                tokens[start:] = entity(tokens[start:], kind)
            elif item.kind == "slot":
                tokens += filled[index]
            else:
                tokens.append(Token(self._word(item, forms), item.pos))
        return tokens, forms.get(1, Form())

    def _fill(self, item: Item, wanted: Form | None) -> Filled:
        if item.name in self.fillers:
            return self.fillers[item.name](self, item.args, wanted)
        return self.rule(item.name, wanted)

    def _word(self, item: Item, forms: Mapping[int, Form]) -> str:
        if item.agree is None:
            return item.name
        if "|" in item.name:
            return item.name.split("|")[forms[item.agree].number == "p"]
        return inflect(item.name, forms[item.agree])


_OF_INTERIOR = {"ministerio", "ministro", "ministra", "consejero", "consejera"}


def join(tokens: Sequence[Token]) -> list[Token]:
    """The finished sentence's sound changes: el agua, del, al, e Inés, u otro."""
    done: list[Token] = []
    for index, token in enumerate(tokens):
        follows = tokens[index + 1].word if index + 1 < len(tokens) else ""
        word = before_tonic(token.word, follows)
        if word in {"y", "o"}:
            word = euphonic(word, follows)
        # Of all offices only this one keeps its article: Ministerio del Interior, but de Hacienda.
        if (word, follows) == ("de", "Interior") and done and done[-1].word.lower() in _OF_INTERIOR:
            word = "del"
        if word == "el" and token.pos == "DET" and done and done[-1].word in {"a", "de"}:
            done[-1] = done[-1]._replace(word={"a": "al", "de": "del"}[done[-1].word])
            continue
        done.append(token._replace(word=word))
    return done


def capitalise(tokens: Sequence[Token]) -> list[Token]:
    """`tokens` with a capital on the first word that has a letter or digit."""
    done = list(tokens)
    for index, token in enumerate(done):
        if any(c.isalnum() for c in token.word):
            done[index] = token._replace(word=token.word[0].upper() + token.word[1:])
            break
    return done

"""What a rule of cleaning is."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ligero.tasks.passages import SENTENCE_END

Does = Literal["change", "drop line", "drop document"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for in every line, and what becomes of the line.

    name: what the report calls it.
    does: "drop line" or "change"; "drop document" is for what `clean` decides itself.
    why: one sentence for the person who wonders where the text went.
    pattern: the line is concerned where this matches.
    put: a change's replacement of every match ("$1" is a group), or a function of the whole line.
    unless: the line is left alone where this matches.
    """

    name: str
    does: Does
    why: str
    pattern: str
    put: str | Callable[[str], str] = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines from one that opens to the first that closes, all dropped.

    whole: the closing line is dropped too. then: what the line after the opening must match.
    longest: a block that is not closed within so many lines was none.
    """

    name: str
    why: str
    opens: str
    closes: str
    whole: bool = True
    then: str = ""
    longest: int = 500


def whole(hole: str) -> Callable[[str], str]:
    """A function that leaves of a line the sentences without `hole`, a pattern."""
    holes = re.compile(hole)

    def put(line: str) -> str:
        return " ".join(part for part in SENTENCE_END.split(line) if not holes.search(part))

    return put

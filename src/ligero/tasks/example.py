"""What every format reads and every kind of task works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a task, labelled or not.

    id: unique within its split; the file's own id, else the line at which it begins ("line 2" where
        another has the id 2).
    texts: one text, or two (a pair; a question and its context); words and answers are those of
        the last one.
    words: character spans (start, end) of the last text's words; None where the kind has no words.
    gold: name -> one label for each unit (word or text); empty when unlabelled. Units without a
        label hold None. The names are those of the kind's choices, and what its metrics ask besides.
    line: where the example begins in its file, from 1; 0 when it came from elsewhere.
    answers: character spans of the acceptable answers, the first one being learned from; empty when
        the text holds no answer; None when unlabelled, or for kinds without answers.
    """

    id: str
    texts: tuple[str, ...]
    words: tuple[tuple[int, int], ...] | None = None
    gold: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    line: int = 0
    answers: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A row of a file, or one answer of it, that a reader left out or mended.

    line: where it stands in its file. row: its id, where it has one.
    reason: the rule, in the same words each time, so that changes can be counted: "an empty answer".
    """

    line: int
    action: Literal["dropped", "repaired"]
    reason: str
    row: str = ""


@dataclass(frozen=True)
class Split:
    """The examples of one file (or of a part of it), and what a person should know about it.

    kind: name of the kind of task whose gold labels these are ("tag", "classify", …).
    file: where they came from, as it is named in messages.
    notes: sentences such as "not UTF-8: read as ISO-8859-1", printed before training.
    changes: every row that was dropped or repaired, in the file's order.
    format, encoding: how the file was read (a name of `formats.FORMATS`; a codec).
    """

    kind: str
    examples: tuple[Example, ...]
    file: str
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    format: str = ""
    encoding: str = "utf-8"

"""What every format reads and every kind of task works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a task, labelled or not.

    id: unique within its split; the file's own id, or the line at which it begins.
    texts: one text, or two (a pair); words and answers are those of the last one.
    words: character spans (start, end) of the last text's words; None where the kind has no words.
    gold: choice -> one label for each unit (word or text); empty when unlabelled. Units without a
        label hold None.
    line: where the example begins in its file, from 1; 0 when it came from elsewhere.
    """

    id: str
    texts: tuple[str, ...]
    words: tuple[tuple[int, int], ...] | None = None
    gold: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Split:
    """The examples of one file (or of a part of it), and what a person should know about it.

    kind: name of the kind of task whose gold labels these are ("tag", "classify").
    file: where they came from, as it is named in messages.
    notes: sentences such as "not UTF-8: read as ISO-8859-1", printed before training.
    """

    kind: str
    examples: tuple[Example, ...]
    file: str
    notes: tuple[str, ...] = ()

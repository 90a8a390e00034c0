"""CoNLL-U, Universal Dependencies' format: ten columns a word, for the kinds "parse" and "tag".

https://universaldependencies.org/format.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from ligero.errors import excerpt
from ligero.tasks.example import Change, Example, Split
from ligero.tasks.formats import text as _text
from ligero.tasks.formats.text import Shared, Text, line_id, wanted

COLUMNS = 10
ID, FORM, UPOS, HEAD, RELATION, DEPS, MISC = 0, 1, 3, 6, 7, 8, 9

#: name of a choice (or of what metrics ask besides) -> the column that holds it
CHOICES = {"tag": UPOS, "upos": UPOS, "head": HEAD, "relation": RELATION}

# Columns in which an empty cell would become an empty word or label.
_FILLED = {"form": FORM, "UPOS": UPOS, "head": HEAD, "relation": RELATION}

NO_TREE = "no single-rooted tree"

_SENTENCE_ID = re.compile(r"# *sent_id *= *(.*\S)")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}|0")
_WORD = re.compile(r"[1-9][0-9]{0,8}")
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY_NODE = re.compile(r"[0-9]{1,9}\.[1-9][0-9]{0,8}")
_CELLS = re.compile(r"[0-9]+(?:[-.][0-9]+)?\t[^\t]*(?:\t[^\t]*){8}")
# As many lines as a guess looks at.
_GLANCE = 1000


@dataclass(slots=True)
class _Sentence:
    """One sentence as it stands in its file.

    id: that of its comment "# sent_id = x", None without one. line: that of its first row.
    name: its id, or else its line (`text.line_id`), once the sentence is whole.
    comments: the lines before it. rows: (line number, ten cells) of words, ranges and empty nodes.
    words: those of the rows that are words. ranges: first word -> (last word, cells).
    """

    id: str | None = None
    name: str = ""
    line: int = 0
    comments: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    words: list[tuple[int, list[str]]] = field(default_factory=list)
    ranges: dict[int, tuple[int, list[str]]] = field(default_factory=dict)

    def column(self, at: int) -> tuple[str | None, ...]:
        """One column of the words; None for "_", which says that it is not known."""
        return tuple(None if cells[at] == "_" else cells[at] for _, cells in self.words)


def read(text: Text, kind: str | None = None) -> Split:
    """The sentences of a CoNLL-U file: heads and relations ("parse"), or UPOS tags ("tag").

    An example's text is its words as the file spaces them: a space after each, unless MISC has
    SpaceAfter=No. The parts of a multi-word range (3-4) are words, with one space between them; the
    range itself, and empty nodes (3.1), are none. Gold of "parse" is "head" ("0" for the root, else
    the number of a word), "relation" and "upos"; of "tag", "tag". "_" is a unit without a label.
    A sentence whose heads are no tree with one root is dropped from "parse".

    Raises InputError, with file and line: a number of columns other than ten, ids that do not count
    the words from 1, ranges that do not fit, a head that is no other word's, an empty cell, a
    comment inside a sentence, a sent_id used twice; no sentence at all; a `kind` that is another.
    """
    kind = wanted(text, kind, "parse", "tag")
    examples, changes, shared = [], [], Shared()
    for sentence in _sentences(text):
        if kind == "parse" and not _is_tree(_heads(text, sentence)):
            changes.append(Change(sentence.line, "dropped", NO_TREE, sentence.name))
        else:
            examples.append(_example(sentence, kind, shared))
    if not examples:
        dropped = f" left, {len(changes)} dropped ({NO_TREE})" if changes else ""
        raise text.error(1, f"no sentence{dropped}", "at least one")
    note = f"read as CoNLL-U, for the kind {kind}"
    return Split(kind, tuple(examples), text.file, (*text.notes, note), tuple(changes))


def claims(lines: Iterable[str]) -> bool:
    """Whether most lines, without comments and blank ones, are ten columns behind a number."""
    glance = islice(lines, _GLANCE)
    rows = [line for line in glance if line.strip() and not line.startswith("#")]
    return 2 * sum(_CELLS.fullmatch(row) is not None for row in rows) > len(rows)


def rewrite(
    file: str | Path,
    predicted: Mapping[str, Mapping[str, Sequence[str]]],
    encoding: str | None = None,
) -> str:
    """The text of a CoNLL-U file with predictions in it, as the official scorers read it.

    predicted: id of an example that `read` gave of this file -> name of CHOICES -> the value for
        each word; {} leaves a sentence as it is. Sentences that are not among them are left out.

    Comments, ranges, empty nodes and all other columns stay. With new heads DEPS, which would
    contradict them, become "_". Raises InputError as `read` does, and ValueError for an id that the
    file does not have or another number of values than words.
    """
    text = _text.read(file, encoding)
    written, names = [], set()
    for sentence in _sentences(text):
        names.add(sentence.name)
        if sentence.name in predicted:
            _put(sentence, predicted[sentence.name])
            rows = ("\t".join(cells) for _, cells in sentence.rows)
            written.append("\n".join((*sentence.comments, *rows)) + "\n\n")
    if missing := predicted.keys() - names:
        raise ValueError(f"{file} has no sentence {min(missing)!r}")
    return "".join(written)


def _put(sentence: _Sentence, columns: Mapping[str, Sequence[str]]) -> None:
    """Write values into the columns of a sentence's words."""
    for name, values in columns.items():
        if len(values) != len(sentence.words):
            found = f"{len(values)} values of {name} for {len(sentence.words)} words"
            raise ValueError(f"sentence {sentence.name!r}: {found}")
        for (_, cells), value in zip(sentence.words, values, strict=True):
            cells[CHOICES[name]] = value
            if name == "head":
                cells[DEPS] = "_"


def _sentences(text: Text) -> Iterator[_Sentence]:
    """The sentences of a file, checked but for their trees."""
    lines: dict[str, int] = {}
    given = frozenset(named[1] for line in text.lines if (named := _SENTENCE_ID.match(line)))
    sentence = _Sentence()
    for number, line in chain(text.numbered(), [(0, "")]):
        if line.strip():
            _add(text, sentence, number, line)
        elif sentence.rows:
            _check_end(text, sentence)
            sentence.name = sentence.id or line_id(sentence.line, given)
            if lines.setdefault(sentence.name, sentence.line) != sentence.line:
                first = lines[sentence.name]
                found = f"the id {excerpt(sentence.name)} again (first on line {first})"
                raise text.error(sentence.line, found, "a sent_id of its own for each sentence")
            yield sentence
            sentence = _Sentence()


def _add(text: Text, sentence: _Sentence, number: int, line: str) -> None:
    """Take one line into a sentence."""
    if line.startswith("#"):
        if sentence.rows:
            raise text.error(number, "a comment inside a sentence", "a blank line before it")
        sentence.comments.append(line)
        found = _SENTENCE_ID.match(line)
        sentence.id = found[1] if found else sentence.id
        return
    cells = line.split("\t")
    if len(cells) != COLUMNS:
        found_count = f"{len(cells)} column{'s' * (len(cells) != 1)} ({excerpt(line)})"
        raise text.error(number, found_count, f"{COLUMNS}, parted by tabs")
    _check_id(text, sentence, number, cells)
    sentence.line = sentence.line or number
    sentence.rows.append((number, cells))


def _check_id(text: Text, sentence: _Sentence, number: int, cells: list[str]) -> None:
    """Sort a row by its id; InputError unless the id follows from those before it."""
    next_, id = len(sentence.words) + 1, cells[ID]
    inside = max((last for last, _ in sentence.ranges.values()), default=0)
    if _EMPTY_NODE.fullmatch(id):
        return
    if _WORD.fullmatch(id) and int(id) == next_:
        sentence.words.append((number, cells))
    elif (
        (span := _RANGE.fullmatch(id)) and int(span[1]) == next_ and inside < next_ <= int(span[2])
    ):
        sentence.ranges[next_] = int(span[2]), cells
    else:
        expected = f"{next_}, the number of the next word, or a range or empty node that fits"
        raise text.error(number, f"the id {excerpt(id)}", expected)
    for name, at in _FILLED.items():
        if not cells[at].strip(" "):
            found = f"an empty {name} ({excerpt(' '.join(cells))})"
            raise text.error(number, found, 'something in every column, "_" where nothing is known')


def _check_end(text: Text, sentence: _Sentence) -> None:
    """InputError for a sentence that ends too early."""
    count, (last, _) = len(sentence.words), sentence.rows[-1]
    if not count:
        raise text.error(last, "a sentence without a word", "a row with the id 1")
    if (end := max((end for end, _ in sentence.ranges.values()), default=0)) > count:
        raise text.error(
            last, f"the end of a sentence after word {count}", f"word {end}, of a range"
        )


def _heads(text: Text, sentence: _Sentence) -> list[int | None]:
    """The head of each word; InputError for one that is not 0 or another word."""
    count, heads = len(sentence.words), sentence.column(HEAD)
    for (number, cells), head in zip(sentence.words, heads, strict=True):
        if head is None:
            continue
        if not _NUMBER.fullmatch(head) or int(head) > count or head == cells[ID]:
            expected = f"0, or the number of another of the {count} words"
            raise text.error(number, f"the head {excerpt(head)}", expected)
    return [None if head is None else int(head) for head in heads]


def _is_tree(heads: Sequence[int | None]) -> bool:
    """Whether every word leads to the one root; words without a head are no fault."""
    roots = heads.count(0)
    if roots > 1 or (roots == 0 and None not in heads):
        return False
    # 1: known to lead to the root, or to a word without a head; 2: on the way from here.
    state = [0] * (len(heads) + 1)
    state[0] = 1
    for word in range(1, len(heads) + 1):
        way, at = [], word
        while not state[at]:
            state[at] = 2
            way.append(at)
            at = heads[at - 1] or 0
        if state[at] == 2:
            return False
        for passed in way:
            state[passed] = 1
    return True


def _example(sentence: _Sentence, kind: str, shared: Shared) -> Example:
    names = ("head", "relation", "upos") if kind == "parse" else ("tag",)
    content, spans = _spaced(sentence)
    return Example(
        id=sentence.name,
        texts=(content,),
        words=shared.all(spans),
        gold={name: shared.all(sentence.column(CHOICES[name])) for name in names},
        line=sentence.line,
    )


def _spaced(sentence: _Sentence) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text of a sentence, and the span of each of its words in characters."""
    parts, spans, length, end = [], [], 0, 0
    for number, (_, cells) in enumerate(sentence.words, start=1):
        form, last = cells[FORM], cells
        if number in sentence.ranges:
            end, whole = sentence.ranges[number]
        if number <= end:
            # Between the parts of a range a space; after the last one what comes after the range.
            last = whole if number == end else []
        closed = last and "SpaceAfter=No" in last[MISC].split("|")
        spans.append((length, length + len(form)))
        parts.append(form if closed or number == len(sentence.words) else form + " ")
        length += len(parts[-1])
    return "".join(parts), tuple(spans)

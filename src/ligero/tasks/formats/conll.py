"""CoNLL columns: one word a line, a blank line after each sentence, the word first, the tag last.

The layout of the CoNLL-2002 and 2003 shared tasks and of what came after them; 2 columns
(word tag), 3 (word POS tag) or 4 (word POS chunk tag). Tags may be entities or anything else.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import PurePath

from ligero.errors import excerpt
from ligero.tasks.example import Example, Split
from ligero.tasks.formats.text import Shared, Text, line_id, wanted

COLUMNS = (2, 3, 4)
CONLLU_COLUMNS = 10
DOCUMENT_BREAK = "-DOCSTART-"

# esp.train, esp.testa and esp.testb are how the shared task named its files.
SUFFIXES = frozenset({".conll", ".iob", ".iob2", ".bio", ".train", ".testa", ".testb"})

# As many lines as a guess looks at: some thirty sentences.
_GLANCE = 1000
_COMMENT = re.compile(r"# .*=")
# "# id = x" and "# sent_id = x"; "# id x<tab>domain=y" is how MultiCoNER writes it.
_ID = re.compile(r"# +(?:sent_)?id(?:\s*=\s*(?P<rest>.*\S)|\s+(?P<first>[^\s=]+)\s)")
_ENTITY_TAG = re.compile(r"O|[BIESLU]-\S+")


@dataclass(slots=True)
class _Sentence:
    """The sentence being read: `line` is that of its first word, 0 before there is one."""

    id: str | None = None
    line: int = 0
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def read(text: Text, kind: str | None = None) -> Split:
    """The sentences of a CoNLL file, as examples of the kind "tag" with the choice "tag".

    An example's text is its words joined by one space, its id that of a comment `# id = x` or
    `# sent_id = x` before the sentence, else the line of its first word (`text.line_id`). A comment
    begins with "# ", holds "=", and stands before a sentence's first word; any other line that
    begins with "#" is a word. `-DOCSTART-` lines end a sentence and are no words. Nothing is cut.

    Raises InputError, with file and line: a count of columns other than 2, 3 or 4, or other than
    the file's first; a tag with a space in it; an id used twice; no sentence at all; a `kind` that
    is another.
    """
    wanted(text, kind, "tag")
    reader = _Reader(text)
    examples = tuple(reader.examples())
    if not examples:
        raise text.error(1, "no sentence", "lines of words and tags")
    note = f"read as CoNLL, {reader.columns} columns (word … tag), for the kind tag"
    return Split("tag", examples, text.file, (*text.notes, note))


def claims(name: str | None, lines: Iterable[str]) -> bool:
    """Whether a file is in this format, by its name (None: unknown), else by its first lines.

    By content: most lines are 2 to 4 cells without white space inside, and either no line has a
    tab (a TSV would), or blank lines part the sentences, or the last cells are entity tags. So a
    `.tsv` of words is claimed, and a TSV of one-word texts is not.
    """
    if name is not None and PurePath(name).suffix.lower() in SUFFIXES:
        return True
    glance = [line for line in islice(lines, _GLANCE) if not _COMMENT.match(line)]
    filled = [line for line in glance if line.strip()]
    rows = [cells for cells in map(split_columns, filled) if _is_token(cells)]
    if 2 * len(rows) <= len(filled):
        return False
    tagged = sum(_ENTITY_TAG.fullmatch(cells[-1]) is not None for cells in rows)
    parted = any(not line.strip() for line in "\n".join(glance).strip().split("\n"))
    return parted or 2 * tagged > len(rows) or not any("\t" in line for line in filled)


def split_columns(line: str) -> list[str]:
    """The cells of a line: parted by runs of tabs if it has any, otherwise by runs of spaces.

    Only these two part cells: a no-break space, for one, belongs to its word.
    """
    line = line.strip(" \t")
    if "\t" in line:
        return [cell for part in line.split("\t") if (cell := part.strip(" "))]
    return re.split(" +", line)


def _is_token(cells: list[str]) -> bool:
    return len(cells) in COLUMNS and not any(" " in cell for cell in cells)


class _Reader:
    """One pass over a file; `columns` is the count of its first word line, 0 before it."""

    def __init__(self, text: Text) -> None:
        self.text, self.columns, self.first = text, 0, 0
        self.seen: dict[str, int] = {}
        comments = (line for line in text.lines if line.startswith("# "))
        self.given = frozenset(id for line in comments if (id := _comment_id(line)))
        self.shared = Shared()

    def examples(self) -> Iterator[Example]:
        """One example for each sentence, in the file's order."""
        sentence = _Sentence()
        for number, line in self.text.numbered():
            if not line.strip() or line.startswith(DOCUMENT_BREAK):
                if sentence.words:
                    yield self._example(sentence)
                    sentence = _Sentence()
            elif not sentence.words and _COMMENT.match(line):
                sentence.id = _comment_id(line) or sentence.id
            else:
                self._add(sentence, number, line)
        if sentence.words:
            yield self._example(sentence)

    def _add(self, sentence: _Sentence, number: int, line: str) -> None:
        """Append the word and the tag of one line."""
        cells = split_columns(line)
        self._check(cells, number, line)
        sentence.line = sentence.line or number
        sentence.words.append(cells[0])
        sentence.tags.append(cells[-1])

    def _check(self, cells: list[str], number: int, line: str) -> None:
        count = len(cells)
        found = f"{count} column{'s' * (count != 1)} ({excerpt(line)})"
        if count == CONLLU_COLUMNS:
            expected = "2, 3 or 4: word … tag (ten are CoNLL-U, the format conllu)"
            raise self.text.error(number, found, expected)
        if not self.columns:
            if count not in COLUMNS:
                raise self.text.error(number, found, "2, 3 or 4 columns: word … tag")
            self.columns, self.first = count, number
        if count != self.columns:
            raise self.text.error(number, found, f"{self.columns}, as on line {self.first}")
        if " " in cells[-1]:
            found = f"the tag {excerpt(cells[-1])}"
            raise self.text.error(number, found, "a tag without a space (is a tab missing?)")

    def _example(self, sentence: _Sentence) -> Example:
        name = sentence.id or line_id(sentence.line, self.given)
        if name in self.seen:
            found = f"the id {excerpt(name)} again (first on line {self.seen[name]})"
            raise self.text.error(sentence.line, found, "an id of its own for each sentence")
        self.seen[name] = sentence.line
        content, spans = joined(sentence.words)
        return Example(
            id=name,
            texts=(content,),
            words=self.shared.all(spans),
            gold={"tag": self.shared.all(sentence.tags)},
            line=sentence.line,
        )


def _comment_id(line: str) -> str | None:
    """The id that a comment gives to the sentence after it, if it gives one."""
    found = _ID.match(line)
    return (found["rest"] or found["first"]) if found else None


def joined(words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Words with one space between them, and the span (start, end) of each in characters."""
    ends = list(accumulate(len(word) + 1 for word in words))
    spans = tuple((end - len(w) - 1, end - 1) for w, end in zip(words, ends, strict=True))
    return " ".join(words), spans

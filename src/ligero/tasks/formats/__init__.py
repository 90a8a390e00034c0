"""The formats of labelled files, one module each: file -> Split."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path, PurePath

from ligero.errors import InputError, unknown
from ligero.tasks.example import Split
from ligero.tasks.formats import conll, conllu, csv, jsonl, squad, tsv
from ligero.tasks.formats import text as _text
from ligero.tasks.formats.text import Text

#: name of a format -> its reader, which takes the lines of a file and the kind that is wanted
FORMATS: dict[str, Callable[[Text, str | None], Split]] = {
    "conll": conll.read,
    "conllu": conllu.read,
    "tsv": tsv.read,
    "csv": csv.read,
    "jsonl": jsonl.read,
    "squad": squad.read,
}

# Names that decide; what they leave open, the content does.
_SUFFIXES = {".conllu": "conllu", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

#: How the names of labelled files end. Raw text may have some of these endings, too.
ENDINGS = frozenset({*_SUFFIXES, *conll.SUFFIXES, ".tsv", ".json", ".txt"})

# Bytes by which labelled files are told from raw text, which may be any size.
_GLANCE = 100_000

# How JSON's objects begin; a line of CoNLL may begin with a brace, too.
_OBJECT = re.compile(r'\{\s*(?:"|\}|$)')

_SQUAD = re.compile(r'"(?:data|paragraphs)"\s*:\s*\[')

# In JSON a line, or a list of numbers, is no word: there each text is looked at by itself.
_JSON = {"jsonl", "squad"}


def read(
    path: str | Path,
    format: str | None = None,
    encoding: str | None = None,
    kind: str | None = None,
) -> Split:
    """The examples of a labelled file.

    format: a name of FORMATS; None guesses it (see `guess`). Split.notes says what was understood,
        Split.changes which rows were dropped or repaired.
    encoding: a codec's name; None decides it from the bytes (see `text.read`). Split.format and
        Split.encoding are what was used.
    kind: the kind of task that the file must hold data of; None takes what it holds, of CoNLL-U
        dependencies ("parse") rather than parts of speech ("tag").

    Raises InputError, one line with file and line, for whatever cannot be read.
    """
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    text = _text.read(path, encoding)
    format = format or _guess(text.file, text)
    if format not in _JSON:
        _text.check_words(text)
    return replace(FORMATS[format](text, kind), format=format, encoding=text.encoding)


def guess(path_or_lines: str | Path | Iterable[str]) -> str:
    """The format of a file (a string is its path), or of some lines: a name of FORMATS.

    A name that only one format has decides (.conllu, .csv, .jsonl, .ndjson, `conll.SUFFIXES`, the
    last unless the content is CoNLL-U); otherwise, `.json`, `.tsv` and `.txt` included, the content
    does. JSON is "jsonl" if its first line is a whole object and no SQuAD, else "squad". Ten columns
    behind numbers are CoNLL-U, words one to a line CoNLL (`conll.claims`), rows with a header or
    quotes of CSV are that (`csv.claims`), all else is TSV.
    Raises InputError if the file cannot be read.
    """
    if isinstance(path_or_lines, (str, Path)):
        text = _text.read(path_or_lines)
        return _guess(text.file, text)
    return _guess(None, Text("", tuple(path_or_lines)))


def claims(path: str | Path, kind: str) -> bool:
    """Whether a file begins as a labelled one with data of a kind, and not as raw text does.

    Raises InputError for a file that cannot be opened.
    """
    text = _text.glance(path, _GLANCE)
    try:
        FORMATS[_guess(text.file, text)](text, kind)
    except InputError:
        return False
    return True


def _guess(name: str | None, text: Text) -> str:
    suffix = PurePath(name or "").suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    first = next((line.strip() for line in text.lines if line.strip()), "")
    if suffix == ".json" or _OBJECT.match(first):
        rows = _OBJECT.match(first) and first.endswith("}") and not _SQUAD.search(first)
        return "jsonl" if rows else "squad"
    if conllu.claims(text.lines):
        return "conllu"
    if conll.claims(name, text.lines):
        return "conll"
    return "csv" if csv.claims(text) else "tsv"

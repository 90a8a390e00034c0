"""The formats of labelled files, one module each: file -> Split."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ligero.errors import unknown
from ligero.tasks.example import Split
from ligero.tasks.formats import conll, tsv
from ligero.tasks.formats import text as _text
from ligero.tasks.formats.text import Text

#: name of a format -> its reader
FORMATS: dict[str, Callable[[Text], Split]] = {"conll": conll.read, "tsv": tsv.read}


def read(path: str | Path, format: str | None = None, encoding: str | None = None) -> Split:
    """The examples of a labelled file.

    format: a name of FORMATS; None guesses it (see `guess`). Split.notes says what was understood.
    encoding: a codec's name; None decides it from the bytes (see `text.read`).

    Raises InputError, one line with file and line, for whatever cannot be read.
    """
    if format is not None and format not in FORMATS:
        raise unknown("format", format, FORMATS)
    text = _text.read(path, encoding)
    return FORMATS[format or _guess(text.file, text.lines)](text)


def guess(path_or_lines: str | Path | Iterable[str]) -> str:
    """The format of a file (a string is its path), or of some lines: "conll" or "tsv".

    A name that only CoNLL files have decides (`conll.SUFFIXES`); otherwise, `.tsv` and `.txt`
    included, the content does: words one to a line make it CoNLL (`conll.claims`), all else is TSV.
    Raises InputError if the file cannot be read.
    """
    if isinstance(path_or_lines, (str, Path)):
        text = _text.read(path_or_lines)
        return _guess(text.file, text.lines)
    return _guess(None, path_or_lines)


def _guess(name: str | None, lines: Iterable[str]) -> str:
    return "conll" if conll.claims(name, lines) else "tsv"

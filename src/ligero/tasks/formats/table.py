"""Rows of labelled texts, or of pairs of texts, whatever parted their columns: MLDoc, XNLI, PAWS-X.

Without a header the columns are label, text or label, text, text; with one they may come in any
order under any of NAMES, an id and a language among them, and others beside them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ligero.errors import excerpt
from ligero.tasks.example import Change, Example, Split
from ligero.tasks.formats.text import Text, wanted

# What a header may call each column, in lower case.
NAMES = {
    "id": ("id", "index_id", "guid", "idx"),
    "label": (
        *("label", "gold_label", "category", "topic", "class"),
        *("etiqueta", "categoria", "categoría", "tema", "clase"),
    ),
    "text": (
        *("text", "sentence", "sentence1", "text1", "text_a", "premise", "question1", "document"),
        *("texto", "texto1", "frase", "frase1", "oracion", "oración", "oracion1", "oración1"),
        *("premisa", "pregunta1", "documento"),
    ),
    "text2": (
        *("sentence2", "text2", "text_b", "hypothesis", "hypo", "question2"),
        *("texto2", "frase2", "oracion2", "oración2", "hipotesis", "hipótesis", "pregunta2"),
    ),
    "language": ("language", "lang", "idioma", "lengua"),
}
# What a column of a role may be called where no column has a name of that role above. Beside
# "texto" a "comentario" may be a remark of who labelled it, beside "etiqueta" a "polaridad" more.
_ALSO = {
    "label": (
        *("sentiment", "polarity", "sentimiento", "polaridad", "clasificacion", "clasificación"),
    ),
    "text": (
        *("tweet", "comment", "review", "message", "tuit", "comentario", "resena", "reseña"),
        *("opinion", "opinión", "mensaje", "titular", "cuerpo"),
    ),
}
ROLES = {name: role for role, names in NAMES.items() for name in names}
_WITHOUT_HEADER = {2: ("label", "text"), 3: ("label", "text", "text2")}
_FILLED = ("id", "label", "text", "text2")

# What a column that is not used may be called: a few words, not a sentence.
_NAME = re.compile(r"[\w .,:;/()#%°&+'\"`´‘’“”«»¿?¡!-]{0,40}")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_SPANISH = re.compile(r"(?:es|spa)(?:[-_]\w+)?|spanish|español|castellano", re.IGNORECASE)

# The label of SNLI and XNLI where annotators did not agree; PAWS-X's text where one was lost.
NOT_AGREED = "-"
PLACEHOLDER = "NS"

EMPTY_ROW = "an empty row"

# Of so many rows, over half with a label of their own are hardly labelled texts.
_MANY = 20

#: The rows of a table, again each time it is called: (line number from 1, cells).
Records = Callable[[], Iterable[tuple[int, list[str]]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns are.

    names: as the file writes them, "" without a header. roles: keys of NAMES, "" if not used.
    line: where that was learnt; header: whether that line is a header, or a row.
    """

    names: tuple[str, ...]
    roles: tuple[str, ...]
    line: int
    header: bool

    @property
    def agreed(self) -> bool:
        """Whether the label is what several annotators agreed on, or NOT_AGREED."""
        return any(name.strip().lower() == "gold_label" for name in self.names)

    def notes(self, format: str, how: str) -> tuple[str, ...]:
        """What was understood, and which columns were not."""
        columns = ", ".join(role.removesuffix("2") for role in self.roles if role)
        note = f"read as {format}, columns {columns} ({how}), for the kind classify"
        rest = ", ".join(n for n, role in zip(self.names, self.roles, strict=True) if not role)
        return (note, f"columns not used: {excerpt(rest, 200)[1:-1]}") if rest else (note,)


def read(text: Text, kind: str | None, records: Records, format: str) -> Split:
    """The rows of a table as examples of the kind "classify" with the choice "label".

    The first row is a header if some cells name a label and a text and the others could be names.
    A text is kept to the character; labels and ids lose the spaces around them. A row's id is its
    id column's, else its line. Dropped are rows that are empty, and what `Rows.add` drops.

    format: the table's format, for the notes.

    Raises InputError, with file and line: a wrong number of columns, an empty label, text or id, an
    id used twice, a header with columns missing, unknown or doubled, no row at all; a `kind` that is
    another.
    """
    wanted(text, kind, "classify")
    layout = _layout(text, records)
    rows = Rows(text, layout, _languages(layout, records))
    for number, cells in records():
        if not is_filled(cells):
            rows.changes.append(Change(number, "dropped", EMPTY_ROW))
        elif not (layout.header and number == layout.line):
            _check_count(text, layout, number, cells)
            rows.add(number, dict(zip(layout.roles, cells, strict=True)), cells)
    if layout.header:
        return rows.split(format, "as its header says")
    split = rows.split(format, "no header")
    labels = {example.gold["label"] for example in split.examples}
    if len(split.examples) < _MANY or 2 * len(labels) <= len(split.examples):
        return split
    doubt = "almost every row has a label of its own: are label and text the other way round?"
    return replace(split, notes=(*split.notes, doubt))


def could_be_header(cells: Iterable[str]) -> bool:
    """Whether a first row's cells name a label and a text column."""
    cells = list(cells)
    return {"label", "text"} <= set(roles_of(cells)) and _are_names(cells)


def roles_of(cells: Iterable[str]) -> tuple[str, ...]:
    """The role that each cell of a header names, "" where it names none."""
    names = [_name(cell) for cell in cells]
    roles = [ROLES.get(name, "") for name in names]
    for role, also in _ALSO.items():
        if role not in roles:
            roles = [
                role if name in also else known for name, known in zip(names, roles, strict=True)
            ]
    return tuple(roles)


def is_filled(cells: Iterable[str]) -> bool:
    """Whether any cell of a row holds more than white space."""
    return any(cell.strip() for cell in cells)


class Rows:
    """Collects labelled rows, by role of column, as examples; drops what documented rules drop.

    languages: all values of the language column, if there is one.
    """

    def __init__(self, text: Text, layout: Layout, languages: frozenset[str]) -> None:
        self.text, self.layout, self.notes = text, layout, text.notes
        self.examples: list[Example] = []
        self.changes: list[Change] = []
        self._lines: dict[str, int] = {}
        spanish = {language for language in languages if _SPANISH.fullmatch(language)}
        # A file without any Spanish row was given on purpose, or means something else by "language".
        self._foreign = languages - spanish if spanish else frozenset[str]()
        if languages and not spanish:
            values = excerpt(", ".join(sorted(languages)))[1:-1]
            self.notes += (f"no row is in Spanish by its language column ({values}): all are kept",)

    def add(self, line: int, row: Mapping[str, str], cells: Iterable[str]) -> None:
        """Take a row in, unless a rule drops it; `cells` are what messages quote.

        Dropped: rows in another language, in a file that has Spanish ones; rows whose gold_label
        is "-"; pairs one of which is only "NS".
        """
        row = {role: row[role].strip() if role in ("id", "label") else row[role] for role in row}
        if reason := self._reason(row):
            self.changes.append(Change(line, "dropped", reason, row.get("id", "")))
            return
        for role in _FILLED:
            if not row.get(role, role).strip():
                found = f"an empty {role.removesuffix('2')} ({_quoted(cells)})"
                raise self.text.error(line, found, "something in every column")
        name = row.get("id", str(line))
        if name in self._lines:
            found = f"the id {excerpt(name)} again (first on line {self._lines[name]})"
            raise self.text.error(line, found, "an id of its own for each row")
        self._lines[name] = line
        texts = (row["text"], row["text2"]) if "text2" in row else (row["text"],)
        self.examples.append(Example(name, texts, gold={"label": (row["label"],)}, line=line))

    def split(self, format: str, how: str) -> Split:
        """All that was taken in; InputError if that is nothing. `how` the columns were known."""
        if not self.examples:
            dropped = f", {len(self.changes)} dropped" * bool(self.changes)
            found = f"a header and no row{dropped}" if self.layout.header else f"no row{dropped}"
            raise self.text.error(self.layout.line, found, "at least one row")
        notes = (*self.notes, *self.layout.notes(format, how))
        examples, changes = tuple(self.examples), tuple(self.changes)
        return Split("classify", examples, self.text.file, notes, changes)

    def _reason(self, row: Mapping[str, str]) -> str | None:
        """Why a row is left out; None if it is not."""
        if row.get("language", "").strip() in self._foreign:
            return "a row in another language than Spanish"
        if self.layout.agreed and row["label"] == NOT_AGREED:
            return "no agreed label"
        if "text2" in row and PLACEHOLDER in (row["text"].strip(), row["text2"].strip()):
            return f"a placeholder, {PLACEHOLDER}, for a text"
        return None


def check_roles(text: Text, line: int, names: Iterable[str]) -> tuple[str, ...]:
    """The role of each named column; InputError unless one is a label, one a text, none doubled."""
    names = [_name(name) for name in names]
    roles = roles_of(names)
    if "label" not in roles:
        found = f"a header without a label column ({excerpt(', '.join(names))})"
        raise text.error(line, found, "the label column named label or etiqueta")
    if "text" not in roles:
        raise text.error(line, "a header without a text column", known_names())
    for index, role in enumerate(roles):
        if role and role in roles[:index]:
            both = f"{excerpt(names[roles.index(role)])} and {excerpt(names[index])}"
            raise text.error(line, f"a header with two {role} columns, {both}", "one of them")
    return roles


def _layout(text: Text, records: Records) -> Layout:
    """What the columns are, from the first row that holds anything."""
    line, cells = next((row for row in records() if is_filled(row[1])), (1, []))
    roles = roles_of(cells)
    if not cells:
        raise text.error(line, "no row with anything in it", "at least one row")
    if all(roles) or could_be_header(cells):
        return Layout(tuple(cells), check_roles(text, line, cells), line, header=True)
    # A header that is only half understood must not become an example whose label is "label".
    if _is_half_known(cells, roles, records):
        if "label" not in roles:
            check_roles(text, line, cells)  # which refuses it
        if "text" not in roles:
            unknown, expected = cells[roles.index("")], known_names()
        else:
            unknown = next(cell for cell in cells if not _are_names([cell]))
            expected = "the name of a column, a few words"
        raise text.error(line, f"a header with the column {excerpt(unknown)}", expected)
    if len(cells) not in _WITHOUT_HEADER:
        raise text.error(line, _count(cells), "2 columns (label, text) or 3 (label, text, text)")
    return Layout(("",) * len(cells), _WITHOUT_HEADER[len(cells)], line, header=False)


def _is_half_known(cells: list[str], roles: tuple[str, ...], records: Records) -> bool:
    """Whether a first row is a header of which only some columns are known by their names.

    A row may also begin with a label that is such a name ("opinión", "topic"). Then its text is more
    than a word, where the name is one of labels, or another row has the same label.
    """
    if {"label", "text"} <= set(roles):
        return True
    known = [at for at, role in enumerate(roles) if role]
    if not known or not _are_names(cells):
        return False
    if known != [0]:
        return True
    if roles[0] == "label" and not all(_IDENTIFIER.fullmatch(_name(cell)) for cell in cells):
        return False
    # The same row whole is a header again, of files that were put one behind the other.
    label = cells[0].strip()
    return not any(row[0].strip() == label and row != cells for _, row in records())


def _name(cell: str) -> str:
    """What a cell of a header says, however it is written."""
    return unicodedata.normalize("NFC", cell.strip().lower())


def _are_names(cells: Iterable[str]) -> bool:
    return all(_NAME.fullmatch(_name(cell)) for cell in cells)


def _languages(layout: Layout, records: Records) -> frozenset[str]:
    """The values of the language column."""
    if "language" not in layout.roles:
        return frozenset()
    at = layout.roles.index("language")
    rows: Iterator[list[str]] = (cells for line, cells in records() if line != layout.line)
    return frozenset(value for cells in rows if at < len(cells) and (value := cells[at].strip()))


def _check_count(text: Text, layout: Layout, number: int, cells: list[str]) -> None:
    if len(cells) != len(layout.roles):
        expected = f"{len(layout.roles)}, as on line {layout.line}"
        raise text.error(number, _count(cells), expected)


def known_names() -> str:
    """What a label and a text column may be called, for a message."""
    return "a label and a text column, named " + "; ".join(
        f"{role}: {', '.join(NAMES[role])}" for role in ("label", "text", "text2")
    )


def _count(cells: list[str]) -> str:
    """The number of columns of a row, and how the row begins, for a message."""
    return f"{len(cells)} column{'s' * (len(cells) != 1)} ({_quoted(cells)})"


def _quoted(cells: Iterable[str]) -> str:
    return excerpt("\t".join(cells))

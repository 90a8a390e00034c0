"""Tab-separated rows: a label and a text, or a pair of texts. MLDoc's layout, and its neighbours.

Without a header the columns are `label TAB text` or `label TAB text TAB text`; with one they may
come in any order, with an id among them. Nothing is quoted: `"` is a character like any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ligero.errors import excerpt
from ligero.tasks.example import Example, Split
from ligero.tasks.formats.text import Text

# What a header may call each column, in lower case.
NAMES = {
    "id": ("id", "index_id", "guid", "idx"),
    "label": ("label", "category", "topic", "etiqueta", "categoria", "categoría", "gold_label"),
    "text": ("text", "texto", "sentence", "sentence1", "text1", "text_a", "texto1"),
    "text2": ("text2", "sentence2", "text_b", "texto2"),
}
_ROLES = {name: role for role, names in NAMES.items() for name in names}
_WITHOUT_HEADER = {2: ("label", "text"), 3: ("label", "text", "text2")}
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class _Layout:
    """What each column is: roles, keys of NAMES; line: where that was learnt; header: or a row."""

    roles: tuple[str, ...]
    line: int
    header: bool


def read(text: Text) -> Split:
    """The rows of a TSV file, as examples of the kind "classify" with the choice "label".

    The first row is a header if each of its cells is one of NAMES. Blank lines are skipped. A text
    is kept to the character; labels and ids lose the spaces around them. A row's id is its id
    column's, else its line.

    Raises InputError, with file and line: a wrong number of columns, an empty label, text or id, an
    id used twice, a header with columns missing, doubled or unknown, no row at all.
    """
    layout = _layout(text)
    examples = tuple(_examples(text, layout))
    if not examples:
        raise text.error(layout.line, "a header and no row", "at least one row")
    columns = ", ".join(role.removesuffix("2") for role in layout.roles)
    how = "as its header says" if layout.header else "no header"
    note = f"read as TSV, columns {columns} ({how}), for the kind classify"
    return Split("classify", examples, text.file, (*text.notes, note))


def _rows(text: Text) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank; a line of tabs alone is a row."""
    for number, line in text.numbered():
        if line.strip() or "\t" in line:
            yield number, line.split("\t")


def _layout(text: Text) -> _Layout:
    """What the columns are, from the first row."""
    line, cells = next(_rows(text))
    names = [cell.strip().lower() for cell in cells]
    roles = tuple(_ROLES.get(name, "") for name in names)
    if all(roles):
        _check_header(text, line, names, roles)
        return _Layout(roles, line, header=True)
    # A header that is only half understood must not become an example whose label is "label".
    if "label" in roles and all(_IDENTIFIER.fullmatch(name) for name in names):
        unknown = next(cell for cell, role in zip(cells, roles, strict=True) if not role)
        raise text.error(line, f"a header with the column {excerpt(unknown)}", _known_names())
    if len(cells) not in _WITHOUT_HEADER:
        found = _count(cells)
        raise text.error(line, found, "2 columns (label, text) or 3 (label, text, text)")
    return _Layout(_WITHOUT_HEADER[len(cells)], line, header=False)


def _check_header(text: Text, line: int, names: list[str], roles: tuple[str, ...]) -> None:
    """Raise InputError unless a header has one label, one text and nothing twice."""
    for role in ("label", "text"):
        if role not in roles:
            raise text.error(line, f"a header without a {role} column", _known_names())
    for index, role in enumerate(roles):
        if role in roles[:index]:
            both = f"{names[roles.index(role)]!r} and {names[index]!r}"
            raise text.error(line, f"a header with two {role} columns, {both}", "one of them")


def _known_names() -> str:
    return "a label and a text column, named " + "; ".join(
        f"{role}: {', '.join(names)}" for role, names in NAMES.items()
    )


def _examples(text: Text, layout: _Layout) -> Iterator[Example]:
    """One example for each row after the header."""
    seen: dict[str, int] = {}
    for number, cells in _rows(text):
        if layout.header and number == layout.line:
            continue
        row = _row(text, layout, number, cells)
        name = row.get("id", str(number))
        if name in seen:
            found = f"the id {excerpt(name)} again (first on line {seen[name]})"
            raise text.error(number, found, "an id of its own for each row")
        seen[name] = number
        texts = (row["text"], row["text2"]) if "text2" in row else (row["text"],)
        yield Example(id=name, texts=texts, gold={"label": (row["label"],)}, line=number)


def _row(text: Text, layout: _Layout, number: int, cells: list[str]) -> dict[str, str]:
    """role -> cell of one row, checked."""
    if len(cells) != len(layout.roles):
        raise text.error(number, _count(cells), f"{len(layout.roles)}, as on line {layout.line}")
    row = dict(zip(layout.roles, cells, strict=True))
    for role, cell in row.items():
        if not cell.strip():
            found = f"an empty {role.removesuffix('2')} ({_quoted(cells)})"
            raise text.error(number, found, "something in every column")
        if role in ("id", "label"):
            row[role] = cell.strip()
    return row


def _count(cells: list[str]) -> str:
    """The number of columns of a row, and how the row begins, for a message."""
    return f"{len(cells)} column{'s' * (len(cells) != 1)} ({_quoted(cells)})"


def _quoted(cells: list[str]) -> str:
    return excerpt("\t".join(cells))

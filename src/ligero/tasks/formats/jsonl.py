"""JSON lines, one object a line: labelled texts or pairs, tagged words, or questions.

The layouts of the hub's data sets, and of XNLI's own release.
"""

from collections.abc import Container
from typing import Any

from ligero.errors import excerpt
from ligero.tasks.example import Change, Example, Split
from ligero.tasks.formats import objects, squad, table
from ligero.tasks.formats.conll import joined
from ligero.tasks.formats.objects import Object, field, present, typed
from ligero.tasks.formats.questions import Answer, Questions
from ligero.tasks.formats.text import Shared, Text, line_id, wanted

# What tagged words and their tags may be called; of several tags the first of these is taken.
TOKENS = ("tokens", "words", "palabras")
TAGS = ("tags", "ner_tags", "upos", "pos_tags", "etiquetas")
IDS = ("id", "sent_id", "guid", "idx", "index_id")


def read(text: Text, kind: str | None = None) -> Split:
    """The objects of a file of JSON lines, for the kind that the first one's names fit.

    "answer": question, context, answers (SQuAD's list, or the hub's lists of text and answer_start).
    "tag": tokens, and tags by name (one of TOKENS, of TAGS). "classify": the names of `table.NAMES`,
    texts and labels as in a table (a label may be a whole number, or true or false). An id is that of
    one of IDS, else the line (`text.line_id`). Names that are not used are ignored; every line must
    have the others.

    Raises InputError, with file and line: what `objects.lines` refuses; a value that is missing or
    of another type; whatever `Questions` and `table.Rows` refuse; a `kind` that is another.
    """
    rows = list(objects.lines(text))
    readers = {
        "answer": {"question", "context"} <= set(rows[0]),
        "tag": bool(_first(TOKENS, rows[0]) and _first(TAGS, rows[0])),
        "classify": table.could_be_header(rows[0]),
    }
    offered = [name for name, fits in readers.items() if fits]
    if not offered:
        known = excerpt(", ".join(rows[0]), 80)[1:-1]
        expected = f"question, context, answers; or tokens, tags; or {table.known_names()}"
        raise text.error(rows[0].line, f"an object with {known or 'nothing'}", expected)
    read = {"answer": _questions, "tag": _tagged, "classify": _labelled}
    return read[wanted(text, kind, *offered)](text, rows)


def _questions(text: Text, rows: list[Object]) -> Split:
    found, given = Questions(text), _given(rows)
    for row in rows:
        answers = _answers(text, row) if "answers" in row else None
        if squad.impossible(text, row):
            answers = []
        question, context = (field(text, row, key, str) for key in ("question", "context"))
        found.add(_id(text, row, given), row.line, question, context, answers)
    return found.split("JSON lines")


def _answers(text: Text, row: Object) -> list[Answer]:
    """Answers as SQuAD lists them, or as the hub does: their texts beside their starts."""
    answers = row["answers"]
    if not isinstance(answers, Object):
        return squad.answer_list(text, row)
    texts, starts = (field(text, answers, key, list) for key in ("text", "answer_start"))
    if len(texts) != len(starts):
        found = f"{len(texts)} answers with {len(starts)} starts"
        raise text.error(row.line, found, "as many of both")
    return [
        Answer(
            typed(text, row.line, t, str, "text"),
            squad.position(text, row.line, s, "start"),
            row.line,
        )
        for t, s in zip(texts, starts, strict=True)
    ]


def _tagged(text: Text, rows: list[Object]) -> Split:
    tokens, tags = _first(TOKENS, rows[0]), _first(TAGS, rows[0])
    examples, changes, seen, shared = [], [], dict[str, int](), Shared()
    given = _given(rows)
    for row in rows:
        words, labels = _texts(text, row, tokens), _texts(text, row, tags)
        if len(words) != len(labels):
            found = f"{len(words)} {tokens} with {len(labels)} {tags}"
            raise text.error(row.line, found, "a tag for each word")
        name = _id(text, row, given)
        if seen.setdefault(name, row.line) != row.line:
            found = f"the id {excerpt(name)} again (first on line {seen[name]})"
            raise text.error(row.line, found, "an id of its own for each sentence")
        if not words:
            changes.append(Change(row.line, "dropped", "a sentence without words", name))
            continue
        content, spans = joined(words)
        gold = {"tag": shared.all(labels)}
        examples.append(Example(name, (content,), shared.all(spans), gold, row.line))
    if not examples:
        raise text.error(1, "no sentence with words", "at least one")
    note = f"read as JSON lines, {tokens} with {tags}, for the kind tag"
    return Split("tag", tuple(examples), text.file, (*text.notes, note), tuple(changes))


def _labelled(text: Text, rows: list[Object]) -> Split:
    names = tuple(rows[0])
    layout = table.Layout(names, table.check_roles(text, rows[0].line, names), rows[0].line, False)
    columns = {role: name for name, role in zip(names, layout.roles, strict=True) if role}
    cells = [{role: _cell(text, row, role, name) for role, name in columns.items()} for row in rows]
    languages = frozenset(row["language"].strip() for row in cells if "language" in row) - {""}
    found = table.Rows(text, layout, languages)
    for row, values in zip(rows, cells, strict=True):
        found.add(row.line, values, values.values())
    return found.split("JSON lines", "by name")


def _cell(text: Text, row: Object, role: str, name: str) -> str:
    """The value of one column as text; labels and ids may be whole numbers, labels true or false."""
    value = present(text, row, name)
    if role == "label" and isinstance(value, bool):
        return str(value).lower()
    plain = role in ("id", "label") and isinstance(value, int)
    return str(typed(text, row.line, value, int if plain else str, repr(name)))


def _texts(text: Text, row: Object, key: str) -> list[str]:
    """A list of texts none of which is blank."""
    found = field(text, row, key, list)
    for item in found:
        if not typed(text, row.line, item, str, f"an item of {key!r}").strip():
            raise text.error(row.line, f"an empty item of {key!r}", "something in every one")
    return found


def _id(text: Text, row: Object, given: Container[str]) -> str:
    key = _first(IDS, row)
    return squad.named_id(text, row, key) if key else line_id(row.line, given)


def _given(rows: list[Object]) -> frozenset[str]:
    """All ids that the file gives; of which type they are is asked row by row."""
    return frozenset(str(row[key]).strip() for row in rows if (key := _first(IDS, row)))


def _first(names: tuple[str, ...], row: dict[str, Any]) -> str:
    """The first of `names` that a row has; "" if none."""
    return next((name for name in names if name in row), "")

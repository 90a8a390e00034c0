"""SQuAD's JSON, 1.1 and 2.0: articles of paragraphs, each a context with questions and answers.

Also the layout of XQuAD, MLQA, SQAC and SQuAD-es (TAR).
"""

import sys
from typing import Any

from ligero.errors import excerpt
from ligero.tasks.example import Split
from ligero.tasks.formats import objects
from ligero.tasks.formats.objects import Object, field, present, typed
from ligero.tasks.formats.questions import Answer, Questions
from ligero.tasks.formats.text import Text, wanted


def read(text: Text, kind: str | None = None) -> Split:
    """The questions of a SQuAD file, as examples of the kind "answer".

    A question whose list of answers is empty, or whose `is_impossible` is true, has no answer in its
    context; one without a list is unlabelled. What is mended or dropped, see `Questions`.

    Raises InputError, with file and line: what `objects.whole` refuses; a value that is missing or
    of another type; a question or context without a word; an id used for two questions.
    """
    wanted(text, kind, "answer")
    root = objects.whole(text)
    if not isinstance(root, Object):
        expected = 'SQuAD\'s object with "data"; for rows, JSON lines (.jsonl), one object a line'
        raise text.error(1, objects.named(root), expected)
    found = Questions(text)
    for article in _objects(text, root, "data"):
        for paragraph in _objects(text, article, "paragraphs"):
            context = field(text, paragraph, "context", str)
            for question in _objects(text, paragraph, "qas"):
                _add(text, found, question, context)
    version = root.get("version")
    known = f" {version}" if isinstance(version, str | float) else ""
    return found.split(f"SQuAD JSON{excerpt(known)[1:-1]}")


def named_id(text: Text, holder: Object, key: str) -> str:
    """holder[key] as an id: a text that is not blank, or a whole number."""
    value = present(text, holder, key)
    value = str(typed(text, holder.line, value, str if isinstance(value, str) else int, repr(key)))
    if not value.strip():
        raise text.error(holder.line, f"an empty {key}", "an id of its own for each")
    return value.strip()


def impossible(text: Text, question: Object) -> bool:
    """Whether SQuAD 2.0 says that the context does not answer a question."""
    return "is_impossible" in question and field(text, question, "is_impossible", bool)


def answer_list(text: Text, question: Object) -> list[Answer]:
    """The answers of a question that lists them as objects."""
    return [
        Answer(
            field(text, answer, "text", str),
            position(text, answer.line, present(text, answer, "answer_start"), "'answer_start'"),
            answer.line,
        )
        for answer in _objects(text, question, "answers")
    ]


def position(text: Text, line: int, value: Any, what: str) -> int:
    """Where an answer begins, as a file says: a whole number, and none beyond all texts there are.

    -1 says that there is no answer. Raises InputError, in which `what` names the value.
    """
    start = typed(text, line, value, int, what)
    if abs(start) > sys.maxsize:
        raise text.error(line, f"{objects.named(start)} for {what}", "a place in the context")
    return start


def _add(text: Text, found: Questions, question: Object, context: str) -> None:
    answers = answer_list(text, question) if "answers" in question else None
    if impossible(text, question):
        answers = []
    id = named_id(text, question, "id")
    found.add(id, question.line, field(text, question, "question", str), context, answers)


def _objects(text: Text, holder: Object, key: str) -> list[Object]:
    """holder[key], a list of objects."""
    found = field(text, holder, key, list)
    return [typed(text, holder.line, item, Object, f"an item of {key!r}") for item in found]

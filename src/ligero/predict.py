"""What a trained model finds in raw text."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from rich.console import Group
from rich.text import Text

from ligero.errors import InputError
from ligero.reader import open_reader
from ligero.report import tables
from ligero.tasks.formats import text as text_file

# Texts scored together: enough to fill batches, few enough that a pipe sees answers soon.
TOGETHER = 64


def predict(
    model: str, texts: Iterable[str], second: str | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each text with what was found in it: labels, entities or words with characters' spans, answers.

    second: the other text of a pair, for models that compare two; the context in which models that
    answer look for the answer to each text, and whose characters their spans are of.
    """
    trained = open_reader(model)
    if (1 if second is None else 2) not in trained.kind.texts:
        raise InputError(
            f"{'one text' if second is None else 'a pair of texts'}, and a model of kind "
            f"{trained.kind.name}",
            expected="one text"
            if second is not None
            else "two: --pair (or --context) gives the second",
        )
    if second is not None:
        text_file.check(second, None, "--context")
    numbered = enumerate(texts, start=1)
    while part := list(islice(numbered, TOGETHER)):
        for number, text in part:
            text_file.check(text, number, "input")
        examples = [trained.kind.read(text, second) for _, text in part]
        for example, scores in zip(examples, trained.scores(examples), strict=True):
            yield example.texts[0], trained.kind.present(example, scores, trained.labels)


def shown(text: str, found: Sequence[dict[str, Any]]) -> Group:
    """What was found, as a person reads it: a table under the text."""
    if not found:
        return Group(Text(text), Text("  nothing found"))
    columns = [name for name in found[0] if name not in ("start", "end")]
    heading = ["", *columns]
    if "start" in found[0]:
        heading.insert(heading.index("text") + 1, "characters")
    cells = {
        "characters": lambda f: f"{f['start']}-{f['end']}" if f["text"] else "",
        "probability": lambda f: f"{f['probability']:.3f}",
        "": lambda f: "",
    }
    rows = [
        [cells.get(name, lambda f, name=name: str(f[name]))(f) for name in heading] for f in found
    ]
    return Group(Text(text), tables.terminal(heading, rows))

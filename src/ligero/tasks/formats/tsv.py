r"""Tab-separated rows, nothing quoted: `"` is a character like any other. MLDoc, XNLI, SIB-200."""

from collections.abc import Iterator

from ligero.tasks.example import Split
from ligero.tasks.formats import table
from ligero.tasks.formats.text import Text


def read(text: Text, kind: str | None = None) -> Split:
    """The rows of a TSV file, as `table.read` understands them. Blank lines are skipped."""
    return table.read(text, kind, lambda: records(text), "TSV")


def records(text: Text) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank; a line of tabs alone is a row."""
    for number, line in text.numbered():
        if line.strip() or "\t" in line:
            yield number, line.split("\t")

"""Rows whose cells may be quoted (RFC 4180), parted by a tab, bar, semicolon or comma.

A cell that begins with `"` ends at the next one that is not doubled, be that lines later; within
it `""` is one quote, and what parts cells is a character like any other. In other cells `"` has no
meaning. PAWS-X is such a file, parted by tabs. A first line `sep=;`, which is how Excel is told the
delimiter, is no row.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from ligero.errors import InputError, excerpt
from ligero.tasks.example import Split
from ligero.tasks.formats import table
from ligero.tasks.formats.text import Text

# In this order where more than one would do: a comma is common inside texts, a tab is not.
DELIMITERS = {"\t": "tabs", "|": "bars", ";": "semicolons", ",": "commas"}

_DECLARED = re.compile(r'"?sep=([\t|;,])"?\s*', re.IGNORECASE)

# Rows by which the delimiter is chosen, and rows at which a guess looks.
_GLANCE, _LONG_GLANCE = 20, 10_000

# What a quoted cell may hold on one line. Possessive (*+): no way back into a doubled quote.
_INSIDE = re.compile(r'(?:[^"]+|"")*+')

# A cell, and whether it was quoted.
_Cell = tuple[str, bool]


def read(text: Text, kind: str | None = None) -> Split:
    """The rows of a CSV file, as `table.read` understands them; its delimiter is found (`sniff`).

    Raises InputError, with file and line, for what `table.read` refuses, for a quote that is never
    closed (the line at which its row begins), and for characters after a closing quote.
    """
    delimiter = sniff(text)
    format = f"CSV parted by {DELIMITERS[delimiter]}"
    return table.read(text, kind, lambda: records(text, delimiter), format)


def records(text: Text, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line number at which it begins, cells) of each row; blank lines between rows are none."""
    for number, cells in _rows(text, delimiter):
        yield number, [cell for cell, _ in cells]


def sniff(text: Text) -> str:
    """What parts the cells: what the file itself declares, else the first of DELIMITERS that does best.

    Best is what makes the first row a header; then what gives all rows 2 cells, or all 3; then
    what gives the first row so many; then what parts it at all.
    """
    if declared := _DECLARED.fullmatch(text.lines[0]):
        return declared[1]

    def rank(delimiter: str) -> int:
        rows = _glance(text, delimiter, _GLANCE)
        if not rows:
            return 4
        if table.could_be_header(rows[0]):
            return 0
        if {len(row) for row in rows} in ({2}, {3}):
            return 1
        return 2 if len(rows[0]) in (2, 3) else 3 if len(rows[0]) > 1 else 4

    return min(DELIMITERS, key=rank)


def claims(text: Text) -> bool:
    """Whether a file whose name does not say it is CSV: by its header, or by its quotes.

    By its header, if that is parted by something other than tabs or declared. By its quotes, if its cells,
    parted by tabs, are quoted throughout: all rows have as many; `"` stands in quoted cells only;
    and some quoted cell needs it (it holds a quote, a tab or several lines), or each row has one.
    """
    if _DECLARED.fullmatch(text.lines[0]):
        return True
    for delimiter in DELIMITERS:
        first = _glance(text, delimiter, 1)
        if delimiter != "\t" and first and table.could_be_header(first[0]):
            return True
    try:
        first_rows = islice(_rows(text, "\t"), _LONG_GLANCE)
        rows = [cells for _, cells in first_rows if table.is_filled(cell for cell, _ in cells)]
    except InputError:
        return False
    quoted = [cell for cells in rows for cell, quoted in cells if quoted]
    stray = any('"' in cell for cells in rows for cell, quoted in cells if not quoted)
    # Rows of a TSV whose texts begin and end with quotes of their own, taken for one cell.
    swallowed = any("\n" in cell and "\t" in cell for cell in quoted)
    if not quoted or stray or swallowed or {len(cells) for cells in rows} != {len(rows[0])}:
        return False
    needed = any(character in cell for cell in quoted for character in '"\t\n')
    return needed or all(any(quoted for _, quoted in cells) for cells in rows)


def _glance(text: Text, delimiter: str, count: int) -> list[list[str]]:
    """The first rows that hold anything, up to `count` or to the first that cannot be read."""
    rows: list[list[str]] = []
    with suppress(InputError):  # which is said when the file is read
        filled = (cells for _, cells in records(text, delimiter) if table.is_filled(cells))
        rows.extend(islice(filled, count))
    return rows


def _rows(text: Text, delimiter: str) -> Iterator[tuple[int, list[_Cell]]]:
    lines = text.numbered()
    for number, line in lines:
        if not line.strip() and delimiter not in line:
            continue
        if number == 1 and _DECLARED.fullmatch(line):
            continue
        if '"' not in line:
            yield number, [(cell, False) for cell in line.split(delimiter)]
        else:
            yield number, _cells(text, number, line, lines, delimiter)


def _cells(
    text: Text, number: int, line: str, lines: Iterator[tuple[int, str]], delimiter: str
) -> list[_Cell]:
    """The cells of the row that begins with `line`; those that span lines take them from `lines`."""
    cells, at = [], 0
    while True:
        if line.startswith('"', at):
            cell, line, at = _quoted(text, number, line, at + 1, lines)
            cells.append((cell, True))
        else:
            end = line.find(delimiter, at)
            end = len(line) if end < 0 else end
            cells.append((line[at:end], False))
            at = end
        if at == len(line):
            return cells
        if line[at] != delimiter:
            found = f"{excerpt(line[at:], 20)} after a closing quote"
            raise text.error(number, found, f"{delimiter!r} or the end of the row")
        at += 1


def _quoted(
    text: Text, number: int, line: str, at: int, lines: Iterator[tuple[int, str]]
) -> tuple[str, str, int]:
    """The cell that is quoted from `at` on; the line on which it ends, and where after its quote."""
    parts = []
    while True:
        inside = _INSIDE.match(line, at)
        end = inside.end() if inside else at
        parts.append(line[at:end])
        if end < len(line):
            return "\n".join(parts).replace('""', '"'), line, end + 1
        here, line = next(lines, (0, ""))
        at = 0
        if not here:
            raise text.error(number, "a quote that is never closed", 'a `"` at the end of the cell')

"""The tables of the two papers that ligero follows: what they print, and how to make it again."""

from ligero.errors import unknown
from ligero.papers import albeto, speedy
from ligero.papers.table import Table

__all__ = ["TABLES", "find"]

TABLES: dict[str, Table] = {table.name: table for table in (*albeto.TABLES, *speedy.TABLES)}


def find(name: str) -> Table:
    """The table of a name, such as "speedy-2"; InputError with the nearest ones otherwise."""
    if name not in TABLES:
        raise unknown("table", name, TABLES)
    return TABLES[name]

"""The known tasks, as data: kind, files, counts, checksums, licence, where they come from."""

from ligero.errors import unknown
from ligero.tasks.catalog import glues, stand_ins
from ligero.tasks.catalog.entry import Entry, HubFiles

__all__ = ["TASKS", "Entry", "HubFiles", "find"]

TASKS: dict[str, Entry] = {entry.name: entry for entry in (*glues.ENTRIES, *stand_ins.ENTRIES)}


def find(name: str) -> Entry:
    """The task with this name; InputError with the nearest known ones otherwise."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]

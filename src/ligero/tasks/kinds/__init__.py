"""All that differs between kinds of task: one file each, one interface (`kind.py`), numpy only."""

from ligero.errors import unknown
from ligero.tasks.kinds.answer import Answer
from ligero.tasks.kinds.classify import Classify
from ligero.tasks.kinds.kind import Kind
from ligero.tasks.kinds.parse import Parse
from ligero.tasks.kinds.tag import Tag

_ALL: tuple[Kind, ...] = (Classify(), Tag(), Answer(), Parse())
KINDS = {kind.name: kind for kind in _ALL}


def find(name: str) -> Kind:
    """The kind with this name."""
    if name not in KINDS:
        raise unknown("kind of task", name, KINDS)
    return KINDS[name]

"""Exported models that come with ligero, each by its name: `ligero predict ner "..."`."""

from pathlib import Path

from ligero.errors import unknown
from ligero.runtime.card import Card, is_exported

# A folder for each, as `ligero export` makes them.
RELEASED = Path(__file__).parent / "released"


def names() -> list[str]:
    """What there is."""
    return sorted(place.name for place in RELEASED.glob("*") if is_exported(place))


def card(name: str) -> Card:
    """What one says of itself; raises as `Card.read`."""
    return Card.read(RELEASED / name)


def is_name(name: str | Path) -> bool:
    """Whether `name` is one of theirs, which then goes before a folder: that is ./NAME."""
    return isinstance(name, str) and name in names()


def locate(name: str | Path) -> Path:
    """The folder of an exported model: one that comes with ligero, by its name, or the folder itself.

    InputError, with the nearest known names, for a plain name that is neither.
    """
    if is_name(name):
        return RELEASED / name
    folder = Path(name)
    if str(name) == folder.name and not folder.exists() and names():
        raise unknown("folder or exported model", folder.name, names())
    return folder

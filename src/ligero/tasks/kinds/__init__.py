"""All that differs between kinds of task: one file each, one interface (`kind.py`), numpy only."""

from ligero.errors import InputError, unknown
from ligero.tasks import schemes
from ligero.tasks.chains import Decoder
from ligero.tasks.kinds.answer import Answer
from ligero.tasks.kinds.classify import Classify
from ligero.tasks.kinds.kind import Kind, Labels
from ligero.tasks.kinds.parse import Parse
from ligero.tasks.kinds.tag import Tag

_ALL: tuple[Kind, ...] = (Classify(), Tag(), Answer(), Parse())
KINDS = {kind.name: kind for kind in _ALL}

WAYS = ("auto", "independent", "valid", "crf")
"""How a sentence's tags may be chosen (`config.FitConfig`)."""

OWN = "own"
"""A finished model's way of decoding, where no other is asked for."""


def find(name: str) -> Kind:
    """The kind with this name."""
    if name not in KINDS:
        raise unknown("kind of task", name, KINDS)
    return KINDS[name]


def settled(kind: Kind, labels: Labels, decoding: str) -> str:
    """A way of decoding (`config.FitConfig`) with "auto" made up: "valid" for entity tags of a scheme that
    is known, else "independent".

    InputError where the way is not for the task, or is none.
    """
    if decoding not in WAYS:
        raise unknown("decoding", decoding, WAYS)
    if decoding == "auto":
        together = kind.name == "tag" and schemes.is_known(labels)
        return "valid" if together else "independent"
    if decoding == "independent":
        return decoding
    if kind.name != "tag":
        raise InputError(
            f"decoding {decoding} for data of kind {kind.name}",
            expected="auto or independent; the others are for kind tag",
        )
    if decoding == "valid" and not schemes.are_entities(labels):
        raise InputError(
            f"decoding valid for tags that are no entities ({', '.join(labels[:3])}, …)",
            expected="auto, independent or crf; any of these tags may follow any other",
        )
    schemes.allowed(labels)
    return decoding


def decoded(kind: Kind, labels: Labels, decoding: str, learned: Decoder | None = None) -> Kind:
    """A kind of task with a model's way of decoding. learned: the model's CRF, if it has one.

    InputError as `settled`.
    """
    way = settled(kind, labels, decoding)
    if way == "independent":
        return kind
    return Tag(schemes.allowed(labels) if way == "valid" else learned)

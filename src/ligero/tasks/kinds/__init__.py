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


def find(name: str) -> Kind:
    """The kind with this name."""
    if name not in KINDS:
        raise unknown("kind of task", name, KINDS)
    return KINDS[name]


def check_decoding(kind: Kind, labels: Labels, decoding: str) -> None:
    """InputError where a way of decoding (`config.FitConfig`) is not for a task."""
    if decoding == "independent":
        return
    if kind.name != "tag":
        raise InputError(
            f"decoding {decoding} for data of kind {kind.name}",
            expected="independent; the others are for kind tag",
        )
    if decoding == "valid" and not schemes.are_entities(labels):
        raise InputError(
            f"decoding valid for tags that are no entities ({', '.join(labels[:3])}, …)",
            expected="independent or crf; any of these tags may follow any other",
        )
    schemes.allowed(labels)


def decoded(kind: Kind, labels: Labels, decoding: str, learned: Decoder | None = None) -> Kind:
    """A kind of task with a model's way of decoding. learned: the model's CRF, if it has one.

    InputError as `check_decoding`.
    """
    check_decoding(kind, labels, decoding)
    if decoding == "independent":
        return kind
    return Tag(schemes.allowed(labels) if decoding == "valid" else learned)

"""Which models are served, by name: all that a request may refer to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero.errors import InputError, excerpt
from ligero.runtime.card import Card
from ligero.runtime.released import locate
from ligero.tasks import kinds
from ligero.tasks.formats import text as texts_of
from ligero.tasks.kinds.kind import Kind

# A name stands in addresses and in metrics as it is.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Characters of the shorter text of a pair: two long ones are read window by window, each with each. How
# many windows that makes is known once they are sub-words (worker.WINDOWS).
SHORTER = 2_000


@dataclass(frozen=True)
class Model:
    """An exported folder under its name."""

    name: str
    folder: Path
    card: Card

    @property
    def kind(self) -> Kind:
        """Its kind of task."""
        return kinds.find(self.card.kind)

    @property
    def facts(self) -> dict[str, Any]:
        """What anybody may know of it: neither folders nor files of this machine."""
        card = self.card
        task = {key: card.task[key] for key in ("name", "metric", "split")} if card.task else None
        return {
            "name": self.name,
            "kind": card.kind,
            "labels": list(card.labels),
            "task": task,
            "score": card.score,
            "format": card.format,
            "precision": card.precision,
            "parameters": card.model.get("parameters"),
            "bytes": card.bytes,
            "buckets": list(card.buckets),
            "licence": card.licence or None,
        }

    def check(self, texts: Sequence[tuple[str, str | None]], most: int) -> None:
        """InputError for what `Predictor` would refuse, in its words, and for over `most` characters."""
        for number, (text, second) in enumerate(texts, start=1):
            given = 1 if second is None else 2
            if given not in self.kind.texts:
                raise InputError(
                    f"{'one text' if given == 1 else 'a pair of texts'} for a model of kind {self.kind.name}",
                    expected="a pair (a question and its context)" if given == 1 else "one text",
                )
            parts = [text] if second is None else [text, second]
            for part in parts:
                texts_of.check(part, number, "texts")
            lengths = sorted(map(len, parts))
            if lengths[-1] > most:
                raise InputError(
                    f"a text of {lengths[-1]:,} characters",
                    file="texts", line=number, expected=f"at most {most:,}",
                )  # fmt: skip
            if len(lengths) == 2 and lengths[0] > SHORTER:
                raise InputError(
                    f"a pair whose shorter text has {lengths[0]:,} characters",
                    file="texts", line=number, expected=f"at most {SHORTER:,}",
                )  # fmt: skip


def table(given: Sequence[str | Path]) -> dict[str, Model]:
    """name -> model, of folders that `ligero export` made, each FOLDER or NAME=FOLDER; a FOLDER may be the
    name of a model that comes with ligero.

    Raises InputError for two of one name or one that no address can hold, and as `Card.read`.
    """
    found: dict[str, Model] = {}
    for one in map(str, given):
        name, folder = "", one
        if "=" in one and not Path(one).exists():
            name, _, folder = one.partition("=")
        place = locate(folder)
        card = Card.read(place)
        name = name or card.name
        if not NAME.fullmatch(name):
            raise InputError(
                f"the name {excerpt(name)}", file=folder,
                expected="letters, digits, dots, dashes and underscores: give another as NAME=FOLDER",
            )  # fmt: skip
        if name in found:
            raise InputError(
                f"two models named {name} ({found[name].folder} and {folder})",
                expected="one name for each: give another as NAME=FOLDER",
            )
        found[name] = Model(name, place.absolute(), card)
    if not found:
        raise InputError("no folder", expected="FOLDER or NAME=FOLDER (ligero export makes them)")
    return found

"""What cleaning did: counts and samples for each rule, which add up over parts."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

# A sample: a random key, the document's id, the line before and after.
Sample = tuple[int, str, str, str]
# Characters of a line in samples, which are for eyes, and how many of them precede what changed.
SHOWN = 400
_BEFORE = 100


@dataclass(slots=True)
class Count:
    """What one rule did. lines: how many lines (documents, where it drops those) it dropped or changed;
    taken: bytes of UTF-8 that are gone by it; samples: those with the lowest keys.
    """

    does: str
    lines: int = 0
    taken: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Totals, and a count for each rule that did anything.

    Sums and lowest keys do not depend on the order of their parts: the tally of a corpus is the same
    however it was shared out. "kept" is a rule of its own, with samples of what stays.
    """

    samples: int = 20
    documents: list[int] = field(default_factory=lambda: [0, 0])
    lines: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    rules: dict[str, Count] = field(default_factory=dict)

    def began(self, documents: int, lines: int, size: int) -> None:
        """Add what there was before cleaning; `size` in bytes of UTF-8."""
        self._totals(0, documents, lines, size)

    def ended(self, documents: int, lines: int, size: int) -> None:
        """Add what is left."""
        self._totals(1, documents, lines, size)

    def _totals(self, side: int, documents: int, lines: int, size: int) -> None:
        self.documents[side] += documents
        self.lines[side] += lines
        self.bytes[side] += size

    def add(self, name: str, does: str, lines: int, taken: int, samples: Sequence[Sample]) -> None:
        """Add `lines` lines and `taken` bytes to the count of the rule `name`."""
        if not lines:
            return
        count = self.rules.setdefault(name, Count(does))
        count.lines += lines
        count.taken += taken
        cut = [(key, doc, *_around(before, after)) for key, doc, before, after in samples]
        count.samples = heapq.nsmallest(self.samples, count.samples + cut)

    def merge(self, other: Self) -> None:
        """Add another part's tally to this one."""
        self.began(other.documents[0], other.lines[0], other.bytes[0])
        self.ended(other.documents[1], other.lines[1], other.bytes[1])
        for name, count in other.rules.items():
            self.add(name, count.does, count.lines, count.taken, count.samples)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        tally = cls(**{**value, "rules": {}})
        for name, count in value["rules"].items():
            samples = [(key, doc, before, after) for key, doc, before, after in count["samples"]]
            tally.rules[name] = Count(**{**count, "samples": samples})
        return tally


def alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(before: str, after: str) -> tuple[str, str]:
    """Both, cut to SHOWN characters around where they begin to differ."""
    if max(len(before), len(after)) <= SHOWN:
        return before, after
    same = alike(before, after) if after else 0
    start = max(0, same - _BEFORE) if same < len(before) else 0
    return _cut(before, start), _cut(after, start)


def _cut(line: str, start: int) -> str:
    end = start + SHOWN
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")

"""What an export must show before anyone uses it: outputs and scores as the original's.

A quantised graph can be wrong at one length only, and a figure over a whole test set can hide what
went wrong with long texts: so both every bucket and the task's score are checked.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from ligero.runtime.predictor import Predictor
from ligero.tasks.example import Example
from ligero.tasks.metrics import bootstrap
from ligero.tasks.scoring import Measured, measure
from ligero.tasks.words import Encoded, pad
from ligero.train.features import Batch
from ligero.train.scorer import choices
from ligero.train.trained import Trained

# Inputs for each bucket, and how many of them are read once more alone.
CHECKED, ALONE = 200, 20
# precision -> how far scores may be from the original's, as a share of their own size. bf16 keeps
# three digits through some layers; int8 was seen at 3 to 6% on tied layers and at 24% on BETO,
# with the task's score unchanged. A graph that is wrong differs by 100% and more.
ERROR = {"fp32": 0.001, "bf16": 0.05, "int8": 0.3}
# precision -> points that the task's score may fall by.
POINTS = {"fp32": 0.1, "bf16": 0.3, "int8": 0.5}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: what, found, allowed (same unit), and over how many."""

    name: str
    found: float
    allowed: float
    count: int

    @property
    def passed(self) -> bool:
        """Whether it held; what is not a number never does."""
        return self.found <= self.allowed


@dataclass(frozen=True)
class Verdict:
    """What came of one precision. score: of the export on validation data, by the metric's name,
    with its interval. checks: all of them."""

    precision: str
    checks: tuple[Check, ...]
    score: dict[str, Any]

    @property
    def failed(self) -> list[Check]:
        """The checks that did not hold."""
        return [check for check in self.checks if not check.passed]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "precision": self.precision,
            "passed": not self.failed,
            "checks": [{**asdict(check), "passed": check.passed} for check in self.checks],
            "score": self.score,
        }


class Gate:
    """The original's outputs and score, which every precision of its export is held against."""

    def __init__(
        self,
        trained: Trained,
        examples: Sequence[Example],
        buckets: Sequence[int],
        seed: int,
    ) -> None:
        """examples: labelled, the validation split. buckets: lengths in sub-words, ascending."""
        self.trained, self.examples = trained, examples
        self.metric = trained.kind.metric(trained.labels)
        encoded = trained.encoder()(examples)
        self.lengths = np.asarray([e.width for e in encoded])
        self.inputs = {b: drawn(encoded, b, seed) for b in buckets}
        self.wanted = {b: [self.original(e) for e in found] for b, found in self.inputs.items()}
        self.measured = measure(trained.kind, trained.labels, examples, trained.scores(examples))
        self.score = self.measured.metrics[self.metric]
        self.interval = self._interval(self.measured)

    def __call__(self, predictor: Predictor) -> Verdict:
        """Check an exported folder."""
        precision = predictor.card.precision
        checks = []
        for bucket, encoded in self.inputs.items():
            together = predictor.encoded_scores(encoded, bucket)
            alone = [predictor.encoded_scores([e], bucket)[0] for e in encoded[:ALONE]]
            wanted = self.wanted[bucket]
            apart = max(distance(together, wanted), distance(alone, wanted[:ALONE]))
            checks.append(Check(f"bucket {bucket}", apart, ERROR[precision], len(encoded)))
        # Decoded as it will be in use, by what the export holds for that.
        found = measure(
            predictor.kind, predictor.labels, self.examples, predictor.scores(self.examples)
        )
        score = found.metrics[self.metric]
        lost = self.score - score
        checks.append(Check(f"{self.metric} lost", lost, POINTS[precision], len(self.examples)))
        return Verdict(
            precision, tuple(checks), {self.metric: score, "interval": self._interval(found)}
        )

    def original(self, encoded: Encoded) -> dict[str, np.ndarray]:
        """The original's scores of one input, without any padding."""
        features = self.trained.features(())
        rows = pad([encoded], pad_id=features.pad, width=encoded.width, segments=features.segments)
        batch = Batch(
            ids=np.zeros(1, dtype=np.int64),
            inputs={name: torch.from_numpy(array) for name, array in rows.inputs.items()},
            row_example=torch.from_numpy(rows.example),
            words=torch.from_numpy(rows.words),
            gold={},
        )
        with torch.inference_mode():
            scores = choices(self.trained.model, self.trained.kind.name, batch)
        return {name: s.cpu().numpy() for name, s in scores.items()}

    def _interval(self, measured: Measured) -> list[float]:
        """95% of the score, resampled over what belongs together."""
        kind, labels = self.trained.kind, self.trained.labels
        low, high = bootstrap(measured.tallies, lambda sums: kind.figures(sums, labels))[
            self.metric
        ]
        return [float(low), float(high)]


def drawn(encoded: Sequence[Encoded], bucket: int, seed: int) -> list[Encoded]:
    """Real inputs of mixed lengths up to `bucket`, most of them with padding behind.

    Windows of the examples in an order that follows from the seed. One that is too long is cut to a
    length between half the bucket and all of it, its last special token kept.
    """
    rng = np.random.default_rng((seed, bucket))
    windows = [(e, w) for e in encoded for w in range(len(e.ids)) if np.any(e.words[:, 0] == w)]
    windows = windows or [(e, w) for e in encoded for w in range(len(e.ids))]
    found = []
    for place in rng.permutation(max(CHECKED, len(windows)))[:CHECKED]:
        example, window = windows[place % len(windows)]
        ids, types = example.ids[window], example.types[window]
        length = len(ids)
        # Where there are fewer texts than inputs, the same ones come again, cut elsewhere.
        if length > bucket or place >= len(windows):
            length = int(rng.integers(min(length, bucket) // 2 + 2, min(length, bucket) + 1))
            ids = np.concatenate([ids[: length - 1], ids[-1:]])
            types = np.concatenate([types[: length - 1], types[-1:]])
        inside = (example.words[:, 0] == window) & (example.words[:, 1] < length - 1)
        words = example.words[inside].copy()
        words[:, 0] = 0
        found.append(Encoded((ids,), (types,), words))
    return found


def distance(
    found: Sequence[dict[str, np.ndarray]], wanted: Sequence[dict[str, np.ndarray]]
) -> float:
    """How far scores are from those wanted: norm of the difference by norm of the wanted ones.

    What all options of a unit share means nothing and is taken off first.
    """
    difference = size = 0.0
    for mine, right in zip(found, wanted, strict=True):
        for name, scores in right.items():
            if not scores.size:
                continue
            possible = np.isfinite(scores)
            a, b = (_centred(s.astype(np.float64), possible) for s in (mine[name], scores))
            difference += float(((a - b) ** 2).sum())
            size += float((b**2).sum())
    return float(np.sqrt(difference / size)) if size else 0.0


def _centred(scores: np.ndarray, possible: np.ndarray) -> np.ndarray:
    kept = np.where(possible, scores, 0.0)
    mean = kept.sum(axis=-1, keepdims=True) / np.maximum(possible.sum(axis=-1, keepdims=True), 1)
    return np.where(possible, kept - mean, 0.0)

"""Raw text -> what a model finds in it."""

import bisect
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from ligero.errors import DamagedError, InputError
from ligero.runtime.card import HEAD, TOKENIZER, Card
from ligero.runtime.engine import open_engine
from ligero.runtime.heads import HEADS
from ligero.runtime.released import locate
from ligero.tasks import kinds, word_shapes
from ligero.tasks.chains import Chain
from ligero.tasks.example import Example
from ligero.tasks.formats import text as texts_of
from ligero.tasks.words import Encoded, Encoder, pad

Found = list[dict[str, Any]]

NO_WORDS = np.zeros((0, 2), dtype=np.int64)
NOTHING = np.zeros(0, dtype=np.float32)


class Predictor:
    """An exported model, ready to read text.

        predictor = Predictor("runs/ner/export")
        predictor("Nieves Córdoba viajó a Córdoba.")

    card: what the folder says of itself. kind, labels: of the task. Each thing found in a text is a
    dict: "label", "text", "start" and "end" (characters of the given text) and "probability", as the
    kind of task has them. May be called from several threads; they take turns.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        threads: int | None = None,
        windows: float = math.inf,
        decoding: str = kinds.OWN,
    ) -> None:
        """Load a folder that `ligero export` made, or a model that comes with ligero ("ner").

        threads: of the processor; all its cores where left out. windows: that the texts of one call may
        have in all. decoding: another way of choosing a sentence's tags than the export's own, "auto",
        "independent" or "valid". Raises InputError where there is no export, or the way is
        not for its task, DamagedError where a file of it was cut or altered.
        """
        folder = locate(folder)
        self.card = card = Card.read(folder)
        self.labels = card.labels
        self.engine = open_engine(folder, threads=threads, card=card)
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the library raises nothing narrower
            raise DamagedError(f"{folder / TOKENIZER}: not readable ({error})") from None
        self._encode = Encoder(tokenizer, card.window, word_shapes.step(card.model["config"]))
        self._most = windows
        self._weights = load_file(folder / HEAD) if (folder / HEAD).is_file() else {}
        way = card.decoding if decoding == kinds.OWN else decoding
        if way == "crf" and card.decoding != "crf":
            raise InputError(f"decoding crf for {folder}, which has no CRF", expected="another way")
        learned = Chain(**self._weights, learned=True) if way == "crf" else None
        self.kind = kinds.decoded(kinds.find(card.kind), card.labels, way, learned)
        self._segments = "token_type_ids" in card.inputs

    @property
    def parameters(self) -> int:
        """How many the original has, shared ones once."""
        return int(self.card.model["parameters"])

    # A text is a sequence of texts too, which no annotation can rule out.
    @overload
    def __call__(self, texts: str, second: str | None = None) -> Found: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(
        self, texts: Sequence[str], second: str | Sequence[str] | None = None
    ) -> list[Found]: ...
    def __call__(
        self, texts: str | Sequence[str], second: str | Sequence[str] | None = None
    ) -> Found | list[Found]:
        """What is found in a text, or in each of several.

        second: the other text of a pair, or the context in which questions are answered and whose
        characters the answers' spans are of; one for all texts, or one for each.

        Raises InputError for a text that is empty, is not text, or has a word of over 10,000
        characters; which one it was is said; and where they have more windows than they may.
        """
        if isinstance(texts, str):
            return self._found([texts], second)[0]
        return self._found(list(texts), second)

    def scores(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """choice -> scores [units, options] of each example."""
        return self.encoded_scores(self._encode(examples, self._most))

    def encoded_scores(
        self, encoded: Sequence[Encoded], bucket: int | None = None
    ) -> list[dict[str, np.ndarray]]:
        """As `scores`, of what the tokenizer made; in one bucket, where it is said."""
        found = self._windows(encoded, bucket)
        head = HEADS[self.card.kind]
        return [
            head(_stack(windows), e.words, self._weights)
            for e, windows in zip(encoded, _grouped(found, encoded), strict=True)
        ]

    def _found(self, texts: list[str], second: str | Sequence[str] | None) -> list[Found]:
        if second is None or isinstance(second, str):
            others: list[str | None] = [second] * len(texts)
        else:
            others = list(second)
        if len(others) != len(texts):
            raise InputError(
                f"{len(texts)} texts and {len(others)} second ones", expected="one for each"
            )
        examples = [self._read(t, o, n) for n, (t, o) in enumerate(zip(texts, others, strict=True))]
        return [
            self.kind.present(example, scores, self.labels)
            for example, scores in zip(examples, self.scores(examples), strict=True)
        ]

    def _read(self, text: str, second: str | None, number: int) -> Example:
        given = 1 if second is None else 2
        if given not in self.kind.texts:
            raise InputError(
                f"{'one text' if given == 1 else 'a pair of texts'} for a model of kind "
                f"{self.kind.name}",
                expected="a pair (a question and its context)" if given == 1 else "one text",
            )
        for part in (text, second):
            if part is not None:
                texts_of.check(part, number + 1, "texts")
        return self.kind.read(text, second)

    def _windows(self, encoded: Sequence[Encoded], bucket: int | None) -> list[np.ndarray]:
        """The graph's output for each window of each example, in order, padding left in.

        Windows go through in the smallest bucket that holds them, whatever else is asked at once:
        what a text gets does not depend on its company.
        """
        windows = [
            Encoded((ids,), (types,), NO_WORDS)
            for e in encoded for ids, types in zip(e.ids, e.types, strict=True)
        ]  # fmt: skip
        buckets = self.engine.buckets
        members: dict[int, list[int]] = {}
        for i, window in enumerate(windows):
            width = bucket or buckets[bisect.bisect_left(buckets, len(window.ids[0]))]
            members.setdefault(width, []).append(i)
        found: list[np.ndarray] = [NOTHING] * len(windows)
        for width, these in sorted(members.items()):
            rows = pad(
                [windows[i] for i in these], pad_id=self.card.pad_id,
                width=width, segments=self._segments,
            )  # fmt: skip
            output = self.engine.run(rows.inputs)["output"]
            for place, i in enumerate(these):
                found[i] = output[place]
        return found


def _grouped(found: list[np.ndarray], encoded: Sequence[Encoded]) -> Iterator[list[np.ndarray]]:
    start = 0
    for e in encoded:
        yield found[start : start + len(e.ids)]
        start += len(e.ids)


def _stack(windows: list[np.ndarray]) -> np.ndarray:
    """Outputs of an example's windows, which may lie in different buckets, as one array."""
    if len(windows) == 1:
        return windows[0][None]
    if windows[0].ndim == 1:
        return np.stack(windows)
    width = max(len(w) for w in windows)
    return np.stack([np.pad(w, ((0, width - len(w)), (0, 0))) for w in windows])

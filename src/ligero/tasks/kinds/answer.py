"""The answer to a question, as a span of words of its context, or that there is none."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ligero.tasks import metrics, words
from ligero.tasks.example import Example, Split
from ligero.tasks.kinds.kind import (
    UNLABELLED,
    Choice,
    Gold,
    Labels,
    Prediction,
    Scores,
    softmax,
)
from ligero.tasks.metrics import Tallies

# The label of tasks some of whose questions have no answer in their context (SQuAD 2.0).
NONE = "no answer"

# The papers look at answers of up to 30 sub-words; of the 1,690 answers of XQuAD and of MLQA's
# validation data 4 have more than 30 words.
LONGEST = 30

# How many answers are shown to a person.
SHOWN = 3


class Answer:
    """Extractive question answering: choices "start" and "end", one unit each, the question.

    The options are 0, no answer, and the context's words. A long context is read in several windows,
    each word in the one that shows most of its surroundings, and all its words then compete in one
    distribution: there is no merging of windows' answers by scores that do not compare.
    """

    name = "answer"
    choices: tuple[Choice, ...] = (
        Choice("start", "text", "words"),
        Choice("end", "text", "words"),
    )
    texts: tuple[int, ...] = (2,)
    fewest = 1
    closed = True

    def labels(self, examples: Sequence[Example]) -> Labels:
        """ "answer", and NONE where some question has none: only then may a prediction be empty."""
        return ("answer", NONE) if any(e.answers == () for e in examples) else ("answer",)

    def rows(self, labels: Labels) -> Labels:
        """A model scores each sub-word twice, as transformers' classes do."""
        return ("start", "end")

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Option of the first answer's first and last word, [1] each."""
        if example.answers is None:
            first = last = UNLABELLED
        elif not example.answers:
            first = last = 0
        else:
            first, last = (at + 1 for at in covering(example.words or (), example.answers[0]))
        return {"start": np.asarray([first]), "end": np.asarray([last])}

    def group(self, example: Example) -> str:
        """The context, which many questions share."""
        return example.texts[1]

    def metric(self, labels: Labels) -> str:
        """F1 over words with MLQA's Spanish normalisation."""
        return "f1"

    def conventions(self, labels: Labels) -> dict[str, tuple[str, ...]]:
        """Ours strips Spanish articles (MLQA's script), the papers' English ones (SQuAD's)."""
        return {"ligero": ("f1", "exact"), "paper": ("f1_english", "exact_english")}

    def read(self, text: str, second: str | None = None) -> Example:
        """A question and the context that may answer it."""
        context = second or ""
        return Example("", (text, context), words.split_fine(context))

    def predict(self, example: Example, scores: Scores, labels: Labels) -> Prediction:
        """The likeliest span, as characters of the context: {"answer": (text,)}, "" for none."""
        first, last, score = best_spans(scores, 1)[0]
        nothing = float(scores["start"][0, 0]) + float(scores["end"][0, 0])
        if first < 0 or (NONE in labels and nothing > score):
            return {"answer": ("",)}
        start, end = _characters(example, first, last)
        return {"answer": (example.texts[1][start:end],)}

    def beliefs(self, scores: Scores) -> Scores:
        """The scores themselves."""
        return scores

    def tallies(
        self, examples: Sequence[Example], predicted: Sequence[Prediction], labels: Labels
    ) -> Tallies:
        """Each question's exact match and F1, by its best reference, in both normalisations."""
        references = [
            None if e.answers is None else [e.texts[1][start:end] for start, end in e.answers]
            for e in examples
        ]
        return metrics.answer_tallies(references, [p["answer"][0] for p in predicted])

    def figures(self, sums: Tallies, labels: Labels) -> dict[str, Any]:
        """F1 and exact match, in both normalisations."""
        return metrics.answer_figures(sums)

    def details(
        self, examples: Sequence[Example], predicted: Sequence[Prediction]
    ) -> dict[str, metrics.TypeScores]:
        """Nothing: answers have no labels."""
        return {}

    def official(self, split: Split, predicted: Sequence[Prediction]) -> tuple[str, str]:
        """What SQuAD's and MLQA's scripts read: a JSON object, question id -> answer."""
        answers = {e.id: p["answer"][0] for e, p in zip(split.examples, predicted, strict=True)}
        return ".json", json.dumps(answers, ensure_ascii=False, indent=0) + "\n"

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """The best answers that do not overlap, with their characters' span in the context.

        An answer's probability is that of its start times that of its end.
        """
        context = example.texts[1]
        chances = {name: softmax(scores[name])[0] for name in ("start", "end")}
        found: list[dict[str, Any]] = []
        for first, last, _ in best_spans(scores):
            if first < 0 or len(found) == SHOWN:
                break
            start, end = _characters(example, first, last)
            if all(end <= f["start"] or start >= f["end"] for f in found):
                chance = chances["start"][first + 1] * chances["end"][last + 1]
                found.append(_shown("answer", context[start:end], start, end, chance))
        if NONE in labels:
            nothing = _shown(NONE, "", 0, 0, chances["start"][0] * chances["end"][0])
            found = sorted([nothing, *found], key=lambda f: -f["probability"])
        return found


def covering(spans: Sequence[tuple[int, int]], answer: tuple[int, int]) -> tuple[int, int]:
    """First and last of the words that share a character with an answer's span.

    An answer that shares none (it is all white space or marks that are no words) takes the word
    before it, so that it has a place among the options.
    """
    shared = [i for i, (start, end) in enumerate(spans) if start < answer[1] and end > answer[0]]
    if shared:
        return shared[0], shared[-1]
    before = sum(end <= answer[0] for _, end in spans) - 1
    return (max(0, before),) * 2


def best_spans(scores: Scores, count: int | None = None) -> list[tuple[int, int, float]]:
    """The `count` best (first word, last word, score), of at most LONGEST words, the best first.

    (-1, -1, score of no answer) where a context has no words at all.
    """
    start, end = (scores[name][0].astype(np.float64) for name in ("start", "end"))
    start, end = start[np.isfinite(start)], end[np.isfinite(end)]
    if len(start) < 2:
        return [(-1, -1, float(start[0] + end[0]))]
    together = _band(start[1:], end[1:])
    flat = together.ravel()
    chosen = [flat.argmax()] if count == 1 else np.argsort(-flat, kind="stable")[:count]
    return [
        (int(at // together.shape[1]), int(at // together.shape[1] + at % together.shape[1]),
         float(flat[at]))
        for at in chosen
        if np.isfinite(flat[at])
    ]  # fmt: skip


def _band(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """[words, LONGEST]: score of the span from word i over 1, 2, … words; -inf past the last one."""
    padded = np.concatenate([end, np.full(LONGEST - 1, -np.inf)])
    return start[:, None] + np.lib.stride_tricks.sliding_window_view(padded, LONGEST)


def _characters(example: Example, first: int, last: int) -> tuple[int, int]:
    spans = example.words or ()
    return spans[first][0], spans[last][1]


def _shown(label: str, text: str, start: int, end: int, chance: float) -> dict[str, Any]:
    return {"label": label, "text": text, "start": start, "end": end, "probability": float(chance)}

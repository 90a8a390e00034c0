"""Scores of answers found in a text: exact match and word overlap (F1), over normalised answers.

The papers score Spanish answers by SQuAD's rules for English (evaluate-v1.1.py), which strip a, an
and the, never el or una, and know no «» or ¿. MLQA's own script (mlqa_evaluation_v1.py) does both
for Spanish. Both are given: the Spanish figures under plain names, the others with `_english`.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ligero.tasks.metrics.tallies import Tallies, percent

Language = Literal["en", "es"]

_ARTICLES = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
}
# string.punctuation holds symbols ($ + < = > ^ ` | ~) that Unicode does not count as punctuation;
# MLQA's script strips both sets, SQuAD's the first alone.
_ASCII = frozenset(string.punctuation)
_SUFFIXES: dict[str, Language] = {"": "es", "_english": "en"}


def normalise(text: str, language: Language) -> str:
    """An answer as it is compared: lower case, without punctuation and articles, single spaces.

    en: SQuAD's evaluate-v1.1.py; punctuation is ASCII's. es: MLQA's mlqa_evaluation_v1.py; all of
    Unicode's punctuation too. The order matters: punctuation goes first and leaves nothing behind
    ("EE.UU." is "eeuu", "niño-la" keeps its la), then articles leave a space. Accents, and whether
    they are composed, are kept, and so are zero-width spaces, which are neither space nor mark.

    Raises KeyError for another language.
    """
    articles, marks = _ARTICLES[language], _is_mark if language == "es" else _ASCII.__contains__
    kept = "".join(c for c in text.lower() if not marks(c))
    return " ".join(articles.sub(" ", kept).split())


def exact(reference: str, predicted: str, language: Language) -> bool:
    """Whether two answers are the same when normalised; two that normalise to nothing are."""
    return normalise(reference, language) == normalise(predicted, language)


def overlap(reference: str, predicted: str, language: Language) -> float:
    """F1 (0 to 1) over the words of two normalised answers, a word counted as often as both hold it.

    As in both scripts it is 0 where no word is shared, even if both normalise to nothing.
    """
    return _overlap(normalise(reference, language), normalise(predicted, language))


def answer_tallies(references: Sequence[Sequence[str] | None], predicted: Sequence[str]) -> Tallies:
    """Questions, and how right each answer is by exact match and F1 in both normalisations.

    references: each question's acceptable answers, the best of which counts. Without any, the
    question cannot be answered from its text: as in SQuAD's evaluate-v2.0.py exact match and F1 are
    1 if the predicted answer, normalised, is empty, else 0. None for a question that is unlabelled:
    it counts nowhere. predicted: one answer for each question.
    All values are [questions].

    Raises ValueError for unequal lengths.
    """
    if len(references) != len(predicted):
        raise ValueError(f"{len(references)} questions and {len(predicted)} predicted answers")
    labelled = [reference is not None for reference in references]
    tallies: dict[str, Any] = {"questions": np.asarray(labelled, dtype=np.int64)}
    for suffix, language in _SUFFIXES.items():
        scores = [_best(r, p, language) for r, p in zip(references, predicted, strict=True)]
        both = np.asarray(scores, dtype=np.float64).reshape(len(scores), 2)
        tallies[f"answers_exact{suffix}"], tallies[f"answers_f1{suffix}"] = both.T
    return tallies


def answer_figures(sums: Tallies) -> dict[str, Any]:
    """Means over questions: f1 and exact (Spanish normalisation), f1_english and exact_english."""
    return {
        f"{name}{suffix}": percent(sums[f"answers_{name}{suffix}"], sums["questions"])
        for suffix in _SUFFIXES
        for name in ("f1", "exact")
    }


def _best(
    references: Sequence[str] | None, predicted: str, language: Language
) -> tuple[float, float]:
    """Exact match and F1 (0 to 1), each by the reference that suits it best."""
    if references is None:
        return 0.0, 0.0
    guess = normalise(predicted, language)
    if not references:
        return float(not guess), float(not guess)
    truths = [normalise(reference, language) for reference in references]
    return float(guess in truths), max(_overlap(truth, guess) for truth in truths)


def _overlap(truth: str, guess: str) -> float:
    true, guessed = truth.split(), guess.split()
    same = (Counter(true) & Counter(guessed)).total()
    if not same:
        return 0.0
    precision, recall = same / len(guessed), same / len(true)
    return 2 * precision * recall / (precision + recall)


def _is_mark(character: str) -> bool:
    return character in _ASCII or unicodedata.category(character).startswith("P")

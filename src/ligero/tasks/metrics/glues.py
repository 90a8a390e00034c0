"""The GLUES score: one number for a model, from its scores on several tasks.

Both papers take the plain mean over tasks; they differ in how a question-answering task, which has
two scores, enters it. Which tasks there are is the caller's to say: the papers have eight (MLDoc,
PAWS-X, XNLI, POS, NER, MLQA, SQAC, TAR/XQuAD), and means over different tasks do not compare.
"""

from collections.abc import Mapping
from typing import Literal

#: albeto: the mean of F1 and exact match (ALBETO and DistilBETO, section 4.4 and Table 6).
#: speedy: F1 (Speedy Gonzales, section 5.4 and Table 3).
Convention = Literal["albeto", "speedy"]

# F1 and exact match as `answer_figures` names them, in one normalisation.
_ANSWERS = (("f1", "exact"), ("f1_english", "exact_english"))


def glues_score(scores: Mapping[str, Mapping[str, float]], convention: Convention) -> float:
    """The mean over tasks of each task's score.

    scores: task -> its figures in percent: one of any name; or, for question answering, f1 and
    exact, or f1_english and exact_english (the papers' normalisation).

    Raises ValueError: no task, a task with other figures, another convention.
    """
    if convention not in ("albeto", "speedy"):
        raise ValueError(f"convention {convention!r}")
    if not scores:
        raise ValueError("no task")
    return sum(_of_task(task, each, convention) for task, each in scores.items()) / len(scores)


def _of_task(task: str, figures: Mapping[str, float], convention: Convention) -> float:
    for f1, exact in _ANSWERS:
        if figures.keys() == {f1, exact}:
            both = figures[f1], figures[exact]
            return both[0] if convention == "speedy" else sum(both) / 2
    if len(figures) != 1:
        raise ValueError(f"{task}: one figure, or f1 and exact, not {sorted(figures)}")
    return next(iter(figures.values()))

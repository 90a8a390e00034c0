"""Extractive answers: gold words, the best span, and what may be empty."""

import itertools
import json

import numpy as np
import pytest

from ligero.tasks.example import Example, Split
from ligero.tasks.kinds.answer import LONGEST, NONE, Answer, best_spans, covering
from ligero.tasks.kinds.kind import UNLABELLED

KIND = Answer()
CONTEXT = "Ana nació en Ávila (España), en 1990."


def asked(answers, context=CONTEXT):
    return Example("q", ("¿Dónde?", context), KIND.read("¿Dónde?", context).words, answers=answers)


def spanned(text, context=CONTEXT):
    return (context.index(text), context.index(text) + len(text))


def scores(start, end):
    return {
        "start": np.asarray([start], dtype=np.float32),
        "end": np.asarray([end], dtype=np.float32),
    }


def test_gold_is_the_words_that_the_first_answer_touches():
    example = asked((spanned("Ávila (España"), spanned("1990")))
    gold = KIND.gold(example, ("answer",))
    words = [CONTEXT[s:e] for s, e in example.words]
    assert words[gold["start"][0] - 1] == "Ávila" and words[gold["end"][0] - 1] == "España"
    cut = KIND.gold(asked((spanned("vila (Esp"),)), ("answer",))
    assert (cut["start"], cut["end"]) == (gold["start"], gold["end"])
    assert KIND.gold(asked(()), ("answer", NONE)) == {"start": 0, "end": 0}
    assert KIND.gold(asked(None), ("answer",)) == {"start": UNLABELLED, "end": UNLABELLED}


def test_an_answer_between_words_takes_the_one_before():
    spans = ((0, 3), (6, 9))
    assert covering(spans, (4, 5)) == (0, 0)
    assert covering(spans, (0, 1)) == (0, 0) and covering(spans, (2, 7)) == (0, 1)
    assert covering(((5, 8),), (1, 2)) == (0, 0)


@pytest.mark.parametrize("count", [1, 2, 40, 75])
def test_best_spans_are_those_of_an_exhaustive_search(count):
    rng = np.random.default_rng(count)
    for _ in range(20):
        found = scores(rng.normal(size=count + 1), rng.normal(size=count + 1))
        start, end = (found[name][0, 1:].astype(np.float64) for name in ("start", "end"))
        every = sorted(
            (
                (-(start[i] + end[j]), i, j)
                for i, j in itertools.combinations_with_replacement(range(count), 2)
                if j - i < LONGEST
            )
        )
        assert [s[:2] for s in best_spans(found, 1)] == [every[0][1:]]
        assert [s[:2] for s in best_spans(found, 7)] == [e[1:] for e in every[:7]]


def test_options_of_a_wider_batch_are_not_chosen():
    narrow = scores([0, 1, 2], [0, 2, 1])
    wide = scores([0, 1, 2, -np.inf, -np.inf], [0, 2, 1, -np.inf, -np.inf])
    assert best_spans(narrow, 5) == best_spans(wide, 5)
    assert best_spans(scores([0.5], [0.25]), 3) == [(-1, -1, 0.75)]


def test_nothing_is_answered_only_where_training_had_such_questions():
    example = asked(())
    options = 1 + len(example.words)
    start, end = np.zeros(options), np.zeros(options)
    start[0], start[4], end[6] = 5, 3, 3
    found = scores(start, end)
    assert KIND.labels([asked(()), asked((spanned("1990"),))]) == ("answer", NONE)
    assert KIND.labels([asked((spanned("1990"),))]) == ("answer",)
    assert KIND.predict(example, found, ("answer",)) == {"answer": ("Ávila (España",)}
    assert KIND.predict(example, found, ("answer", NONE)) == {"answer": ("Ávila (España",)}
    found["end"][0, 0] = 2
    assert KIND.predict(example, found, ("answer", NONE)) == {"answer": ("",)}
    assert KIND.present(example, found, ("answer", NONE))[0]["label"] == NONE
    assert KIND.present(example, found, ("answer",))[0]["text"] == "Ávila (España"


def test_a_context_without_words_has_no_answer():
    example = asked((), context=" \u200b ")
    assert example.words == ()
    assert KIND.predict(example, scores([1], [1]), ("answer",)) == {"answer": ("",)}
    assert KIND.present(example, scores([1], [1]), ("answer",)) == []


def test_shown_answers_do_not_overlap_and_carry_their_place():
    example = asked(None)
    options = 1 + len(example.words)
    rng = np.random.default_rng(0)
    shown = KIND.present(
        example, scores(rng.normal(size=options), rng.normal(size=options)), ("answer",)
    )
    assert 1 < len(shown) <= 3
    for one in shown:
        assert CONTEXT[one["start"] : one["end"]] == one["text"]
        assert 0 < one["probability"] < 1
    for a, b in itertools.combinations(shown, 2):
        assert a["end"] <= b["start"] or b["end"] <= a["start"]


def test_figures_take_the_best_reference_and_both_normalisations():
    examples = [asked((spanned("Ávila"), spanned("en Ávila"))), asked((spanned("1990"),))]
    predicted = [{"answer": ("la Ávila",)}, {"answer": ("1990",)}]
    tallies = KIND.tallies(examples, predicted, ("answer",))
    sums = {name: values.sum(axis=0) for name, values in tallies.items()}
    figures = KIND.figures(sums, ("answer",))
    assert figures["exact"] == 100 and figures["f1"] == 100
    assert figures["exact_english"] == 50 and figures["f1_english"] == pytest.approx(
        100 * (2 / 3 + 1) / 2
    )
    ending, text = KIND.official(Split("answer", tuple(examples[:1]), "x.json"), predicted[:1])
    assert ending == ".json" and json.loads(text) == {"q": "la Ávila"}


def test_a_question_without_a_label_counts_nowhere():
    examples = [asked((spanned("1990"),)), asked(None), asked(())]
    predicted = [{"answer": ("1990",)}, {"answer": ("Ana",)}, {"answer": ("Ana",)}]
    tallies = KIND.tallies(examples, predicted, ("answer",))
    sums = {name: values.sum(axis=0) for name, values in tallies.items()}
    assert sums["questions"] == 2
    assert KIND.figures(sums, ("answer",))["exact"] == 50

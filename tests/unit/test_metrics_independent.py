"""Metrics against other people's implementations, on inputs that hypothesis makes up to hurt.

seqeval is what the papers used for tags, torchmetrics scores SQuAD, scikit-learn labels.
"""

import string
import warnings
from itertools import groupby
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from sklearn.metrics import accuracy_score
from sklearn.metrics import f1_score as sklearn_f1
from torchmetrics.functional.text import squad

from ligero.tasks import metrics

# Nothing is kept between runs, so that every run tries the same inputs.
TRIED = settings(max_examples=400, deadline=None, derandomize=True, database=None)

UPOS = (
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X _ O . "
    "B I E S EX IX BX B-PER I-PER N-PER NC-fs AO0-MS -X S- I--X N_ S_"
).split()
BIOES = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("PER", "LOC", "A-B"))]
PIECES = (
    "el la los las un una unos unas a an the EL Él él lá año AÑO niño niño Ñ «casa» ¿qué? ¡sí! "
    "EE.UU. 1.234,5 l'a co-la $5 5€ 3×4 “x” … — _ ´ ª º İ ß ǆ 🎉 👩\N{ZERO WIDTH JOINER}💻 "
    "\N{COMBINING ACUTE ACCENT} \N{ZERO WIDTH SPACE} \N{ZERO WIDTH NO-BREAK SPACE} "
    "\N{SOFT HYPHEN} \N{ARABIC FULL STOP} 東京。"
).split(" ")
SPACES = ("", " ", " ", "  ", "\t", "\n", "\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}")


@st.composite
def pairs(draw: st.DrawFn, tags: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Gold and predicted tags of some sentences, of which about half are right."""
    gold = draw(st.lists(st.lists(st.sampled_from(tags), max_size=8), min_size=1, max_size=5))
    wrong = st.one_of(st.none(), st.sampled_from(tags))
    return gold, [[draw(wrong) or tag for tag in units] for units in gold]


texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SPACES)), max_size=6).map(
    lambda parts: "".join(piece + space for piece, space in parts)
)


@TRIED
@given(pairs(UPOS))
def test_chunk_f1_is_seqevals(pair: tuple[list[list[str]], list[list[str]]]) -> None:
    sums = metrics.total(metrics.chunk_tallies(*pair))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "NOUN seems not to be NE tag", and there is no chunk
        scores = [100 * score(*pair) for score in (f1_score, precision_score, recall_score)]
    gold, predicted, right = (sums[f"chunks_{n}"] for n in ("gold", "predicted", "right"))
    counted = [100 * right / max(predicted, 1), 100 * right / max(gold, 1)]
    assert [metrics.chunk_figures(sums)["chunk_f1"], *counted] == pytest.approx(scores, rel=1e-12)


@TRIED
@given(pairs(BIOES))
def test_entities_are_seqevals_where_tags_are_well_formed(
    pair: tuple[list[list[str]], list[list[str]]],
) -> None:
    figures = metrics.entity_figures(metrics.total(metrics.entity_tallies(*pair)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = [100 * score(*pair) for score in (f1_score, precision_score, recall_score)]
    assert [figures[n] for n in ("f1", "precision", "recall")] == pytest.approx(scores, rel=1e-12)


@TRIED
@given(pairs(["a", "b", "c", "ñ", ""]))
def test_accuracy_and_macro_f1_are_scikit_learns(
    pair: tuple[list[list[str]], list[list[str]]],
) -> None:
    figures = metrics.label_figures(metrics.total(metrics.label_tallies(*pair, ["b", "ñ", "d"])))
    gold, predicted = ([label for units in side for label in units] for side in pair)
    if gold:
        assert figures["accuracy"] == pytest.approx(100 * accuracy_score(gold, predicted))
        macro = sklearn_f1(gold, predicted, average="macro", zero_division=0)
        assert figures["macro_f1"] == pytest.approx(100 * macro, rel=1e-12)


@TRIED
@given(st.lists(st.tuples(st.lists(texts, min_size=1, max_size=3), texts), min_size=1, max_size=4))
def test_english_answers_are_torchmetrics_squads(
    questions: list[tuple[list[str], str]],
) -> None:
    # torchmetrics takes two answers of no word for a shared one (F1 1), as SQuAD 2.0 does;
    # evaluate-v1.1.py and MLQA's script give 0.
    questions = [
        (references, predicted)
        for references, predicted in questions
        if metrics.normalise(predicted, "en")
    ]
    if not questions:
        return
    references, predicted = zip(*questions, strict=True)
    figures = metrics.answer_figures(metrics.total(metrics.answer_tallies(references, predicted)))
    theirs = squad(
        [{"id": str(i), "prediction_text": text} for i, text in enumerate(predicted)],
        [
            {"id": str(i), "answers": {"text": texts, "answer_start": [0] * len(texts)}}
            for i, texts in enumerate(references)
        ],
    )
    assert figures["exact_english"] == pytest.approx(float(theirs["exact_match"]), rel=1e-5)
    assert figures["f1_english"] == pytest.approx(float(theirs["f1"]), rel=1e-5)  # in float32


@settings(TRIED, max_examples=1500)  # 48 pieces, and little to pay for each text
@given(texts)
def test_spanish_normalisation_is_mlqas_done_character_by_character(text: str) -> None:
    """Marks deleted, then runs of word characters (re's \\w), then the articles among these."""
    plain = [c for c in text.lower() if c not in string.punctuation and category(c)[0] != "P"]
    runs = ["".join(run) for _, run in groupby(plain, lambda c: c.isalnum() or c == "_")]
    articles = {"un", "una", "unos", "unas", "el", "la", "los", "las"}
    kept = "".join(" " if run in articles else run for run in runs)
    assert metrics.normalise(text, "es") == " ".join(kept.split())

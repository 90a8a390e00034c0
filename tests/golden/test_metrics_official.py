"""Figures against what the official scorers said of predictions with known flaws.

`LIGERO_DATA` names the data folder (`glues/` beneath it); the predictions and the scorers' output
(`official.json`) are in the folder `golden` beside it. Files are read here in the plainest way, so
that nothing of ligero's readers takes part.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seqeval.metrics import f1_score

from ligero.tasks import metrics

ID, UPOS, HEAD, RELATION = 0, 3, 6, 7


@pytest.fixture(scope="module")
def glues(real_data: Path) -> Path:
    return real_data / "glues"


@pytest.fixture(scope="module")
def golden(real_data: Path) -> Path:
    folder = real_data.parent / "golden"
    if not (folder / "official.json").is_file():
        pytest.skip(f"no {folder / 'official.json'}")
    return folder


@pytest.fixture(scope="module")
def official(golden: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((golden / "official.json").read_text())
    return found


def sentences(file: Path) -> list[list[list[str]]]:
    """The columns of each word of each sentence; comments, ranges and empty nodes left out."""
    if not file.is_file():
        pytest.skip(f"no {file}")
    blocks = file.read_text(encoding="utf-8").strip().split("\n\n")
    return [
        [
            line.split("\t")
            for line in block.split("\n")
            if not line.startswith("#") and line.split("\t")[ID].isdigit()
        ]
        for block in blocks
    ]


def column(trees: list[list[list[str]]], which: int) -> list[list[str]]:
    return [[word[which] for word in words] for words in trees]


@pytest.fixture(scope="module")
def trees(glues: Path, golden: Path) -> tuple[list[list[list[str]]], list[list[list[str]]]]:
    """Gold and predicted trees of the first 400 sentences."""
    predicted = sentences(golden / "parse.pred.conllu")
    return sentences(glues / "pos-ancora/es_ancora-ud-test.conllu")[: len(predicted)], predicted


def test_entities(glues: Path, golden: Path, official: dict[str, Any]) -> None:
    file = glues / "ner-conll2002/esp.testb"
    if not file.is_file():
        pytest.skip(f"no {file}")
    gold, predicted = (
        [
            [line.split(" ")[-1] for line in sentence.split("\n")]
            for sentence in path.read_text(encoding="utf-8").strip().split("\n\n")
        ]
        for path in (file, golden / "ner.pred.txt")
    )
    sums = metrics.total(metrics.entity_tallies(gold, predicted))
    found = metrics.entity_figures(sums)
    assert official["ner"]["output"][:2] == [
        f"processed {sums['words']} tokens with {sums['entities_gold']} phrases; "
        f"found: {sums['entities_predicted']} phrases; correct: {sums['entities_right']}.",
        f"accuracy: {found['accuracy']:6.2f}%; precision: {found['precision']:6.2f}%; "
        f"recall: {found['recall']:6.2f}%; FB1: {found['f1']:6.2f}",
    ]


def tree_figures(
    gold: list[list[list[str]]], predicted: list[list[list[str]]], relation: str = ":"
) -> tuple[metrics.Tallies, Mapping[str, float]]:
    """Tallies and figures; `relation`: what to put for the mark that sets off sub-types."""
    sides = [
        (
            column(side, HEAD),
            [[r.replace(":", relation) for r in s] for s in column(side, RELATION)],
        )
        for side in (gold, predicted)
    ]
    marks = [[tag == "PUNCT" for tag in tags] for tags in column(gold, UPOS)]
    sums = metrics.total(metrics.tree_tallies(*sides[0], *sides[1], marks))
    return sums, metrics.tree_figures(sums)


def test_trees_as_the_shared_task_prints_them(trees: Any, official: dict[str, Any]) -> None:
    gold, predicted = trees
    upos = metrics.total(
        metrics.label_tallies(column(gold, UPOS), column(predicted, UPOS), labels=[])
    )
    _, found = tree_figures(gold, predicted)
    clas = metrics.content_scores(
        column(gold, HEAD), column(gold, RELATION), column(predicted, HEAD), column(predicted, RELATION)
    )  # fmt: skip
    rows = {  # precision, recall, F1, share of aligned words; one figure where all words align
        "UPOS": [metrics.label_figures(upos)["accuracy"]] * 4,
        "UAS": [found["uas"]] * 4,
        "LAS": [found["las"]] * 4,
        "CLAS": [clas[f"clas{which}"] for which in ("_precision", "_recall", "", "_recall")],
    }
    assert official["parse"]["output"] == [
        f"{name:11}|" + " |".join(f"{value:10.2f}" for value in values)
        for name, values in rows.items()
    ]


def test_trees_as_counted_directly(trees: Any, official: dict[str, Any]) -> None:
    gold, predicted = trees
    sums, found = tree_figures(gold, predicted)
    _, whole = tree_figures(gold, predicted, relation="/")  # nothing is a sub-type
    accuracy = metrics.accuracy(
        *([tag for tags in column(side, UPOS) for tag in tags] for side in trees)
    )
    assert official["parse"]["counted directly"] == {
        "words": sums["words"],
        "UPOS": round(accuracy, 4),
        "UAS": round(found["uas"], 4),
        "LAS": round(found["las"], 4),
        "LAS_full_relation": round(whole["las"], 4),
        "UAS_no_punct": round(found["uas_no_punct"], 4),
        "LAS_no_punct": round(found["las_no_punct"], 4),
    }


@pytest.mark.filterwarnings("ignore:.*seems not to be NE tag")
def test_chunks_of_real_tags_are_seqevals(trees: Any) -> None:
    gold, predicted = (column(side, UPOS) for side in trees)
    found = metrics.chunk_figures(metrics.total(metrics.chunk_tallies(gold, predicted)))
    assert found["chunk_f1"] == pytest.approx(100 * f1_score(gold, predicted), rel=1e-12)
    assert 80 < found["chunk_f1"] < 99


@pytest.mark.parametrize(
    "task, file",
    [("xquad", "xquad.es.json"), ("mlqa", "dev-context-es-question-es.json")],
)
def test_answers(glues: Path, golden: Path, official: dict[str, Any], task: str, file: str) -> None:
    path = glues / task / file
    if not path.is_file():
        pytest.skip(f"no {path}")
    questions = [
        question
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    answers = json.loads((golden / official[task]["file"]).read_text(encoding="utf-8"))
    tallies = metrics.answer_tallies(
        [[answer["text"] for answer in question["answers"]] for question in questions],
        [answers[question["id"]] for question in questions],
    )
    # The scorers add one question after the other; a sum in pairs, as numpy's, moves the 16th digit.
    found = metrics.answer_figures({name: np.cumsum(of)[-1] for name, of in tallies.items()})
    for scorer, suffix in (
        ("spanish (mlqa_evaluation_v1.py es)", ""),
        ("english (evaluate-v1.1.py)", "_english"),
    ):
        assert official[task][scorer] == {
            "exact_match": found[f"exact{suffix}"],
            "f1": found[f"f1{suffix}"],
        }

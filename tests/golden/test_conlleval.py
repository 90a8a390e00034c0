"""Entity scores against what conlleval.pl (2004-01-26) printed for predictions with known flaws.

`LIGERO_DATA` names the data folder (`glues/` beneath it); the predictions and the script's output
are in the folder `golden` beside it.
"""

import json
import os
import re
from pathlib import Path

import pytest

from ligero.tasks import formats
from ligero.tasks.metrics import EntityScores, entity_scores

PER_TYPE = re.compile(r" *(\S+): precision: +(\S+)%; recall: +(\S+)%; FB1: +(\S+) +(\d+)")


@pytest.fixture(scope="module")
def folders() -> tuple[Path, Path]:
    """The data folder and the golden one."""
    if "LIGERO_DATA" not in os.environ:
        pytest.skip("LIGERO_DATA names no data folder")
    data = Path(os.environ["LIGERO_DATA"])
    golden = data.parent / "golden"
    for needed in (data / "glues/ner-conll2002/esp.testb", golden / "ner.pred.txt"):
        if not needed.is_file():
            pytest.skip(f"no {needed}")
    return data, golden


@pytest.fixture(scope="module")
def official(folders: tuple[Path, Path]) -> list[str]:
    output: list[str] = json.loads((folders[1] / "official.json").read_text())["ner"]["output"]
    return output


@pytest.fixture(scope="module")
def scores(folders: tuple[Path, Path]) -> EntityScores:
    data, golden = folders
    split = formats.read(data / "glues/ner-conll2002/esp.testb")
    gold = [[tag or "" for tag in example.gold["tag"]] for example in split.examples]
    sentences = (golden / "ner.pred.txt").read_text().strip().split("\n\n")
    return entity_scores(gold, [sentence.split("\n") for sentence in sentences])


def test_counts(scores: EntityScores, official: list[str]) -> None:
    assert official[0] == (
        f"processed {scores['words']} tokens with {scores['gold']} phrases; "
        f"found: {scores['predicted']} phrases; correct: {scores['correct']}."
    )


def test_overall(scores: EntityScores, official: list[str]) -> None:
    assert official[1] == (
        f"accuracy: {scores['accuracy']:6.2f}%; precision: {scores['precision']:6.2f}%; "
        f"recall: {scores['recall']:6.2f}%; FB1: {scores['f1']:6.2f}"
    )


def test_every_type(scores: EntityScores, official: list[str]) -> None:
    expected = {}
    for line in official[2:]:
        found = PER_TYPE.fullmatch(line)
        assert found, line
        expected[found[1]] = found.groups()[1:]
    assert expected == {
        kind: (
            f"{one['precision']:.2f}",
            f"{one['recall']:.2f}",
            f"{one['f1']:.2f}",
            str(one["predicted"]),
        )
        for kind, one in scores["types"].items()
    }

"""UAS, LAS and CLAS by hand; the official scorer's figures are in tests/golden."""

import pytest

from ligero.tasks import metrics

# La casa se vendió .
HEADS = ["2", "4", "4", "0", "4"]
RELATIONS = ["det", "nsubj:pass", "expl:pass", "root", "punct"]
MARKS = [False, False, False, False, True]


def figures(
    heads: list[str], relations: list[str], gold: list[str | None] | None = None
) -> dict[str, float]:
    tallies = metrics.tree_tallies([gold or HEADS], [RELATIONS], [heads], [relations], [MARKS])
    return metrics.tree_figures(metrics.total(tallies))


def test_gold_is_right() -> None:
    assert figures(HEADS, RELATIONS) == dict.fromkeys(
        ("las", "uas", "las_no_punct", "uas_no_punct"), 100.0
    )


def test_each_kind_of_error() -> None:
    found = figures(["2", "4", "4", "0", "2"], ["det", "obj", "expl", "root", "punct"])
    # the full stop's head is wrong, and one relation; expl is expl:pass without its sub-type
    assert found == {"las": 60.0, "uas": 80.0, "las_no_punct": 75.0, "uas_no_punct": 100.0}


def test_a_right_relation_to_the_wrong_head_is_wrong() -> None:
    assert figures(["3", "3", "2", "1", "1"], RELATIONS)["las"] == 0.0


def test_words_without_gold_count_nowhere() -> None:
    found = figures(["9", "4", "4", "0", "9"], RELATIONS, [None, "4", "4", "0", "4"])
    assert found == {"las": 75.0, "uas": 75.0, "las_no_punct": 100.0, "uas_no_punct": 100.0}
    tallies = metrics.tree_tallies(
        [[None, 0]], [["det", None]], [[2, 0]], [["det", "root"]], [[False, False]]
    )
    assert metrics.total(tallies)["words"] == 0


def test_heads_are_numbers_however_they_are_written() -> None:
    assert figures([int(head) for head in HEADS], RELATIONS)["las"] == 100.0  # type: ignore[misc]


def test_tallies_are_by_sentence() -> None:
    tallies = metrics.tree_tallies(
        [["0"], ["2", "0"]],
        [["root"], ["det", "root"]],
        [["0"], ["0", "1"]],
        [["root"], ["root", "obj"]],
        [[True], [False, False]],
    )
    assert {name: values.tolist() for name, values in tallies.items()} == {
        "words": [1, 2],
        "words_attached": [1, 0],
        "words_labelled": [1, 0],
        "words_no_punct": [0, 2],
        "words_attached_no_punct": [0, 0],
        "words_labelled_no_punct": [0, 0],
    }


def test_content_words_are_those_of_either_side() -> None:
    # gold: nsubj, expl and root are content; predicted: det as amod too, and no expl
    found = metrics.content_scores(
        [HEADS], [RELATIONS], [HEADS], [["amod", "nsubj", "aux:pass", "root", "cc"]]
    )
    assert found == {
        "clas": pytest.approx(200 / 3),
        "clas_precision": pytest.approx(200 / 3),
        "clas_recall": pytest.approx(200 / 3),
    }
    more = metrics.content_scores(
        [HEADS], [RELATIONS], [HEADS], [["amod", "nsubj", "expl", "root", "punct"]]
    )
    assert more == {
        "clas": pytest.approx(600 / 7),
        "clas_precision": 75.0,
        "clas_recall": 100.0,
    }


# The 37 universal relations, https://universaldependencies.org/u/dep/
FUNCTION = "aux case cc clf cop det mark punct".split()
OTHERS = (
    "acl advcl advmod amod appos ccomp compound conj csubj dep discourse dislocated expl fixed flat "
    "goeswith iobj list nmod nsubj nummod obj obl orphan parataxis reparandum root vocative xcomp"
).split()


def test_content_is_every_universal_relation_but_those_of_function_words() -> None:
    assert len(FUNCTION) + len(OTHERS) == 37
    for relation in (*FUNCTION, *OTHERS):
        found = metrics.content_scores([[0]], [[relation]], [[0]], [[f"{relation}:x"]])
        assert found["clas"] == (100.0 if relation in OTHERS else 0.0), relation


@pytest.mark.parametrize(
    "broken",
    [
        ([HEADS], [RELATIONS[:-1]], [HEADS], [RELATIONS], [MARKS]),
        ([HEADS], [RELATIONS], [HEADS[:-1]], [RELATIONS], [MARKS]),
        ([HEADS], [RELATIONS], [HEADS], [], [MARKS]),
        ([HEADS], [RELATIONS], [HEADS], [RELATIONS], [MARKS[:-1]]),
        ([HEADS], [RELATIONS], [["uno", *HEADS[1:]]], [RELATIONS], [MARKS]),
    ],
)
def test_what_cannot_be_compared_is_refused(broken: tuple) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError):
        metrics.tree_tallies(*broken)

"""Metrics: hand-made cases, and random ones against other ways to count the same thing."""

import random
from collections.abc import Sequence

import pytest

from ligero.tasks.metrics import accuracy, entities, entity_scores, macro_f1


@pytest.mark.parametrize(
    "tags, expected",
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O", [("PER", 0, 2)]),
        ("B-PER B-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("I-LOC O I-LOC", [("LOC", 0, 1), ("LOC", 2, 3)]),  # orphans
        ("I-LOC I-LOC B-LOC I-LOC", [("LOC", 0, 2), ("LOC", 2, 4)]),  # IOB1
        ("B-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3)]),  # a change of type
        ("B-A-B I-A-B I-A", [("A-B", 0, 2), ("A", 2, 3)]),  # hyphens in types
        ("S-PER S-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("B-PER I-PER E-PER B-PER E-PER", [("PER", 0, 3), ("PER", 3, 5)]),
        ("E-PER E-PER I-PER", [("PER", 0, 1), ("PER", 1, 2), ("PER", 2, 3)]),
        ("S-PER I-PER S-PER", [("PER", 0, 1), ("PER", 1, 2), ("PER", 2, 3)]),
        ("I-PER E-PER", [("PER", 0, 2)]),
        ("NC VMI Fp", []),
        ("B I O I", [("", 0, 2), ("", 3, 4)]),
        ("I-PER . I-PER NC", [("PER", 0, 1), ("PER", 2, 3)]),
        ("O-PER I-PER", [("PER", 1, 2)]),
        ("-PER -PER O", [("PER", 0, 2)]),
    ],
)
def test_entities(tags: str, expected: list[tuple[str, int, int]]) -> None:
    assert entities(tags.split()) == expected


def test_scores_by_hand() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-LOC", "B-LOC"]]
    scores = entity_scores(gold, predicted)
    assert (scores["gold"], scores["predicted"], scores["correct"]) == (3, 4, 1)
    assert scores["precision"] == 25.0
    assert scores["recall"] == pytest.approx(100 / 3)
    assert scores["f1"] == pytest.approx(200 / 7)
    assert (scores["accuracy"], scores["words"]) == (50.0, 6)
    assert list(scores["types"]) == ["LOC", "ORG", "PER"]
    assert scores["types"]["LOC"] == {
        "precision": pytest.approx(100 / 3),
        "recall": 100.0,
        "f1": 50.0,
        "gold": 1,
        "predicted": 3,
        "correct": 1,
    }
    assert scores["types"]["ORG"]["f1"] == scores["types"]["PER"]["f1"] == 0.0


def test_an_entity_does_not_reach_over_a_sentence_break() -> None:
    split = [["B-LOC"], ["I-LOC"]]
    assert entity_scores(split, split)["gold"] == 2
    assert entity_scores([["B-LOC", "I-LOC"]], [["B-LOC", "I-LOC"]])["gold"] == 1


def test_no_entity_scores_nothing() -> None:
    scores = entity_scores([["O"], []], [["O"], []])
    assert (scores["f1"], scores["precision"], scores["recall"]) == (0.0, 0.0, 0.0)
    assert (scores["accuracy"], scores["types"]) == (100.0, {})


# conlleval.pl's two tables: previous and present prefix, between which a chunk starts or ends
# although the type stays the same.
STARTS = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}
ENDS = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}


def conlleval(gold: Sequence[str], guess: Sequence[str]) -> tuple[int, int, int]:
    """(chunks in gold, in guess, correct): counted in one pass over both, as the script does."""

    def cut(tag: str) -> tuple[str, str]:
        return (tag[0], tag[2:])

    def change(table: set[str], last: str, now: str, outside: str) -> bool:
        (a, x), (b, y) = cut(last), cut(now)
        return a + b in table or (cut(outside)[0] != "O" and x != y)

    counts, following, last = [0, 0, 0], False, ("O", "O")
    for now in [*zip(gold, guess, strict=True), ("O", "O")]:
        pairs = list(zip(last, now, strict=True))
        ends = [change(ENDS, a, b, a) for a, b in pairs]
        starts = [change(STARTS, a, b, b) for a, b in pairs]
        counts[2] += following and all(ends)
        following = following and not any(ends)
        following |= all(starts) and cut(now[0])[1] == cut(now[1])[1]
        counts[0] += starts[0]
        counts[1] += starts[1]
        last = now
    return counts[0], counts[1], counts[2]


@pytest.mark.parametrize("prefixes", ["BI", "IE"])
def test_random_tags_are_counted_as_conlleval_does(prefixes: str) -> None:
    draw = random.Random(prefixes)
    tags = ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in ("PER", "LOC"))]
    correct = 0
    for _ in range(1000):
        gold = draw.choices(tags, k=draw.randint(1, 12))
        guess = [draw.choice(tags) if draw.random() < 0.3 else tag for tag in gold]
        scores = entity_scores([gold], [guess])
        counted = (scores["gold"], scores["predicted"], scores["correct"])
        assert counted == conlleval(gold, guess), (gold, guess)
        correct += scores["correct"]
    assert correct > 500  # or the draw proves nothing


def all_spans(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """Every span of IOB2 tags that is one entity, found by trying them all."""
    found = set()
    for start in range(len(tags)):
        for end in range(start + 1, len(tags) + 1):
            kind = tags[start][2:]
            if tags[start] == "O" or set(tags[start + 1 : end]) - {f"I-{kind}"}:
                continue
            begins = tags[start][0] == "B" or start == 0 or tags[start - 1][2:] != kind
            if begins and (end == len(tags) or tags[end] != f"I-{kind}"):
                found.add((kind, start, end))
    return found


def test_f1_is_that_of_all_spans_tried_one_by_one() -> None:
    draw = random.Random(0)
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    for _ in range(300):
        gold = [draw.choices(tags, k=draw.randint(1, 8)) for _ in range(3)]
        guess = [[draw.choice([tag, draw.choice(tags)]) for tag in tags_] for tags_ in gold]
        true = {(i, *span) for i, tags_ in enumerate(gold) for span in all_spans(tags_)}
        found = {(i, *span) for i, tags_ in enumerate(guess) for span in all_spans(tags_)}
        both = len(true & found)
        precision = both / len(found) if found else 0.0
        recall = both / len(true) if true else 0.0
        f1 = 2 * precision * recall / (precision + recall) if both else 0.0
        scores = entity_scores(gold, guess)
        assert scores["precision"] == pytest.approx(100 * precision)
        assert scores["recall"] == pytest.approx(100 * recall)
        assert scores["f1"] == pytest.approx(100 * f1)
        for name in ("gold", "predicted", "correct"):
            assert scores[name] == sum(kind[name] for kind in scores["types"].values())


def test_accuracy() -> None:
    assert accuracy(["NC", "VMI", "Fp", "NC"], ["NC", "NC", "Fp", "NC"]) == 75.0


def test_macro_f1_by_hand() -> None:
    gold, predicted = ["a", "a", "a", "b"], ["a", "a", "c", "b"]
    # a: P 1, R 2/3; b: 1; c: never right
    assert macro_f1(gold, predicted) == pytest.approx(100 * (0.8 + 1 + 0) / 3)
    assert macro_f1(gold, predicted, ["a", "b"]) == pytest.approx(90.0)
    assert macro_f1(gold, predicted, ["a", "d"]) == pytest.approx(40.0)


def test_macro_f1_by_brute_force() -> None:
    draw = random.Random(1)
    for _ in range(200):
        size = draw.randint(1, 15)
        gold, predicted = draw.choices("abcd", k=size), draw.choices("abcde", k=size)
        pairs = list(zip(gold, predicted, strict=True))
        each = []
        for label in set(gold) | set(predicted):
            hits = sum(a == b == label for a, b in pairs)
            misses = sum((a == label) != (b == label) for a, b in pairs)
            each.append(2 * hits / (2 * hits + misses))
        assert macro_f1(gold, predicted) == pytest.approx(100 * sum(each) / len(each))


@pytest.mark.parametrize("score", [accuracy, macro_f1])
@pytest.mark.parametrize("gold, predicted", [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_nothing_or_unequal_labels_are_refused(score, gold, predicted) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError):
        score(gold, predicted)


@pytest.mark.parametrize("labels", [[], ["a", "a"]])
def test_labels_that_cannot_be_averaged_are_refused(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="labels"):
        macro_f1(["a"], ["a"], labels)


@pytest.mark.parametrize(
    "gold, predicted, message",
    [
        ([], [], "nothing to score"),
        ([[], []], [[], []], "nothing to score"),
        ([["O"]], [], "1 gold sentences and 0 predicted"),
        ([["O"], ["O"]], [["O"], []], "sentence 1: 1 gold tags, 0 predicted"),
    ],
)
def test_nothing_or_unequal_sentences_are_refused(
    gold: list[list[str]], predicted: list[list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        entity_scores(gold, predicted)


def test_one_flat_sentence_is_refused() -> None:
    with pytest.raises(TypeError):
        entity_scores(["B-PER", "O"], ["B-PER", "O"])

"""The kind "parse": gold, predictions, what is shown and written; and a grammar learned whole."""

import numpy as np
import pytest
import torch
from test_build import small

from ligero import vocab
from ligero.config import FitConfig
from ligero.models import build
from ligero.tasks import formats, kinds
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import UNLABELLED, softmax
from ligero.tasks.kinds.parse import punctuation
from ligero.train import loop
from ligero.train.features import Features
from ligero.train.finetune import Supervised
from ligero.train.progress import Progress
from ligero.train.scorer import evaluate

PARSE = kinds.find("parse")
LABELS = ("nsubj", "obj", "punct", "root")


@pytest.fixture(autouse=True)
def one_thread():
    # Models this small spend their time in waiting for the second one.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def sentence(text: str, heads=(), relations=(), upos=()) -> Example:
    """Words parted by spaces; heads and relations as a string of words, `_` for none."""
    ends = np.cumsum([len(word) + 1 for word in text.split()]).tolist()
    spans = tuple((e - 1 - len(w), e - 1) for e, w in zip(ends, text.split(), strict=True))
    gold = {"head": heads, "relation": relations, "upos": upos}
    columns = {
        name: tuple(None if v == "_" else v for v in values.split())
        for name, values in gold.items()
        if values
    }
    return Example(text, (text,), spans, columns)


EATS = sentence("Ana come pan .", "2 0 2 2", "nsubj root obj punct")


def certain(example: Example, labels=LABELS, much=9.0) -> dict[str, np.ndarray]:
    """Scores that say what the gold says."""
    gold = PARSE.gold(example, labels)
    units = np.arange(len(example.words))
    scores = {
        "head": np.zeros((len(units), 1 + len(units)), np.float32),
        "relation": np.zeros((len(units), len(labels)), np.float32),
    }
    for name, options in gold.items():
        known = options != UNLABELLED
        scores[name][units[known], options[known]] = much
    return scores


def test_gold_is_heads_and_relations():
    gold = PARSE.gold(EATS, LABELS)
    assert gold["head"].tolist() == [2, 0, 2, 2] and gold["head"].dtype == np.int64
    assert gold["relation"].tolist() == [0, 3, 1, 2]
    partly = sentence("Ana come", "_ 0", "nsubj _")
    gold = PARSE.gold(partly, LABELS)
    assert gold["head"].tolist() == [UNLABELLED, 0]
    assert gold["relation"].tolist() == [0, UNLABELLED]
    # A relation that training did not have, and a sentence without any labels.
    assert PARSE.gold(EATS, LABELS[:2])["relation"].tolist() == [0, UNLABELLED, 1, UNLABELLED]
    unlabelled = PARSE.gold(PARSE.read("¿ Quién come ?"), LABELS)
    assert {name: g.tolist() for name, g in unlabelled.items()} == {
        "head": 4 * [UNLABELLED],
        "relation": 4 * [UNLABELLED],
    }
    assert PARSE.labels([EATS, partly]) == LABELS == PARSE.rows(LABELS)
    assert PARSE.metric(LABELS) == "las" and PARSE.group(EATS) == "Ana come pan ."


def test_predictions_are_trees():
    assert PARSE.predict(EATS, certain(EATS), LABELS) == {
        "head": ("2", "0", "2", "2"),
        "relation": ("nsubj", "root", "obj", "punct"),
    }
    # Each word prefers the other: one of them has to yield.
    scores = {"head": np.array([[1.0, 0, 9], [4, 9, 0]]), "relation": np.zeros((2, 4))}
    assert PARSE.predict(sentence("Ana come"), scores, LABELS)["head"] == ("2", "0")


def test_the_root_words_relation_is_root_and_no_others():
    scores = certain(EATS)
    scores["relation"][1] = [5, 0, 0, 4]
    scores["relation"][2] = [0, 4, 0, 5]
    found = PARSE.predict(EATS, scores, LABELS)["relation"]
    assert found == ("nsubj", "root", "obj", "punct")
    # Other annotations name it otherwise: nothing is known of theirs.
    other = ("nsubj", "obj", "punct", "sentence")
    assert PARSE.predict(EATS, scores, other)["relation"] == (
        "nsubj", "nsubj", "sentence", "punct",
    )  # fmt: skip
    assert PARSE.predict(EATS, {**scores, "relation": np.zeros((4, 1))}, ("root",))[
        "relation"
    ] == 4 * ("root",)


def figures(examples, predicted) -> dict[str, float]:
    tallies = PARSE.tallies(examples, predicted, LABELS)
    return PARSE.figures({name: t.sum(axis=0) for name, t in tallies.items()}, LABELS)


def test_figures_count_words_with_and_without_punctuation():
    found = {"head": ("2", "0", "1", "1"), "relation": ("obj", "root", "obj", "punct")}
    scores = figures([EATS], [found])
    assert scores["uas"] == pytest.approx(50) and scores["las"] == pytest.approx(25)
    assert scores["uas_no_punct"] == pytest.approx(100 * 2 / 3)
    assert scores["las_no_punct"] == pytest.approx(100 / 3)
    named = [name for names in PARSE.conventions(LABELS).values() for name in names]
    assert set(named) <= set(scores)


def test_punctuation_is_what_the_annotation_says_or_else_what_it_looks_like():
    assert punctuation(sentence("¿ 5 % , «Ana» ... :-)")) == (
        True, False, True, True, False, True, True,
    )  # fmt: skip
    assert punctuation(sentence("5 % ,", upos="NUM SYM PUNCT")) == (False, False, True)
    assert punctuation(sentence("% ,", upos="_ SYM")) == (True, False)


def test_what_a_person_sees():
    scores = certain(EATS, much=3.0)
    rows = PARSE.present(EATS, scores, LABELS)
    assert [r["text"] for r in rows] == ["Ana", "come", "pan", "."]
    assert [(r["start"], r["end"]) for r in rows] == list(EATS.words)
    assert [r["head"] for r in rows] == [2, 0, 2, 2]
    assert [r["head_text"] for r in rows] == ["come", "", "come", "come"]
    assert [r["label"] for r in rows] == ["nsubj", "root", "obj", "punct"]
    chance = softmax(scores["head"])[0, 2] * softmax(scores["relation"])[0, 0]
    assert rows[0]["probability"] == pytest.approx(chance) and 0.3 < chance < 0.9


def test_a_relation_is_right_where_its_head_is_too():
    predicted = [{"head": ("2", "0", "2", "1"), "relation": ("nsubj", "root", "nsubj", "punct")}]
    details = PARSE.details([EATS], predicted)
    assert {n: (d["gold"], d["predicted"], d["correct"]) for n, d in details.items()} == {
        "nsubj": (1, 2, 1), "obj": (1, 0, 0), "punct": (1, 1, 0), "root": (1, 1, 1),
    }  # fmt: skip


def test_predictions_are_written_into_the_file(tmp_path):
    file = tmp_path / "a.conllu"
    rows = (
        "1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_",
        "1\tde\tde\tADP\t_\t_\t2\tcase\t_\t_",
        "2\tel\tel\tDET\t_\t_\t0\troot\t0:root\t_",
    )
    file.write_text("# sent_id = uno\n" + "\n".join(rows) + "\n\n", encoding="utf-8")
    split = formats.read(file, kind="parse")
    found = [{"head": ("0", "1"), "relation": ("root", "det")}]
    ending, content = PARSE.official(split, found)
    assert ending == ".conllu"
    assert content.splitlines() == [
        "# sent_id = uno",
        rows[0],
        "1\tde\tde\tADP\t_\t_\t0\troot\t_\t_",
        "2\tel\tel\tDET\t_\t_\t1\tdet\t_\t_",
        "",
    ]


def test_real_trees_come_back_whole(real_data):
    """AnCora's test trees, of which some cross, out of scores that say no more than them."""
    file = real_data / "glues/pos-ancora/es_ancora-ud-test.conllu"
    split = formats.read(file, kind="parse")
    examples = split.examples
    labels = PARSE.labels(examples)
    predicted = [PARSE.predict(e, certain(e, labels), labels) for e in examples]
    assert all(
        (p["head"], p["relation"]) == (e.gold["head"], e.gold["relation"])
        for e, p in zip(examples, predicted, strict=True)
    )
    assert set(figures(examples, predicted).values()) == {100.0}
    copy = file.read_text(encoding="utf-8")
    _, written = PARSE.official(split, predicted)
    first_columns = [
        [line.split("\t")[:8] for line in text.splitlines() if not line.startswith("#")]
        for text in (copy, written)
    ]
    assert first_columns[0] == first_columns[1]


SUBJECTS, VERBS, OBJECTS = ("Ana", "Pedro", "Lucía"), ("come", "compra"), ("pan", "fruta", "arroz")


def grammar(count: int, seed: int) -> list[Example]:
    """Subject, verb and object in Spanish's free order, objects with an article before them.

    In some an adverb begins the sentence, so that heads are not at fixed places.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        subject, verb, thing = (str(rng.choice(w)) for w in (SUBJECTS, VERBS, OBJECTS))
        parts = [[(subject, "verb", "nsubj")], [(verb, "0", "root")]]
        parts.append([("el", thing, "det"), (thing, "verb", "obj")])
        order = [[], [("hoy", "verb", "advmod")]][int(rng.integers(2))]
        for part in rng.permutation(3):
            order = order + parts[part]
        at = {word: str(i) for i, (word, *_) in enumerate(order, start=1)}
        heads = ("0" if h == "0" else at[verb] if h == "verb" else at[h] for _, h, _ in order)
        made.append(
            sentence(
                " ".join(w for w, *_ in order), " ".join(heads), " ".join(r for *_, r in order)
            )
        )
    return made


def test_a_grammar_is_learned_whole(tmp_path):
    train, test = grammar(160, seed=1), grammar(40, seed=2)
    labels = PARSE.labels(train)
    # Whole words as far as they go: of a sub-word that begins every word little can be told.
    tokenizer = vocab.train([e.texts[0] for e in train], size=400, algorithm="wordpiece")
    model = build.create(
        small("ligero-micro"), kind="parse", labels=labels, tokenizer=tokenizer, seed=1
    )
    read = [
        Features(
            examples, tokenizer=tokenizer, window=64, kind=PARSE, labels=labels, segments=False
        )
        for examples in (train, test)
    ]
    before = evaluate(model, read[1])["las"]
    loop.fit(
        model,
        Supervised(*read),
        config=FitConfig(epochs=6, batch_size=8),
        peak=3e-3,
        seed=1,
        folder=tmp_path,
        progress=Progress("parser"),
    )
    found = evaluate(model, read[1])
    assert before < 50
    assert found["las"] == found["uas"] == 100 and found["loss"] < 0.1
    build.save(model, tokenizer, tmp_path / "model", max_length=64)
    again = build.load(tmp_path / "model", kind="parse", labels=labels, seed=5)
    with torch.inference_mode():
        assert evaluate(again, read[1]) == found

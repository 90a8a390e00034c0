"""Questions and answers: SQuAD's JSON and the hub's lines; what is mended, dropped and refused."""

import json

import pytest

from ligero.errors import InputError
from ligero.tasks import formats, words

CONTEXT = "La Alhambra está en Granada. La Giralda está en Sevilla."


@pytest.fixture
def write(tmp_path):
    def put(content, name="a.json"):
        path = tmp_path / name
        if not isinstance(content, str):
            content = json.dumps(content, ensure_ascii=False, indent=1)
        path.write_text(content, encoding="utf-8")
        return path

    return put


def question(*answers, id="q1", **more):
    listed = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": id, "question": "¿Dónde está?", "answers": listed, **more}


def squad(*questions, context=CONTEXT):
    return {"version": "1.1", "data": [{"paragraphs": [{"context": context, "qas": [*questions]}]}]}


def answers(split):
    return [
        [e.texts[1][start:end] for start, end in e.answers or ()] for e in split.examples
    ]  # fmt: skip


def test_a_question_with_its_answers(write):
    split = formats.read(
        write(squad(question(("Granada", 20), ("en Granada", 17), ("Granada", 20))))
    )
    (example,) = split.examples
    assert (split.kind, example.id, example.line) == ("answer", "q1", 9)
    assert example.texts == ("¿Dónde está?", CONTEXT) and example.gold == {}
    assert example.answers == ((20, 27), (17, 27))
    assert example.words == words.split_fine(CONTEXT) and split.changes == ()
    assert split.notes == (
        "read as SQuAD JSON 1.1, 1 questions about 1 contexts, for the kind answer",
    )


@pytest.mark.parametrize(
    "answer, action, reason, kept",
    [
        (("", -1), "dropped", "an empty answer", None),
        (("", 3), "dropped", "an empty answer", None),
        (("Granada", -1), "dropped", "an empty answer", None),
        (("Granada", 19), "repaired", "an answer found elsewhere in its context", "Granada"),
        (("Granada", 10**17), "repaired", "an answer found elsewhere in its context", "Granada"),
        (("Granada", -20), "repaired", "an answer found elsewhere in its context", "Granada"),
        (("Córdoba", 20), "dropped", "an answer not in its context", None),
        (("está", 0), "dropped", "an answer found several times, none at its place", None),
    ],
)
def test_answers_are_mended_or_dropped(write, answer, action, reason, kept):
    split = formats.read(write(squad(question(answer, ("Sevilla", 48)), question(answer, id="q2"))))
    first = split.changes[0]
    assert (first.line, first.action, first.reason, first.row) == (13, action, reason, "q1")
    lost = [("dropped", "no answer left")] * (kept is None)
    assert [(c.action, c.reason) for c in split.changes] == [(action, reason)] * 2 + lost
    assert answers(split) == ([["Sevilla"]] if kept is None else [[kept, "Sevilla"], [kept]])


def test_an_answer_at_its_place_is_taken_there(write):
    assert formats.read(write(squad(question(("está", 40))))).examples[0].answers == ((40, 44),)


def test_an_answer_that_overlaps_itself_is_ambiguous(write):
    content = squad(question(("aba", 4), ("x", 6)), context="ababa x")
    assert answers(formats.read(write(content))) == [["x"]]


def test_an_answer_without_a_word_is_dropped(write):
    context = "\ufeffLa Alhambra  está en Granada."
    split = formats.read(write(squad(question(("\ufeff", 0), ("Alhambra", 4)), context=context)))
    assert answers(split) == [["Alhambra"]]
    assert [c.reason for c in split.changes] == ["an answer without a word"]


def test_questions_without_answers(write):
    plain = {"id": "c", "question": "¿Quién?"}
    split = formats.read(
        write(
            squad(
                question(id="a"),
                question(("Granada", 20), id="b", is_impossible=True),
                plain,
                question(("Granada", 20), id="d", is_impossible=False),
            )
        )
    )
    assert [e.answers for e in split.examples] == [(), (), None, ((20, 27),)]
    assert split.changes == ()


def test_the_same_question_again_is_dropped_and_another_refused(write):
    granada = question(("Granada", 20))
    split = formats.read(write(squad(granada, granada)))
    assert len(split.examples) == 1
    assert [c.reason for c in split.changes] == ["the same question again"]
    path = write(squad(granada, question(("Sevilla", 48))))
    with pytest.raises(
        InputError, match=r"a\.json:19: found the id 'q1' again \(first on line 9\)"
    ):
        formats.read(path)


@pytest.mark.parametrize("change, found, expected, line", [
    ({"id": None}, "null for 'id'", "a whole number", 9),
    ({"id": "  "}, "an empty id", "of its own", 9),
    ({"id": True}, "true or false (True) for 'id'", "a whole number", 9),
    ({"question": 7}, "a whole number (7) for 'question'", "a text", 9),
    ({"question": " "}, "an empty question (id 'q1')", "a question", 9),
    ({"answers": {}}, "an object for 'answers'", "a list", 9),
    ({"answers": ["x"]}, "a text ('x') for", "an object", 9),
    ({"answers": [{"text": "x"}]}, "an object with text", "'answer_start' in it", 13),
    ({"answers": [{"text": 1, "answer_start": 0}]}, "(1) for 'text'", "a text", 13),
    ({"answers": [{"text": "x", "answer_start": "0"}]}, "a text ('0')", "a whole number", 13),
    ({"answers": [{"text": "x", "answer_start": 1.0}]}, "a number (1.0)", "a whole number", 13),
    ({"answers": [{"text": "x", "answer_start": 10**30}]}, "whole number (1000", "a place", 13),
    ({"answers": [{"text": "x", "answer_start": -10**3998}]}, "whole number (-1000", "a place", 13),
    ({"answers": [{"text": "x", "answer_start": 1e30}]}, "a number (1e+30)", "a whole", 13),
    ({"answers": [{"text": "x", "answer_start": True}]}, "true or false", "a whole number", 13),
    ({"is_impossible": "no"}, "a text ('no') for 'is_impossible'", "true or false", 9),
    ({"answers": [{"text": "x", "answer_start": 0}]}, "no question left of 1", "at least one", 1),
])  # fmt: skip
def test_errors_name_the_line(write, change, found, expected, line):
    path = write(squad({**question(), **change}))
    with pytest.raises(InputError) as caught:
        formats.read(path)
    assert str(caught.value).startswith(f"{path}:{line}: found ")
    assert found in caught.value.found and expected in (caught.value.expected or "")


@pytest.mark.parametrize("content, found", [
    ({"data": {}}, "an object for 'data'"),
    ({"datos": []}, "an object with datos"),
    ({"data": []}, "no question"),
    ({"data": [{"paragraphs": [{"qas": []}]}]}, "an object with qas"),
    ([], "a list"),
    (squad(question(), context="  "), "a context without a word ('  ')"),
    ("[1, 2", "JSON that breaks off"),
    ("hola", "text that is no JSON"),
    ("[" * 100_000, "more than 100 levels of JSON"),
    ('{"data": ' * 100_000, "more than 100 levels of JSON"),
    ("9" * 100_000, "a number (inf)"),
    ('{"data": [1e999]}', "a number (inf) for an item of 'data'"),
    ('"\\udc80"', "half a surrogate pair"),
    ('"\\ud83d\\ude00"', "a text ('😀')"),
])  # fmt: skip
def test_other_json_is_refused(write, content, found):
    path = write(content)
    with pytest.raises(InputError) as caught:
        formats.read(path)
    assert found in caught.value.found and caught.value.line is not None


def test_truncated_anywhere_the_end_is_said(write):
    whole = json.dumps(squad(question(("Granada", 20))), indent=1)
    for end in range(1, len(whole)):
        path = write(whole[:end])
        with pytest.raises(InputError) as caught:
            formats.read(path, "squad")
        assert caught.value.line is not None and caught.value.line <= whole[:end].count("\n") + 1
        assert caught.value.line >= whole[:end].rstrip().count("\n") + 1 - ('"' in whole[end:])


def test_the_hubs_lines(write):
    flat = {"id": "a", "context": CONTEXT, "question": "¿Dónde?"}
    rows = [
        {**flat, "answers": {"text": ["Granada", ""], "answer_start": [20, -1]}},
        {**flat, "id": 2, "answers": {"text": [], "answer_start": []}},
        {**flat, "id": "c", "answers": [{"text": "Sevilla", "answer_start": 48}]},
        {**flat, "id": "d"},
    ]
    path = write("\n".join(map(json.dumps, rows)), "a.jsonl")
    split = formats.read(path, kind="answer")
    assert [(e.id, e.line, e.answers) for e in split.examples] == [
        ("a", 1, ((20, 27),)), ("2", 2, ()), ("c", 3, ((48, 55),)), ("d", 4, None),
    ]  # fmt: skip
    assert [(c.line, c.reason, c.row) for c in split.changes] == [(1, "an empty answer", "a")]
    assert len({id(e.texts[1]) for e in split.examples}) == 1  # one context, kept once
    path = write(json.dumps({**flat, "answers": {"text": ["x"], "answer_start": []}}), "a.jsonl")
    with pytest.raises(InputError, match="1 answers with 0 starts"):
        formats.read(path)


def test_unseen_characters_belong_to_the_word_before():
    context = "\ufeffel año [1]\u200b y n\u0303u a\u200db \u200b so\u00adlo"
    spans = words.split_fine(context)
    assert [context[start:end] for start, end in spans] == [
        "el", "año", "[", "1", "]\u200b", "y", "n\u0303u", "a\u200d", "b", "so\u00adlo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name, count, changes, exact",
    [
        ("xquad/xquad.es.json", 1190, 0, 1188),
        ("mlqa/dev-context-es-question-es.json", 500, 0, 495),
        ("tar/dev-v1.1-es_small.json", 6583, 4080, 6330),
    ],
)
def test_real_questions(real_data, name, count, changes, exact):
    """How many first answers begin and end where words do bounds what any model can reach."""
    split = formats.read(real_data / "glues" / name)
    assert (split.kind, len(split.examples), len(split.changes)) == ("answer", count, changes)
    assert {c.reason for c in split.changes} <= {"an empty answer"}
    at_words = 0
    for example in split.examples:
        assert example.answers and example.words
        start, end = example.answers[0]
        starts, ends = zip(*example.words, strict=True)
        at_words += start in starts and end in ends
    assert at_words == exact

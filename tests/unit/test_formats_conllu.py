"""CoNLL-U: words, spacing, trees, what is refused, and files rewritten with predictions."""

import pytest

from ligero.errors import InputError
from ligero.tasks import formats
from ligero.tasks.formats import conllu


def row(id, form, upos="X", head="_", relation="_", deps="_", misc="_"):
    return "\t".join([str(id), form, "_", upos, "_", "_", str(head), relation, deps, misc])


SENTENCE = "\n".join(
    [
        "# sent_id = uno",
        "# text = ¿Vámonos al mar, Ana?",
        row(1, "¿", "PUNCT", 2, "punct", misc="SpaceAfter=No"),
        row("2-3", "Vámonos"),
        row(2, "Vamos", "VERB", 0, "root"),
        row(3, "nos", "PRON", 2, "obj"),
        row("4-5", "al"),
        row(4, "a", "ADP", 6, "case"),
        row(5, "el", "DET", 6, "det"),
        row(6, "mar", "NOUN", 2, "obl", deps="2:obl", misc="Gloss=sea|SpaceAfter=No"),
        row("6.1", "vacío", deps="2:dep"),
        row(7, ",", "PUNCT", 8, "punct"),
        row("8-8", "Ana", misc="SpaceAfter=No"),
        row(8, "Ana", "PROPN", 2, "vocative"),
        row(9, "?", "PUNCT", 2, "punct", misc="SpaceAfter=No"),
    ]
)


@pytest.fixture
def write(tmp_path):
    def put(content, name="a.conllu"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return put


def forms(example):
    return [example.texts[0][start:end] for start, end in example.words]


def test_a_sentence_is_spaced_as_the_file_says(write):
    split = formats.read(write(SENTENCE + "\n\n"))
    (example,) = split.examples
    assert (split.kind, example.id, example.line) == ("parse", "uno", 3)
    assert example.texts == ("¿Vamos nos a el mar, Ana?",)
    assert forms(example) == ["¿", "Vamos", "nos", "a", "el", "mar", ",", "Ana", "?"]
    assert example.gold == {
        "head": ("2", "0", "2", "6", "6", "2", "8", "2", "2"),
        "relation": ("punct", "root", "obj", "case", "det", "obl", "punct", "vocative", "punct"),
        "upos": ("PUNCT", "VERB", "PRON", "ADP", "DET", "NOUN", "PUNCT", "PROPN", "PUNCT"),
    }
    assert split.notes == ("read as CoNLL-U, for the kind parse",) and split.changes == ()


def test_tags_of_the_same_file(write):
    split = formats.read(write(SENTENCE), kind="tag")
    (example,) = split.examples
    assert split.kind == "tag" and len(example.gold["tag"]) == 9
    assert example.gold == {"tag": formats.read(write(SENTENCE)).examples[0].gold["upos"]}


def test_a_form_with_spaces_is_one_word(write):
    content = row(1, "10 000", head=2, relation="nummod") + "\n" + row(2, "km", head=0)
    (example,) = formats.read(write(content)).examples
    assert example.texts == ("10 000 km",) and forms(example) == ["10 000", "km"]
    assert (example.id, example.line) == ("1", 1)


def test_what_is_not_annotated_is_unlabelled(write):
    content = row(1, "Llueve", "_") + "\n" + row(2, "hoy", "ADV", 1, "_")
    (example,) = formats.read(write(content)).examples
    assert example.gold == {
        "head": (None, "1"),
        "relation": (None, None),
        "upos": (None, "ADV"),
    }


@pytest.mark.parametrize("heads", [[2, 3, 1, 0], [0, 0, 1, 1], [2, 1, 4, 3], [2, 1, 0, 3]], ids=str)
def test_a_sentence_that_is_no_tree_is_dropped_from_parsing_alone(write, heads):
    bad = "\n".join(row(i, "x", head=head) for i, head in enumerate(heads, start=1))
    good = row(1, "Sí", head=0)
    path = write(f"{good}\n\n# sent_id = b\n{bad}\n\n{good}\n")
    split = formats.read(path)
    assert [e.line for e in split.examples] == [1, 9]
    (change,) = split.changes
    assert (change.line, change.action, change.row) == (4, "dropped", "b")
    assert change.reason == "no single-rooted tree"
    assert len(formats.read(path, kind="tag").examples) == 3


@pytest.mark.parametrize(
    "heads, tree",
    [([0], True), ([2, 0], True), ([0, 1, 2, 3], True), ([None, 1], True), ([None, 3, 2], False),
     ([None, None], True), ([0, None, 0], False), ([2, 3, 0, 3, 4], True), ([3, 1, 2], False)],
)  # fmt: skip
def test_trees(heads, tree):
    assert conllu._is_tree(heads) == tree


def test_a_chain_of_many_words_is_a_tree():
    assert conllu._is_tree([0, *range(1, 100_000)])
    assert not conllu._is_tree([0, 100_000, *range(2, 100_000)])


GOOD = row(1, "Sí", head=0)


@pytest.mark.parametrize(
    "content, line, found, expected",
    [
        ("1\tEl\tel\n", 1, "3 columns", "10, parted by tabs"),
        ("1 El el DET _ _ 0 root _ _", 1, "1 column ", "parted by tabs"),
        (row(2, "El"), 1, "the id '2'", "1, the number of the next word"),
        (GOOD + "\n" + row(3, "no", head=1), 2, "the id '3'", "2, the number"),
        (row("x", "El"), 1, "the id 'x'", "1, the number"),
        (row("٣", "El"), 1, "the id '٣'", "1, the number"),
        (row("1-2", "del") + "\n" + GOOD, 2, "the end of a sentence after word 1", "word 2"),
        (row("2-3", "del"), 1, "the id '2-3'", "fits"),
        (row("1-0", "del"), 1, "the id '1-0'", "fits"),
        ("\n".join([row("1-3", "a"), row(1, "a"), row("2-3", "a")]), 3, "the id '2-3'", "fits"),
        (row("1.1", "nada"), 1, "a sentence without a word", "a row with the id 1"),
        (row(1, "Sí", head=2), 1, "the head '2'", "of the 1 words"),
        (GOOD + "\n" + row(2, "no", head=2), 2, "the head '2'", "another"),
        (row(1, "Sí", head="-1"), 1, "the head '-1'", "0, or the number"),
        (row(1, "Sí", head="9" * 5000), 1, "the head '99", "0, or the number"),
        (row(1, " "), 1, "an empty form", "something in every column"),
        (row(1, "Sí", ""), 1, "an empty UPOS", "something in every column"),
        (row(1, "Sí", head=0, relation=" "), 1, "an empty relation", "something in every column"),
        (GOOD + "\n# text = no\n", 2, "a comment inside a sentence", "a blank line"),
        (
            f"# sent_id = a\n{GOOD}\n\n# sent_id = a\n{GOOD}",
            5,
            "'a' again (first on line 2)",
            "own",
        ),
        ("# sent_id = a\n\n", 1, "no sentence", "at least one"),
        (row(1, "Sí", head=0) + "\n" + row(2, "no", head=0), 1, "1 dropped (no single", "at least"),
    ],
)
def test_errors(write, content, line, found, expected):
    path = write(content)
    with pytest.raises(InputError) as caught:
        formats.read(path)
    error = caught.value
    assert str(error).startswith(f"{path}:{line}: found ") and str(error).isprintable()
    assert found in error.found and expected in error.expected


def test_another_kind_is_refused(write):
    with pytest.raises(InputError, match=r"a\.conllu:1: found data of kind parse or tag; expected"):
        formats.read(write(SENTENCE), kind="answer")


def test_a_file_rewritten_with_nothing_is_itself(write):
    content = SENTENCE + "\n\n# otra = cosa\n" + GOOD + "\n\n"
    assert conllu.rewrite(write(content), {"uno": {}, "18": {}}) == content
    assert (
        conllu.rewrite(write(content.replace("\n", "\r\n").rstrip()), {"uno": {}, "18": {}})
        == content
    )


def test_predictions_replace_their_columns_and_no_others(write):
    path = write(f"{SENTENCE}\n\n{GOOD}\n")
    heads = ("0", "1", "1", "1", "1", "1", "1", "1", "1")
    relations = ("root", *["dep"] * 8)
    out = conllu.rewrite(path, {"uno": {"head": heads, "relation": relations}})
    old = [line.split("\t") for line in SENTENCE.split("\n")]
    new = [line.split("\t") for line in out.split("\n")]
    assert new[len(old) :] == [[""], [""]]  # the second sentence was not predicted
    at = 0
    for before, after in zip(old, new, strict=False):
        if before[0].isdigit():
            changed = [*before[:6], heads[at], relations[at], "_", before[9]]
            at += 1
            assert after == changed
        else:
            assert after == before
    assert at == 9
    path.write_text(out, encoding="utf-8")
    assert formats.read(path).examples[0].gold["head"] == heads
    tagged = conllu.rewrite(path, {"uno": {"tag": ("X",) * 9}})
    path.write_text(tagged, encoding="utf-8")
    assert formats.read(path, kind="tag").examples[0].gold["tag"] == ("X",) * 9


def test_a_sentence_without_an_id_beside_one_called_as_its_line(write):
    content = f"{GOOD}\n\n# sent_id = 1\n{GOOD}\n\n{GOOD}\n\n"
    path = write(content)
    for kind in ("parse", "tag"):
        assert [e.id for e in formats.read(path, kind=kind).examples] == ["line 1", "1", "6"]
    tags = {"line 1": "A", "1": "B", "6": "C"}
    out = conllu.rewrite(path, {id: {"tag": (tag,)} for id, tag in tags.items()})
    path.write_text(out, encoding="utf-8")
    assert [e.gold["tag"] for e in formats.read(path, kind="tag").examples] == [
        ("A",), ("B",), ("C",),
    ]  # fmt: skip


def test_predictions_that_do_not_fit_are_refused(write):
    path = write(SENTENCE)
    with pytest.raises(ValueError, match="2 values of head for 9 words"):
        conllu.rewrite(path, {"uno": {"head": ("0", "1")}})
    with pytest.raises(ValueError, match="no sentence 'dos'"):
        conllu.rewrite(path, {"dos": {}})


@pytest.mark.parametrize("name, count, ranges", [("dev", 1654, 159), ("test", 1721, 159)])
def test_ancora(real_data, name, count, ranges):
    path = real_data / "glues" / "pos-ancora" / f"es_ancora-ud-{name}.conllu"
    for kind in ("parse", "tag"):
        split = formats.read(path, kind=kind)
        assert (split.kind, len(split.examples), split.changes) == (kind, count, ())
    content = path.read_text(encoding="utf-8")
    assert conllu.rewrite(path, {e.id: {} for e in split.examples}) == content
    plain = 0
    for example, block in zip(split.examples, content.strip().split("\n\n"), strict=True):
        rows = [line for line in block.split("\n") if line[0] != "#"]
        if len(rows) == len(example.words):
            plain += 1
            assert f"# text = {example.texts[0]}" in block.split("\n")
    assert count - plain == ranges

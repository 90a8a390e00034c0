"""`ligero check`: what it counts, what it finds amiss, what it prints, and that it stays light."""

import dataclasses
import json
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from rich.console import Console

from ligero import vocab
from ligero.check import check, content, repeats, warn
from ligero.cli import main
from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.report import tables
from ligero.report.check import shown
from ligero.tasks import kinds, source
from ligero.tasks.example import Example, Split

TRAIN = (
    "deporte\tEl Betis ganó la copa en Sevilla ante miles de aficionados .\n"
    "deporte\tGol .\n"
    "economía\tGol .\n"
    "economía\tLa bolsa cayó .\n"
    "economía\tLa bolsa cayó .\n"
)
TEST = (
    "cultura\tUna obra de teatro .\n"
    "deporte\tEl Betis ganó la copa en Sevilla ante miles de aficionados .\n"
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.tsv").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "test.tsv").write_text(TEST, encoding="utf-8")
    return [str(tmp_path / "train.tsv"), str(tmp_path / "test.tsv")]


def printed(report, **options) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        for part in shown(report, **options):
            console.print(part, highlight=False)
    return capture.get()


def squad(*questions) -> str:
    """SQuAD JSON of (id, question, context, answers as (text, start))."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": id_,
                    "question": question,
                    "answers": [{"text": text, "answer_start": at} for text, at in answers],
                }
            ],
        }
        for id_, question, context, answers in questions
    ]
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]})


def test_counts_labels_and_repeats_of_two_files(files):
    report = check(files, DataConfig())
    assert json.loads(json.dumps(report)) == report
    train, test = report["files"]
    assert (train["examples"], test["examples"]) == (5, 2)
    assert (train["kind"], train["format"], train["encoding"]) == ("classify", "tsv", "utf-8")
    assert train["words"] == 12 + 2 + 2 + 4 + 4
    assert train["lengths"]["words"] == {"median": 4, "90%": 12, "99%": 12, "longest": 12}
    assert report["labels"] == [
        {"choice": "label", "label": label, "counts": counts}
        for label, counts in (("economía", [3, 0]), ("deporte", [2, 1]), ("cultura", [0, 1]))
    ]
    own, _, across = report["repeats"]
    assert (own["repeated"], own["contradicting"], own["long"]) == (2, 1, 0)
    assert [(p["line"], p["first_line"], p["same_label"]) for p in own["places"]] == [
        (3, 2, False),
        (5, 4, True),
    ]
    assert (across["repeated"], across["long"], across["contradicting"]) == (1, 1, 0)
    assert (across["places"][0]["line"], across["places"][0]["first_line"]) == (2, 1)


def test_what_is_amiss_is_said(files):
    warnings = " | ".join(check(files, DataConfig())["warnings"])
    assert "1 of the 2 texts of test.tsv (50.0%) are also in train.tsv, 1 of them of 10" in warnings
    assert "1 texts of train.tsv are labelled otherwise further up" in warnings
    assert "the label 'cultura': 1 in test.tsv (50.00%), but none in train.tsv" in warnings


def test_the_page_fits_and_holds_the_places(files):
    text = printed(check(files, DataConfig()))
    assert max(map(len, text.splitlines())) <= 100
    assert "train.tsv:3 ≠ 2 'Gol .'" in text
    assert "test.tsv:2 = train.tsv:1" in text
    assert "To look at" in text


def test_nothing_amiss_is_said_too(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("[a]\tHola .\n[b]\tAdiós .\n", encoding="utf-8")
    text = printed(check([str(file)], DataConfig()))
    assert "None: every text occurs once" in text and "Nothing that stands out" in text
    # Brackets are rich's markup; a label may hold them.
    assert "[a]" in text


def test_every_bad_file_is_told_and_the_good_one_still_checked(files, tmp_path, capsys):
    (tmp_path / "leer.tsv").write_text("", encoding="utf-8")
    bad = [str(tmp_path / "nadie.tsv"), str(tmp_path / "leer.tsv")]
    assert main(["check", bad[0], files[0], bad[1]]) == 2
    out, err = capsys.readouterr()
    assert "train.tsv" in out
    assert f"{bad[0]}: found no such file" in err and f"{bad[1]}:1: found an empty file" in err
    assert main(["check", *files]) == 0


@pytest.mark.parametrize("arguments", [[], ["a.tsv", "--task", "xnli"], ["--task", "xnlí"]])
def test_what_cannot_be_checked(arguments, capsys):
    assert main(["check", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_json_goes_to_a_file_or_the_terminal(files, tmp_path, capsys):
    assert main(["check", *files, "--json", "--out", str(tmp_path / "r.json")]) == 0
    written = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == written == check(files, DataConfig())


def test_another_encoding_is_named(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_bytes("sí\tLa niña comió .\nno\tEl señor llegó .\n".encode("iso-8859-1"))
    assert check([str(file)], DataConfig())["files"][0]["encoding"] == "iso-8859-1"
    chosen = check([str(file)], DataConfig(encoding="cp1252"))
    assert chosen["files"][0]["encoding"] == "cp1252"


def test_lengths_by_a_model_of_ones_own(files, tmp_path):
    learned = vocab.train(["El Betis ganó la copa"] * 9, algorithm="wordpiece", size=300)
    vocab.save(learned, tmp_path / "modelo", max_length=128)
    report = check(files, DataConfig(), model=str(tmp_path / "modelo"))
    text = "El Betis ganó la copa en Sevilla ante miles de aficionados ."
    assert report["files"][0]["lengths"]["tokens"]["longest"] == len(learned.encode(text).ids)
    assert report["tokenizer"].startswith("the tokenizer of")
    for model in ("ligero-micro", str(tmp_path)):
        with pytest.raises(InputError):
            check(files, DataConfig(), model=model)


def test_long_examples_are_counted(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text(f"a\t{'palabra ' * 130}\nb\t{'palabra ' * 600}\nb\tcorta\n", encoding="utf-8")
    report = check([str(file)], DataConfig())
    tokens = report["files"][0]["lengths"]["tokens"]
    assert (tokens["over 128"], tokens["over 512"]) == (2, 1)
    assert any("longer than 512" in warning for warning in report["warnings"])


def test_questions(tmp_path):
    context = "Teodoro nació en Zaragoza en 1921."
    questions = [
        ("1", "¿Dónde nació?", context, [("Zaragoza", 17), ("en Zaragoza", 14)]),
        ("2", "¿Cuándo?", context, [("192", 29)]),
        ("3", "¿Por qué?", "Otro contexto .", []),
        ("4", "¿Quién?", context, [("", -1), ("Teodoro", 0)]),
    ]
    train, test = tmp_path / "train.json", tmp_path / "test.json"
    train.write_text(squad(*questions), encoding="utf-8")
    test.write_text(squad(("2", "¿Dónde nació?", context, [("1921", 29)])), encoding="utf-8")
    report = check([str(train), str(test)], DataConfig())
    assert report["files"][0]["answers"] == {
        "contexts": 2, "unanswerable": 1, "several": 1, "answers": 4, "cut": 1,
    }  # fmt: skip
    assert [c["reason"] for c in report["files"][0]["changes"]] == ["an empty answer"]
    across = report["repeats"][2]
    assert (across["repeated"], across["contradicting"]) == (1, 1)
    assert (across["contexts"], across["questions"], across["ids"]) == (1, 1, 1)
    text = printed(report)
    assert "1 dropped: an empty answer" in text and "train.json:1 (4)" in text
    assert "1 answers of train.json begin or end inside a word" in text


def test_lines_that_stand_for_ids_are_not_shared(tmp_path):
    def row(question, **more):
        return json.dumps({"question": question, "context": "Ana vive.", "answers": [], **more})

    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_text("\n".join([row("a"), row("b", id="x"), row("c", id="1")]), encoding="utf-8")
    test.write_text("\n".join([row("d"), row("e", id="x"), row("f", id="1")]), encoding="utf-8")
    report = check([str(train), str(test)], DataConfig())
    # "x" and "1" are; "line 1", which both have on line 1 because "1" is given, is not.
    assert report["repeats"][2]["ids"] == 2


def test_what_is_counted_depends_on_what_examples_hold_not_on_their_kind(monkeypatch):
    """A kind that somebody adds tomorrow is described by its examples."""
    question = Example("1", ("¿Quién?", "Ana vive."), ((0, 3), (4, 8)), answers=((0, 3),))
    again = dataclasses.replace(question, id="2", texts=("¿Qué hace?", "Ana vive."))
    tree = Example("3", ("Ana vive",), ((0, 3), (4, 8)), {"head": ("2", "0")})
    monkeypatch.setitem(kinds.KINDS, "new", kinds.find("parse"))
    asked, parsed = (Split("new", e, "a") for e in ((question, again), (tree,)))
    assert content.of_contents(asked).keys() == {"answers"}
    assert content.of_contents(parsed) == {
        "trees": {"trees": 1, "non_projective": 0, "crossing_arcs": 0}
    }
    # Two questions of three words and marks, or four, about one context of three.
    assert content.words_in(asked) == 3 + 4 + 3
    shared = repeats.between(asked, dataclasses.replace(asked, file="b"))
    assert (shared["contexts"], shared["questions"], shared["ids"]) == (1, 2, 2)


def test_more_changes_than_are_shown(tmp_path):
    context = "Teodoro nació en Zaragoza."
    rows = [(str(i), f"¿{i}?", context, [("", -1), ("Teodoro", 0)]) for i in range(15)]
    file = tmp_path / "a.json"
    file.write_text(squad(*rows), encoding="utf-8")
    report = check([str(file)], DataConfig())
    assert len(report["files"][0]["changes"]) == 15
    assert "and 5 more (--all)" in printed(report)
    assert "--all" not in printed(report, everything=True) and "(14)" in printed(
        report, everything=True
    )


def crosses(heads) -> list[bool]:
    """By the definition: two arcs cross where one begins inside the other and ends outside it."""
    arcs = [tuple(sorted(arc)) for arc in enumerate(heads, start=1)]
    return [any(a < c < b < d or c < a < d < b for c, d in arcs) for a, b in arcs]


def test_crossing_arcs_by_their_definition():
    for size in range(1, 6):
        for heads in product(range(size + 1), repeat=size):
            if all(head != word for word, head in enumerate(heads, start=1)):
                assert content.crossing(np.asarray(heads)).tolist() == crosses(heads)


def test_trees(tmp_path):
    def line(word, head):
        return f"{word}\tp{word}\tp\tNOUN\t_\t_\t{head}\tdep\t_\t_\n"

    straight = "".join(line(i, h) for i, h in ((1, 2), (2, 0), (3, 2)))
    crossed = "".join(line(i, h) for i, h in ((1, 3), (2, 4), (3, 0), (4, 3)))
    file = tmp_path / "a.conllu"
    file.write_text(f"{straight}\n{crossed}\n", encoding="utf-8")
    report = check([str(file)], DataConfig())
    # The arc between 2 and 4 crosses those between 1 and 3, and between the root and 3.
    assert report["files"][0]["trees"] == {"trees": 2, "non_projective": 1, "crossing_arcs": 3}
    assert report["labels"] == [{"choice": "relation", "label": "dep", "counts": [7]}]
    assert "trees" not in check([str(file)], DataConfig(kind="tag"))["files"][0]


@pytest.mark.parametrize(
    ("counts", "totals", "expected"),
    [
        ([100, 10], [1000, 100], [False, False]),
        ([100, 40], [1000, 100], [False, True]),
        ([100, 1], [1000, 100], [False, False]),  # ten expected: chance may do it
        ([100, 0], [1000, 100], [False, True]),
        ([100, 0], [1000, 40], [False, False]),  # four expected
        ([0, 1], [1000, 100], [True, True]),
        ([0, 0, 1], [9, 9, 9], [True, False, True]),
        ([100, None], [1000, 0], [False, False]),
        ([None, 5], [0, 100], [False, False]),
    ],
)
def test_which_labels_stand_out(counts, totals, expected):
    assert warn.stands_out(counts, totals) == expected


def test_short_names_tell_files_apart():
    assert tables.short(["a/b/train.tsv", "a/c/train.tsv", "dev.tsv"]) == {
        "a/b/train.tsv": "b/train.tsv",
        "a/c/train.tsv": "c/train.tsv",
        "dev.tsv": "dev.tsv",
    }


def test_a_task_of_the_catalog_against_its_entry(tmp_path):
    folder = tmp_path / "news-topics"
    folder.mkdir()
    (folder / "train.tsv").write_text(TRAIN, encoding="utf-8")
    report = check([], DataConfig(task="news-topics", folder=str(tmp_path)))
    train, test = report["task"]["files"]
    assert (train["examples"], train["complete"], train["known_copy"]) == (5, 676, False)
    assert test["file"] is None
    warnings = " | ".join(report["warnings"])
    assert "train.tsv: 5 examples, where the complete file has 676" in warnings
    assert "not, byte for byte" in warnings and "test.tsv, is not at hand" in warnings
    assert report["errors"] == []
    assert "not at hand" in printed(report)


def test_files_are_named_without_this_machines_folders(tmp_path, monkeypatch):
    folder = tmp_path / "glues" / "news-topics"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_text(TRAIN, encoding="utf-8")
    report = check([], DataConfig(task="news-topics", folder=str(tmp_path)))
    assert report["files"][0]["file"] == "glues/news-topics/train.tsv"
    assert report["task"]["files"][0]["file"] == "glues/news-topics/train.tsv"
    assert report["repeats"][0]["in"] == "glues/news-topics/train.tsv"
    assert str(tmp_path) not in json.dumps(report)
    # Files of one's own keep the name under which they were given.
    monkeypatch.chdir(folder)
    assert check(["./train.tsv"], DataConfig())["files"][0]["file"] == "./train.tsv"


def test_a_task_file_from_elsewhere_goes_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text(TRAIN, encoding="utf-8")
    monkeypatch.setattr(source, "find_file", lambda *_: tmp_path / "train.tsv")
    report = check([], DataConfig(task="news-topics", folder=str(tmp_path / "data")))
    assert report["files"][0]["file"] == "train.tsv"


def test_a_task_without_any_file_is_an_error(tmp_path, capsys):
    assert main(["check", "--task", "news-topics", "--data", str(tmp_path)]) == 2
    assert "jpposadas" in capsys.readouterr().err


def test_real_data(real_data):
    folder = real_data / "glues" / "ner-conll2002"
    report = check([str(folder / name) for name in ("esp.train", "esp.testb")], DataConfig())
    train, test = report["files"]
    assert (train["examples"], train["words"], test["words"]) == (8323, 264715, 51533)
    assert train["lengths"]["words"]["longest"] == 1238
    tar = check([], DataConfig(task="tar-small", folder=str(real_data)))
    assert len(tar["files"][0]["changes"]) == 4080
    assert tar["repeats"][2]["ids"] == 732
    assert max(map(len, printed(tar).splitlines())) <= 100


def test_checking_loads_nothing_heavy(files):
    code = (
        "import sys\nfrom ligero.cli import main\n"
        f"main(['check', *{files!r}])\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"

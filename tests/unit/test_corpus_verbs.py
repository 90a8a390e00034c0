"""`ligero corpus` from end to end: build, report, shards; and what it says when it cannot."""

import pytest

from ligero import vocab
from ligero.cli import main
from ligero.corpus.shards import Shards

SAID = "La señora Núñez llegó a Córdoba el martes por la mañana, con su hija y con su perro. "
TEXT = "\n\n".join(
    [
        f"{SAID}\nEra el día {n} de marzo y hacía frío.\nVea https://ejemplo.es/{n} para más."
        for n in range(20)
    ]
    + ["Un texto que está dos veces, letra por letra, en el mismo archivo de prueba."] * 2
)


@pytest.fixture
def built(tmp_path, capsys):
    file = tmp_path / "texto.txt"
    file.write_text(TEXT, encoding="utf-8")
    command = ["corpus", "build", str(file), "--out", str(tmp_path / "corpus"), "--workers", "1"]
    assert main([*command, "--keep-near-copies"]) == 0
    out = capsys.readouterr().out
    assert "addresses" in out and "copies" in out and "21 documents" in out
    return tmp_path / "corpus"


def test_what_was_done_is_shown_and_written(built, tmp_path, capsys):
    assert main(["corpus", "report", str(built), "--samples", "2"]) == 0
    out = capsys.readouterr().out
    assert "ejemplo.es" in out and "dos veces" in out
    page = tmp_path / "new" / "page.html"
    assert main(["corpus", "report", str(built), "--html", str(page)]) == 0
    html = page.read_text(encoding="utf-8")
    assert "ejemplo.es" in html and "dos veces" in html and "<script" not in html


def test_shards_hold_the_text(built, tmp_path, capsys):
    vocab.save(vocab.train([TEXT], algorithm="bpe", size=400), tmp_path / "vocab", max_length=512)
    command = ["corpus", "shards", str(built), "--tokenizer", str(tmp_path / "vocab")]
    assert main([*command, "--out", str(tmp_path / "shards"), "--workers", "1"]) == 0
    shards = Shards(tmp_path / "shards", tmp_path / "vocab")
    assert f"{shards.tokens:,} sub-words in 1 shards" in capsys.readouterr().out
    assert shards.documents == 21


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "STEP"),
        (["build", "none.txt", "--out", "o"], "none.txt: found no such file"),
        (["build", "x.txt"], "--out"),
        (["build", "x.txt", "--out", "o", "--workers", "0"], "at least 1"),
        (["report", "."], "found no finished corpus"),
        (["shards", ".", "--tokenizer", ".", "--out", "o"], "found no finished corpus"),
    ],
)
def test_what_cannot_be_done(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["corpus", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "o").exists()

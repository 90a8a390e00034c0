"""`ligero vocab`: one vocabulary for any number of workers, whole or not there at all."""

import gzip
import json
import shutil

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

import small_corpus
from ligero import jobs, runs, vocab
from ligero.cli import main
from ligero.errors import DamagedError, InputError
from ligero.vocab import make

SMALL = make.Settings(algorithm="bpe", size=500)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return small_corpus.write(tmp_path_factory.mktemp("texts"), 60)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A finished corpus, of which only what is read of it is there."""
    import polars as pl

    folder = tmp_path_factory.mktemp("built") / "corpus"
    documents = small_corpus.documents(60)
    with runs.Run(folder, "corpus", {}) as run:
        for number in range(3):
            with runs.publish(folder / "text" / f"part-{number:05d}") as place:
                pl.DataFrame({"text": documents[20 * number : 20 * number + 20]}).write_parquet(
                    place / "text.parquet"
                )
        run.finish({})
    return folder


@pytest.fixture
def parts(monkeypatch):
    """Raw files cut into many parts."""
    monkeypatch.setattr(make, "PART", 16_000)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expected(settings=SMALL):
    made = vocab.train(
        small_corpus.documents(60), algorithm=settings.algorithm, size=settings.size,
        lowercase=settings.lowercase, naming=vocab.FAMILIES[settings.family].naming,
    )  # fmt: skip
    return made.to_str(pretty=True)


def test_the_same_bytes_from_files_and_corpus_by_any_number_of_workers(
    texts, corpus, parts, tmp_path
):
    made = {}
    for name, inputs, workers in (
        ("one", texts, 1), ("two", texts, 2), ("corpus", [corpus], 1), ("crew", [corpus], 2)
    ):  # fmt: skip
        results = make.make(inputs, tmp_path / name, SMALL, workers)
        made[name] = bytes_of(tmp_path / name)
        assert results["vocabulary"]["entries"] == 500
        assert made[name]["tokenizer.json"].decode() == expected()
    assert made["one"] == made["two"] and made["corpus"] == made["crew"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(made)


@pytest.mark.parametrize("name", ["beto-cased", "albeto-tiny", "bertin", "distilbeto"])
def test_a_models_naming_and_types(texts, tmp_path, name, capsys):
    out = tmp_path / "v"
    command = ["vocab", "train", *map(str, texts), "--out", str(out), "--workers", "1"]
    assert main([*command, "--size", "400", "--lowercase", "--model", name]) == 0
    assert "400 entries" in capsys.readouterr().out
    theirs = AutoTokenizer.from_pretrained(out)
    first = {"albeto-tiny": "<pad>", "bertin": "<s>"}.get(name, "[PAD]")
    assert theirs.convert_ids_to_tokens(0) == first
    assert theirs("El niño")["input_ids"] == theirs("el niño")["input_ids"]
    assert theirs("niño")["input_ids"] != theirs("nino")["input_ids"]
    assert ("token_type_ids" in theirs("a")) == (name in ("beto-cased", "albeto-tiny"))
    assert theirs.model_max_length == 512


def test_repeating_does_nothing_and_other_settings_are_refused(texts, tmp_path):
    out = tmp_path / "v"
    results = make.make(texts, out, SMALL, 1)
    before = (out / "tokenizer.json").stat().st_mtime_ns
    assert make.make(texts, out, SMALL, 2) == results
    assert (out / "tokenizer.json").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="made with other settings"):
        make.make(texts, out, make.Settings(algorithm="bpe", size=501), 1)
    with pytest.raises(InputError, match="made with other inputs"):
        make.make(texts[:1], out, SMALL, 1)
    (out / "tokenizer.json").write_text("{}")
    said = []
    make.make(texts, out, SMALL, 1, say=said.append)
    assert "damaged" in said[0]
    assert (out / "tokenizer.json").read_text() == expected()


def test_what_was_interrupted_continues(texts, parts, tmp_path, monkeypatch):
    out = tmp_path / "v"
    done = []

    def attempt(job):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(job.folder.name)
        job.do()

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "attempt", attempt)
        with pytest.raises(KeyboardInterrupt):
            make.make(texts, out, SMALL, 1)
    assert not out.exists()
    with pytest.raises(InputError, match=r"\.v\.work: found a run begun with settings.size = 500"):
        make.make(texts, out, make.Settings(algorithm="bpe", size=501), 1)
    again = []
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "attempt", lambda job: again.append(job.folder.name) or job.do())
        make.make(texts, out, SMALL, 1)
    assert len(again) > 1 and not set(again) & set(done)
    assert (out / "tokenizer.json").read_text() == expected()
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_the_report_of_training_and_of_any_tokenizer(texts, tmp_path, capsys):
    valid = tmp_path / "otro.txt.gz"
    valid.write_bytes(gzip.compress("Un niño pagó 5 € en Logroño.".encode()))
    out = tmp_path / "v"
    command = ["vocab", "train", str(texts[0]), "--out", str(out), "--workers", "1"]
    assert main([*command, "--algorithm", "bpe", "--size", "99999", "--valid", str(valid)]) == 0
    said = capsys.readouterr()
    assert "learned from" in said.out and "otro.txt.gz" in said.out
    assert "where 99,999 were asked for" in said.err
    results = json.loads((out / "results.json").read_text())
    assert results["texts"]["otro.txt.gz"]["words"] == 6
    other = tmp_path / "w"
    vocab.save(vocab.train(["a"], algorithm="bpe", size=1), other, max_length=9)
    assert main(["vocab", "report", str(out), str(valid), "--beside", str(other)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["v", "w"]
    assert main(["vocab", "report", str(out)]) == 0
    assert "sentences\n  La s" in capsys.readouterr().out


def test_a_missing_sign_is_named(tmp_path, capsys):
    made = vocab.train(["uno"], algorithm="bpe", size=1)
    told = json.loads(made.to_str())
    del told["model"]["vocab"]["%"]
    ids = {
        e: n for n, e in enumerate(sorted(told["model"]["vocab"], key=told["model"]["vocab"].get))
    }
    told["model"]["vocab"] = ids
    vocab.save(Tokenizer.from_str(json.dumps(told)), tmp_path, max_length=9)
    assert main(["vocab", "report", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "signs unknown: %\n" in out and "46 of 47" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "STEP"),
        (["train", "none.txt", "--out", "o"], "none.txt: found no such file"),
        (["train", "x.txt"], "--out"),
        (["train", "x.txt", "--out", "o", "--size", "0"], "at least 1"),
        (["train", "x.txt", "--out", "o", "--size", "50"], "letters and signs of Spanish"),
        (["train", "x.txt", "--out", "o", "--algorithm", "bep"], "did you mean bpe"),
        (["train", "x.txt", "--out", "o", "--model", "beto"], "beto-cased"),
        (["train", "x.doc", "--out", "o"], "unknown format"),
        (["train", "empty.txt", "--out", "o"], "empty.txt: found no document; expected"),
        (["train", "unseen.txt", "--out", "o"], "no words to learn a vocabulary from"),
        (["train", "bad.txt", "--out", "o"], "bad.txt:1: found byte 0xFF"),
        (["train", "x.txt", "bad.txt", "--out", "o"], "bad.txt:1: found byte 0xFF"),
        (["train", "x.txt", "--out", "o", "--valid", "bad.txt"], "bad.txt:1: found byte 0xFF"),
        (["train", ".", "--out", "o"], "no finished corpus"),
        (["train", "cut", "--out", "o"], "shards, which hold another vocabulary's sub-words"),
        (["train", "x.txt", "--out", "x.txt"], "found a file"),
        (["train", "x.txt", "--out", "cut"], "no vocabulary of ligero"),
        (["report", "none"], "none: found no such folder"),
        (["report", "x.txt"], "x.txt: found no such folder"),
    ],
)
def test_what_cannot_be_done(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("El niño come en casa.")
    (tmp_path / "x.doc").write_text("El niño come en casa.")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "unseen.txt").write_text("\u200b")
    (tmp_path / "bad.txt").write_bytes(b"uno \xff\xfe\x81 dos")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "config.json").write_text(json.dumps({"command": "shards"}))
    before = sorted(tmp_path.rglob("*"))
    assert main(["vocab", *arguments, *(["--workers", "1"] if "train" in arguments else [])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_corpus_is_told(corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "corpus")
    (tmp_path / "corpus" / "text" / "part-00001" / "text.parquet").write_bytes(b"no")
    with pytest.raises(DamagedError, match="part-00001"):
        make.make([tmp_path / "corpus"], tmp_path / "v", SMALL, 1)


def test_without_polars_it_is_said_in_one_line(tmp_path, monkeypatch, capsys):
    from ligero.vocab import verbs

    monkeypatch.setattr(verbs, "NEEDED", ("polars_that_is_not_there",))
    assert main(["vocab", "train", "x.txt", "--out", str(tmp_path / "o")]) == 1
    assert "pip install 'ligero[corpus]'" in capsys.readouterr().err

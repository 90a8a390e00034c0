"""Whatever is wrong with what the user gives: one line that says it, and nothing half-written."""

import errno
import fcntl
import io
import os
import shutil
import signal
from pathlib import Path

import pytest

import small
from ligero import cli, runs

# Longer than any word of a language, and than what a window or a screen holds.
HUGE = "a" * 1_000_000
GOOD = "Ana B-PER\nvive O\nen O\nPerú B-LOC\n\nLlueve O\n\nVino O\nPedro B-PER\n"


@pytest.fixture
def run(capsys):
    """Runs a command line that must fail; its one line on stderr."""

    def fail(*arguments, code=2):
        # A file that is opened and must not be, a pipe say, would be waited for for ever.
        signal.alarm(120)
        ended = cli.main([str(a) for a in arguments])
        signal.alarm(0)
        caught = capsys.readouterr()
        lines = caught.err.splitlines()
        assert len(lines) == 1, caught.err
        assert lines[0].startswith("ligero: ") and len(lines[0]) < 1000
        assert ended == code, lines[0]
        assert caught.out == ""
        return lines[0]

    return fail


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in; at the end it holds what it was given and no run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("LIGERO_DATA", raising=False)
    yield tmp_path
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "cache").exists()


@pytest.fixture(scope="module")
def asked(forks, data, tmp_path_factory):
    """A model that answers questions, however badly."""
    place = tmp_path_factory.mktemp("asked")
    command = small.finetune(data, place / "run", ending="json")
    assert forks.run([*command, "--epochs", "1"], place / "log") == 0, (place / "log").read_text()
    return place / "run"


TRAINING_FILES = {
    "empty": ("a.conll", b"", ["a.conll:1: found an empty file"]),
    "blank lines": ("a.conll", b"\n \n\n", ["a.conll:1: found only blank lines"]),
    "one column": ("a.conll", b"Ana B-PER\nvive\n\n", ["a.conll:2: found 1 column", "expected 2"]),
    "one column only": ("a.tsv", b"hola\nadi\xc3\xb3s\n", ["a.tsv:1: found 1 column", "expected 2"]),
    "ids twice": (
        "a.conll", b"# id = x\nAna B-PER\n\n# id = x\nAna O\n", ["a.conll:5:", "'x'", "line 2"],
    ),
    "ids twice in TSV": (
        "a.tsv", b"id\tlabel\ttext\n1\ta\tuno\n1\tb\tdos\n", ["a.tsv:3:", "'1'", "line 2"],
    ),
    "UTF-16": ("a.conll", GOOD.encode("utf-16"), ["a.conll:1: found UTF-16 text", "UTF-8"]),
    "no Spanish": ("a.conll", b"Ana B-PER\n\xd0\xd1\xd2\xe3 O\n", ["a.conll:2: found byte 0xD0"]),
    "NUL bytes": ("a.conll", GOOD.encode() + b"\nA\0 O\n", ["a.conll:11: found a NUL byte"]),
    "huge word": ("a.conll", f"Ana O\n{HUGE} O\n".encode(), ["a.conll:2:", "1,000,000", "10,000"]),
    "huge word in TSV": ("a.tsv", f"x\tuno\ny\t{HUGE}\n".encode(), ["a.tsv:2:", "1,000,000"]),
    "one label": ("a.tsv", b"x\tuno\nx\tdos\n", ["a.tsv: found only the label 'x'", "at least 2"]),
    "a picture": ("a.conll", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["a.conll:", "found"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), TRAINING_FILES.values(), ids=TRAINING_FILES)
def test_a_training_file(run, place, name, content, said):
    (place / name).write_bytes(content)
    line = run("compress", "--train", name, "--dev", name, "--out", "out")
    for part in said:
        assert part in line


def test_a_file_that_is_none(run, place):
    (place / "folder").mkdir()
    (place / "train.conll").write_text(GOOD)
    assert "folder: found a folder; expected a file" in run("finetune", "--train", "folder")
    assert "did you mean 'train.conll'?" in run("finetune", "--train", "trian.conll")
    assert "no folder" in run("finetune", "--train", "nowhere/train.conll")


def test_a_label_that_training_does_not_know(run, place):
    (place / "train.conll").write_text(GOOD)
    (place / "test.conll").write_text("Ana B-PER\n\nvive O\nMarte B-PLANET\n")
    files = ["--train", "train.conll", "--dev", "train.conll", "--test", "test.conll"]
    line = run("compress", *files, "--out", "out")
    assert "test.conll:3: found the label 'B-PLANET' of word 2" in line and "B-LOC, B-PER" in line


def test_files_of_two_kinds(run, place):
    (place / "train.conll").write_text(GOOD)
    (place / "dev.tsv").write_text("a\tuno dos\nb\ttres cuatro\n")
    line = run("compress", "--train", "train.conll", "--dev", "dev.tsv", "--out", "out")
    assert "dev.tsv: found data of kind classify" in line and "tag (train.conll)" in line


FLAGS = {
    "unknown flag": (["--epocs", "3"], ["--epocs"]),
    "unknown verb": (None, ["comprss"]),
    "a word for a number": (["--teacher-fit.epochs", "diez"], ["'diez'", "whole number"]),
    "half an epoch": (["--teacher-fit.epochs", "2.5"], ["'2.5'", "whole number"]),
    "negative": (["--student-fit.learning-rate", "-1"], ["-1", "not negative"]),
    "not a number": (["--student-fit.learning-rate", "nan"], ["'nan'", "a number"]),
    "infinite": (["--student-fit.learning-rate", "inf"], ["'inf'", "a number"]),
    "empty batches": (["--student-fit.batch-size", "0"], ["'0'", "at least 1"]),
    "no pieces": (["--student-fit.accumulation", "0"], ["'0'", "at least 1"]),
    "a window for nothing": (["--student-fit.window", "4"], ["'4'", "at least 16"]),
    "no vocabulary": (["--vocab.size", "0"], ["'0'", "at least 1"]),
    "more than all": (["--distill.alpha", "1.5"], ["'1.5'", "from 0 to 1"]),
    "absolute zero": (["--distill.temperature", "0"], ["'0'", "at least"]),
    "unknown choice": (["--distill.loss", "kld"], ["'kld'", "kl, ce, mse"]),
    "unknown schedule": (["--teacher-fit.schedule", "linaer"], ["'linaer'", "linear"]),
    "no value": (["--distill.alpha"], ["--distill.alpha"]),
    "unknown encoding": (["--encoding", "utf9"], ["'utf9'", "utf-8"]),
    "unknown format": (["--format", "conl"], ["'conl'", "conll"]),
    "no examples": (["--limit", "0"], ["'0'", "at least 1"]),
    "unknown student": (["--student", "ligero-tinny"], ["'ligero-tinny'", "ligero-tiny"]),
    "unknown teacher": (["--teacher", "betto-cased"], ["'betto-cased'", "beto-cased"]),
    "task and files": (["ner-conll2002"], ["ner-conll2002", "--train", "one or the other"]),
    "no such settings": (["--config", "nada.toml"], ["nada.toml"]),
}


@pytest.mark.parametrize(("flags", "said"), FLAGS.values(), ids=FLAGS)
def test_a_flag(run, place, flags, said):
    (place / "train.conll").write_text(GOOD)
    arguments = ["comprss"] if flags is None else ["compress", *flags]
    line = run(*arguments, "--train", "train.conll", "--dev", "train.conll", "--out", "out")
    for part in said:
        assert part in line


def test_nothing_to_train_on(run, place):
    assert "neither a task nor training data" in run("compress", "--out", "out")
    line = run("compress", "ner-conll2003", "--data", ".", "--out", "out")
    assert "'ner-conll2003'" in line and "ner-conll2002" in line
    line = run("compress", "ner-conll2002", "--out", "out")
    assert "LIGERO_DATA" in line and "licence" in line


SETTINGS = {
    "unknown key": ("sead = 1", ["sead", "seed"]),
    "unknown key inside": ("[teacher_fit]\nepoch = 1", ["epoch", "epochs"]),
    "unknown table": ("[teacher]\nepochs = 1", ["teacher"]),
    "wrong type": ("[data]\ntrain = 3", ["train", "3"]),
    "a number too large": ("[teacher_fit]\nepochs = inf", ["inf", "whole number"]),
    "no TOML": ("seed: 1", ["not TOML"]),
}


@pytest.mark.parametrize(("content", "said"), SETTINGS.values(), ids=SETTINGS)
def test_a_file_of_settings(run, place, content, said):
    (place / "a.toml").write_text(content)
    line = run("compress", "--config", "a.toml", "--out", "out")
    for part in said:
        assert part in line


@pytest.mark.parametrize("verb", ["compress", "predict"])
def test_a_checkpoint_in_pickle_format_is_never_opened(run, place, verb):
    (place / "model").mkdir()
    (place / "model" / "config.json").write_text('{"model_type": "bert"}')
    # Whoever opens a pipe that nobody writes to waits until the alarm.
    os.mkfifo(place / "model" / "pytorch_model.bin")
    (place / "train.conll").write_text(GOOD)
    arguments = {
        "compress": [
            "compress", "--train", "train.conll", "--dev", "train.conll",
            "--teacher", "./model", "--out", "out",
        ],
        "predict": ["predict", "./model", "Hola"],
    }  # fmt: skip
    line = run(*arguments[verb])
    assert "pytorch_model.bin" in line and "refused unopened" in line


def test_a_place_that_is_taken(run, place, data, known):
    here = small.compress(data, place / "taken", place / "cache")
    (place / "taken").write_text("mine")
    assert "taken: found a file" in run(*here)
    assert (place / "taken").read_text() == "mine"
    (place / "taken").unlink()
    (place / "taken").mkdir()
    (place / "taken" / "mine").write_text("mine")
    assert "not a run of ligero" in run(*here)
    assert [path.name for path in (place / "taken").iterdir()] == ["mine"]
    below = small.compress(data, place / "taken" / "mine" / "out", place / "cache")
    assert "no place to write" in run(*below)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_where_one_may_not_write(run, place, data, known):
    (place / "locked").mkdir(mode=0o500)
    assert "no place to write" in run(*small.finetune(data, place / "locked" / "out"))


def test_a_run_begun_otherwise(run, place, data, calm, known):
    shutil.copytree(calm.out, place / "begun")
    again = small.compress(data, place / "begun", place / "cache")
    line = run(*again, "--seed", "7", "--student-fit.epochs", "5")
    for part in ("begun: ", "seed = 0", "seed = 7", "student_fit.epochs = 3", "= 5", "--out"):
        assert part in line
    assert small.left(place / "begun") == small.left(calm.out)
    assert "command" in run(*small.finetune(data, place / "begun"))


@pytest.mark.parametrize("verb", [small.finetune, lambda d, o: small.compress(d, o, o / "cache")])
def test_a_run_that_another_process_works_in(run, place, data, known, verb):
    (place / "busy").mkdir()
    with (place / "busy" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process" in run(*verb(data, place / "busy"), code=1)
    assert [path.name for path in (place / "busy").iterdir()] == ["lock"]


# A tokenizer, the first checkpoint, its optimiser, and the log are what is cut in turn.
@pytest.mark.parametrize("largest", [1_000, 20_000, 150_000])
def test_a_full_disk(forks, data, tmp_path, largest):
    out, log = tmp_path / "out", tmp_path / "log"
    arguments = small.finetune(data, out)
    assert forks.run(arguments, log, largest=largest) == 1
    lines = log.read_text().splitlines()
    assert "File too large" in lines[-1]
    assert sum(line.startswith("ligero: ") for line in lines) == 1
    assert "Traceback" not in log.read_text()
    assert [path for path in out.rglob("*") if path.name.endswith(".tmp")] == []
    for manifest in out.rglob("manifest.json"):
        runs.verify(manifest.parent)
    # With room again, the same command goes on.
    assert forks.run(arguments, log) == 0, log.read_text()


def test_a_disk_that_is_full_from_the_start(place, data, known, monkeypatch, capsys):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert cli.main(small.finetune(data, place / "full")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"ligero: {place / 'full' / 'config.json'}: No space left on device"
    assert {path.name for path in (place / "full").iterdir()} <= {"lock"}


PREDICTIONS = {
    "nothing": ([""], ["input:1: found an empty text"]),
    "white space": (["Ana vive", " \t\n "], ["input:2: found an empty text"]),
    "a huge word": ([HUGE], ["input:1:", "1,000,000", "10,000"]),
    "no UTF-8": (["Espa\udcf1a"], ["input:1: found bytes that are not UTF-8"]),
    "a pair": (["Ana", "--pair", "Pedro"], ["a pair of texts", "tag"]),
}


@pytest.mark.parametrize(("texts", "said"), PREDICTIONS.values(), ids=PREDICTIONS)
def test_a_text(run, place, calm, texts, said):
    line = run("predict", calm.out, *texts)
    for part in said:
        assert part in line


def test_a_pipe(place, calm, monkeypatch, capsys):
    """Lines before the bad one are answered; its number counts from the pipe's first."""
    good = "Ana García vive en Perú .\n".encode() * 70
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(good + b"Espa\xf1a\n"), "utf-8"))
    assert cli.main(["predict", str(calm.out), "--json"]) == 2
    caught = capsys.readouterr()
    assert caught.err == "ligero: input:71: found bytes that are not UTF-8; expected text\n"
    assert len(caught.out.splitlines()) == 64


def test_what_is_no_model(run, place):
    (place / "empty").mkdir()
    (place / "file.txt").write_text("hola")
    (place / "odd").mkdir()
    (place / "odd" / "config.json").write_text("[1]")
    assert "no config.json" in run("predict", "empty", "Hola")
    assert "file.txt: found a file" in run("predict", "./file.txt", "Hola")
    assert "odd/config.json: found a JSON list" in run("predict", "odd", "Hola")
    assert "learned nothing" in run("predict", "ligero-micro", "Hola")
    assert "'nada'" in run("predict", "nada", "Hola")


def test_a_run_that_is_not_finished_is_no_model(run, place, calm):
    shutil.copytree(calm.out, place / "begun")
    (place / "begun" / "student" / "manifest.json").unlink()
    assert "not finished" in run("predict", place / "begun", "Hola")


def test_what_a_model_cannot_be_scored_on(run, place, calm, data):
    (place / "odd.conll").write_text("Marte B-PLANET\n\n")
    line = run("evaluate", calm.out, data / "test.tsv")
    assert "test.tsv:1: found data of kind classify" in line and "tag" in line
    line = run("evaluate", calm.out, "odd.conll")
    assert "odd.conll:1: found the label 'B-PLANET'" in line
    assert "nothing to score" in run("evaluate", calm.out)
    assert "no such file" in run("evaluate", calm.out, "nada.conll")


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ("", "--context: found an empty text"),
        ("Ana \udcff", "--context: found bytes that are not UTF-8"),
        ("x" * 20_000, "--context: found a word of 20,000 characters"),
    ],
)
def test_a_context(run, asked, context, said):
    assert said in run("predict", asked, "¿Quién?", "--context", context)


def test_a_question_alone(run, asked):
    assert "--context" in run("predict", asked, "¿Quién?")


def test_brackets_are_no_markup(asked, capsys):
    context = "Desde mayo Ana [/b] vive [red] en Perú."
    assert cli.main(["predict", str(asked), "¿Quién [/x] vive?", "--context", context]) == 0
    assert "[/x]" in capsys.readouterr().out


def test_a_run_that_cannot_begin_leaves_its_place_free(place, known, monkeypatch, capsys):
    (place / "train.conll").write_text(GOOD)
    monkeypatch.setattr("ligero.vocab.ALGORITHMS", ())
    files = ["--train", "train.conll", "--dev", "train.conll"]
    for verb, model in (("finetune", "--model"), ("compress", "--teacher")):
        assert cli.main([verb, *files, model, small.TEACHER, "--out", "out"]) == 2
        assert "vocabulary algorithm" in capsys.readouterr().err.splitlines()[-1]
        assert not Path("out").exists()

"""Text without labels: what is gathered, what an epoch takes of it, and students that learn from it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import small
from ligero.cli import main
from ligero.config import DataConfig, PoolConfig
from ligero.errors import InputError
from ligero.tasks import kinds, source
from ligero.train import unlabelled
from ligero.train.teacher import example_digest
from ligero.train.unlabelled import Pool, Unlabelled, confidence_of, gather

KIND = kinds.find("classify")
SENTENCES = [f"Esta es la frase número {n} de un texto cualquiera." for n in range(40)]


@pytest.fixture
def task(data):
    names = {name: str(data / f"{name}.conll") for name in ("train", "dev", "test")}
    return source.load(DataConfig(**names))


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "texto.txt"
    path.write_text("\n\n".join([*SENTENCES, *SENTENCES[:7]]) + "\n", encoding="utf-8")
    return path


def test_text_is_gathered_once_by_its_hash(task, text):
    found = gather(str(text), task, PoolConfig()).examples
    assert sorted(e.texts[0] for e in found) == sorted(SENTENCES)
    digests = [example_digest(e) for e in found]
    assert digests == sorted(digests)
    # A limit takes the first of that order, wherever they lie in the file.
    few = gather(str(text), task, PoolConfig(limit=9)).examples
    # (Copies count before they are dropped.)
    assert 5 <= len(few) <= 9 and few == found[: len(few)]
    assert all(e.words and not e.gold for e in found)


def test_what_the_task_has_is_left_out(task, text, data):
    own = [e.texts[0] for split in (task.train, task.dev, task.test) for e in split.examples]
    text.write_text("\n\n".join([*own, *SENTENCES[:3]]) + "\n", encoding="utf-8")
    assert len(gather(str(text), task, PoolConfig()).examples) == 3
    with pytest.raises(InputError, match="no text without labels"):
        gather(str(data / "test.conll"), task, PoolConfig())


DOCUMENT = [
    "El tren de Logroño salió con dos horas de retraso. Nadie supo decir por qué.",
    "La ministra visitó Vigo el martes. Habló con los marineros durante una hora. Luego se fue.",
    "Los bancos subieron las comisiones este año",
    "En 1936 nació en Soria Ana García. Su padre era médico en el pueblo.",
]


def task_of(folder, kind):
    """A task whose texts are DOCUMENT's: one each, a pair, or a question with its context."""
    folder.mkdir()
    for split, texts in (("train", DOCUMENT[:2]), ("dev", DOCUMENT[2:3]), ("test", DOCUMENT[3:])):
        if kind == "answer":
            rows = [
                {
                    "question": "¿Qué pasó?",
                    "context": t,
                    "answers": [{"text": t[:3], "answer_start": 0}],
                }
                for t in texts
            ]
        else:
            rows = [{"label": label, "text": t} for t in texts for label in ("sí", "no")]
            if kind == "pairs":
                rows = [
                    {**row, "text": "Otra frase distinta.", "text2": row["text"]} for row in rows
                ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    files = {name: str(folder / f"{name}.jsonl") for name in ("train", "dev", "test")}
    return source.load(DataConfig(**files))


@pytest.mark.parametrize("kind", ["texts", "pairs", "answer"])
def test_no_sentence_of_the_tasks_comes_back_out_of_raw_text(tmp_path, kind):
    task = task_of(tmp_path / "task", kind)
    path = tmp_path / "texto.txt"
    # As another writes it, too: with the marks apart, in capitals, with a last point that was missing.
    documents = [*DOCUMENT, DOCUMENT[3].replace(".", " ."), DOCUMENT[2].upper(), DOCUMENT[2] + "."]
    other = "En el puerto de Cádiz entraron {} barcos, y en Vigo otros tantos."
    mixed = [f"{document}\n{other.format(n)}" for n, document in enumerate(documents)]
    path.write_text("\n\n".join(mixed) + "\n", encoding="utf-8")
    found = gather(str(path), task, PoolConfig()).examples

    def words(texts):
        return set(re.findall(r"\w+", " ".join(texts).lower()))

    taken = words(text for e in found for text in e.texts)
    assert "barcos" in taken
    mine = words(DOCUMENT) - words([other])
    assert len(mine) > 30 and not mine & taken
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no text without labels"):
        gather(str(path), task, PoolConfig())


def test_of_labelled_files_those_examples_are_left_out_of_which_a_text_is_the_tasks(tmp_path):
    task = task_of(tmp_path / "task", "pairs")
    other, again = "Una frase que nadie tiene.", DOCUMENT[3].split(". ")
    rows = [
        (DOCUMENT[2], other),
        (other, f"{again[1]} {again[0]}."),
        (other, "Otra más para el par."),
    ]
    path = tmp_path / "more.tsv"
    path.write_text("".join(f"sí\t{a}\t{b}\n" for a, b in rows), encoding="utf-8")
    (kept,) = gather(str(path), task, PoolConfig()).examples
    assert kept.texts == rows[2] and not kept.gold


LABELLED = {
    "classify": [
        {"label": "sí", "text": f"Llueve en Lugo el día {n}. " + "Luego sale otra vez el sol. " * 9}
        for n in range(5)
    ],
    "tag": [{"tokens": ["Llueve", "en", "Lugo", str(n)], "tags": ["O"] * 4} for n in range(5)],
}


@pytest.mark.parametrize("kind", LABELLED)
@pytest.mark.parametrize("ending", ["tsv", "jsonl", "txt"])
def test_a_file_as_the_tasks_own_is_read_as_such_whatever_it_is_called(
    tmp_path, task, kind, ending
):
    rows = LABELLED[kind]
    own = task if kind == "tag" else task_of(tmp_path / "task", "texts")
    if ending == "jsonl":
        lines = [json.dumps(row) for row in rows]
    elif kind == "tag":
        lines = ["\n".join(f"{word}\tO" for word in row["tokens"]) + "\n" for row in rows]
    else:
        lines = [f"{row['label']}\t{row['text']}" for row in rows]
    path = tmp_path / f"more.{ending}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = gather(str(path), own, PoolConfig()).examples
    texts = [row.get("text") or " ".join(row["tokens"]) for row in rows]
    assert sorted(e.texts[0] for e in found) == texts and not any(e.gold for e in found)
    # Of another kind it is no task's own: raw text, or of no use.
    other = task_of(tmp_path / "other", "texts") if kind == "tag" else task
    try:
        cut = gather(str(path), other, PoolConfig()).examples
    except InputError:
        cut = []
    assert not set(texts) & {e.texts[0] for e in cut}


def test_what_is_no_readers_is_not_taken_out_of_a_folder(tmp_path, task):
    folder = tmp_path / "textos"
    folder.mkdir()
    (folder / "a.txt").write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    (folder / "README.md").write_text("# Mis textos\n\nsí\tLlueve.\n", encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    assert len(gather(str(folder), task, PoolConfig()).examples) == len(SENTENCES)
    # Named by itself it is asked for, and refused by name and not for what a TSV would have.
    (folder / "README.md").write_text("Mis textos, que son muchos.\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown format: README\.md"):
        gather(f"{folder}/README.md", task, PoolConfig())


@pytest.mark.parametrize("named", ["{0},", ",{0}", "{0},,{0}", "", " ", ","])
def test_an_empty_name_is_not_the_current_folder(tmp_path, task, text, named, monkeypatch):
    monkeypatch.chdir(text.parent)
    with pytest.raises(InputError, match="an empty name in --unlabeled"):
        gather(named.format(text.name), task, PoolConfig())


def test_files_are_named_with_commas_or_by_their_folder(task, tmp_path):
    folder = tmp_path / "textos"
    folder.mkdir()
    for name, part in (("a.txt", SENTENCES[:5]), ("b.jsonl", SENTENCES[5:9])):
        lines = [json.dumps({"cuerpo": s}) if name == "b.jsonl" else f"{s}\n" for s in part]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = PoolConfig(text_field="cuerpo")
    both = gather(str(folder), task, config)
    assert len(both.examples) == 9
    assert gather(f"{folder}/b.jsonl, {folder}/a.txt", task, config) == both
    with pytest.raises(InputError, match="cuerpo"):
        gather(str(folder), task, PoolConfig())
    with pytest.raises(InputError, match=r"nada\.txt"):
        gather(f"{folder}/nada.txt", task, config)


def test_labels_of_labelled_files_are_not_looked_at(task, tmp_path):
    path = tmp_path / "more.conll"
    path.write_text(small.conll(30, seed=99), encoding="utf-8")
    found = gather(str(path), task, PoolConfig()).examples
    assert found and all(not e.gold for e in found)


def examples(count):
    return [KIND.read(sentence) for sentence in SENTENCES[:count]]


class Teacher:
    """Surer of each example than of the one before it; remembers whom it was asked about."""

    def __init__(self):
        self.asked = []

    def __call__(self, some):
        self.asked.append([e.texts[0] for e in some])
        at = [SENTENCES.index(e.texts[0]) for e in some]
        return [{"label": np.asarray([[0.1 * n, 0.0]], dtype=np.float32)} for n in at]


def pool(count, teacher, monkeypatch, chunk=4, **how):
    monkeypatch.setattr(unlabelled, "CHUNK", chunk)
    return Pool(Unlabelled(examples(count), PoolConfig(**how)), teacher, list)


def test_an_epoch_goes_on_where_the_one_before_it_stopped(monkeypatch):
    teacher = Teacher()
    some = pool(10, teacher, monkeypatch)
    taken = [some.take(3 * epoch, 3) for epoch in range(4)]
    texts = [e.texts[0] for features, _ in taken for e in features]
    # Beyond the last comes the first again.
    assert texts == [*SENTENCES[:10], *SENTENCES[:2]]
    scores = [float(entry["label"][0, 0]) for _, entries in taken for entry in entries]
    np.testing.assert_allclose(scores, [0.1 * (n % 10) for n in range(12)], atol=1e-6)
    # A chunk at a time, each once as long as it is near.
    assert [len(part) for part in teacher.asked[:3]] == [4, 4, 2]


def test_what_an_epoch_takes_does_not_depend_on_others(monkeypatch):
    first, second = (pool(10, Teacher(), monkeypatch) for _ in range(2))
    for epoch in range(3):
        first.take(4 * epoch, 4)
    (texts, scores), (others, same) = first.take(12, 4), second.take(12, 4)
    assert texts == others
    np.testing.assert_array_equal([e["label"] for e in scores], [e["label"] for e in same])


def test_a_teacher_that_is_not_sure_leaves_out(monkeypatch):
    # 1 / (1 + exp(-0.1 n)) >= 0.6 from n = 5 on.
    some = pool(8, Teacher(), monkeypatch, confidence=0.6)
    features, _ = some.take(0, 4)
    assert [e.texts[0] for e in features] == [*SENTENCES[5:8], SENTENCES[5]]
    with pytest.raises(InputError, match=r"as sure as 0\.99"):
        pool(8, Teacher(), monkeypatch, confidence=0.99)


def test_confidence_is_the_mean_of_the_highest_probabilities():
    entry = {
        "start": np.log(np.asarray([[0.5, 0.3, 0.2]])),
        "end": np.asarray([[np.log(0.9), np.log(0.1), -np.inf]]),
    }
    assert confidence_of(entry) == pytest.approx(0.7)
    assert confidence_of({"tag": np.zeros((0, 3))}) == 0.0


@pytest.mark.usefixtures("known", "one_thread")
@pytest.mark.parametrize("ending", ["conll", "tsv", "json", "conllu"])
def test_a_student_learns_from_text_without_labels(tmp_path, data, text, ending, capsys):
    flags = [*small.files(data, ending), "--threads", "1"]
    teacher = tmp_path / "teacher"
    made = ["--model", small.STUDENT, "--out", str(teacher)]
    assert main(["finetune", *flags, *small.fit(epochs=1), *made]) == 0
    capsys.readouterr()
    text.write_text(
        " ".join(f"En el año 19{n:02d} Ana García fue a Córdoba." for n in range(60)),
        encoding="utf-8",
    )
    taught = ["--teacher", str(teacher), "--student", small.STUDENT]
    taught += ["--cache", str(tmp_path / "cache"), *small.fit(epochs=2)]
    more = ["--unlabeled", str(text), "--pool.ratio", "0.5"]
    plain, mixed, again = (str(tmp_path / name) for name in ("plain", "mixed", "again"))
    assert main(["distill", *flags, *taught, "--out", plain]) == 0
    assert main(["distill", *flags, *taught, *more, "--out", mixed]) == 0
    rows = [json.loads((tmp_path / n / "results.json").read_text())["models"]["student"]
            for n in ("plain", "mixed")]  # fmt: skip
    # Half as many examples again, in each epoch.
    assert rows[1]["steps"] == pytest.approx(1.5 * rows[0]["steps"], abs=2)
    capsys.readouterr()
    assert main(["distill", *flags, *taught, *more, "--out", again]) == 0
    said = capsys.readouterr().err
    assert ", 0 computed" in said and "from the cache" in said
    weights = [
        (tmp_path / n / "model" / "model.safetensors").read_bytes() for n in ("mixed", "again")
    ]
    assert weights[0] == weights[1]
    # Another pool is another run.
    text.write_text(text.read_text().replace("Ana", "Eva"), encoding="utf-8")
    assert main(["distill", *flags, *taught, *more, "--out", again]) == 2
    assert "other" in capsys.readouterr().err


def test_a_run_without_a_pool_is_known_as_before():
    from ligero import config

    plain = config.DistillRunConfig(teacher="x")
    assert not {"unlabeled", "pool"} & config.identity(plain).keys()
    mixed = replace(plain, unlabeled="t.txt", pool=PoolConfig(ratio=2.0))
    assert config.identity(mixed)["pool"] == {"ratio": 2.0}

"""A task's examples, put together: what is dropped, set aside, renamed, fetched, and what is said."""

import json
from dataclasses import replace

import pytest
from huggingface_hub import constants

import small
from hub_server import HubServer, Repository, point_to
from ligero.cli import main
from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.tasks import catalog, source
from ligero.tasks.catalog import HubFiles


def squad(questions):
    """SQuAD JSON of (id, context, question, answer)."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": id_,
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.find(answer)}],
                }
            ],
        }
        for id_, context, question, answer in questions
    ]
    return json.dumps({"data": [{"paragraphs": paragraphs}]})


@pytest.fixture
def qa(tmp_path):
    """A data folder with the files of tar-small: two of its ids are also in XQuAD."""
    contexts = [f"En 19{n:02} nació Ana {n}." for n in range(40)]
    train = [
        (f"{n}-{q}", c, f"¿{q} de {n}?", f"19{n:02}")
        for n, c in enumerate(contexts)
        for q in ("Año", "Fecha")
    ]
    train += [("empty", contexts[0], "¿Quién?", "")]
    test = [
        ("3-Año", "Nació en 1999.", "¿Cuándo?", "1999"),
        ("x", contexts[9], "¿Año de 9?", "1909"),
    ]
    test += [("4-Año", "Murió en 1998.", "¿Cuándo?", "1998")]
    for name, rows in (("tar/dev-v1.1-es_small.json", train), ("xquad/xquad.es.json", test)):
        path = tmp_path / "glues" / name
        path.parent.mkdir(parents=True)
        path.write_text(squad(rows))
    return tmp_path


def test_ids_of_the_test_questions_are_dropped_and_every_change_is_said(qa):
    task = source.load(DataConfig(task="tar-small", folder=str(qa)))
    ids = {e.id for split in (task.train, task.dev) for e in split.examples}
    assert len(ids) == 78 and not ids & {"3-Año", "4-Año", "empty"}
    assert len(task.test.examples) == 3 and task.labels == ("answer",)
    said = "\n".join(task.notes)
    for expected in (
        "2 examples of train dropped: their ids are in test",
        "dev-v1.1-es_small.json: 1 dropped: an empty answer",
        "dev-v1.1-es_small.json: 1 dropped: no answer left",
        "dev-v1.1-es_small.json: 80 examples, where the complete file has 6,583",
        "xquad.es.json: 3 examples, where the complete file has 1,190",
    ):
        assert expected in said
    # Which folder they lie in is this machine's own.
    assert str(qa) not in said


def test_questions_about_one_context_are_not_parted(qa):
    task = source.load(DataConfig(task="tar-small", folder=str(qa)))
    contexts = [{e.texts[1] for e in split.examples} for split in (task.train, task.dev)]
    assert contexts[1] and not contexts[0] & contexts[1]


def test_hypotheses_about_one_premise_are_not_parted(tmp_path):
    rows = ["premise\thypothesis\tlabel"]
    rows += [
        f"Premisa {n}.\tHipótesis {h} de {n}.\t{h}"
        for n in range(60)
        for h in ("entailment", "neutral", "contradiction")
    ]
    (tmp_path / "train.tsv").write_text("\n".join(rows))
    task = source.load(DataConfig(train=str(tmp_path / "train.tsv")))
    premises = [{e.texts[0] for e in split.examples} for split in (task.train, task.dev)]
    assert premises[1] and not premises[0] & premises[1]
    assert len(task.train.examples) + len(task.dev.examples) == 180


def test_labels_have_one_name_in_all_files_of_a_task(tmp_path):
    folder = tmp_path / "xnli"
    folder.mkdir()
    head = "premise\thypo\tlabel\n"
    (folder / "multinli.train.es.tsv").write_text(
        head + "Uno.\tDos.\tcontradictory\nTres.\tCuatro.\tneutral\nCinco.\tSeis.\tentailment\n"
    )
    head = "language\tgold_label\tsentence1\tsentence2\n"
    for name in ("dev", "test"):
        (folder / f"xnli.{name}.es.tsv").write_text(
            head + f"es\tcontradiction\tSiete {name}.\tOcho.\n"
        )
    task = source.load(DataConfig(task="xnli", folder=str(tmp_path)))
    assert task.labels == ("contradiction", "entailment", "neutral")
    assert task.train.examples[0].gold["label"] == ("contradiction",)


def test_a_relation_that_training_lacks_is_said_and_one_that_is_a_label_is_an_error(tmp_path):
    for seed, name in enumerate(("train", "dev", "test")):
        (tmp_path / f"{name}.conllu").write_text(small.conllu(30, seed))
    odd = (tmp_path / "test.conllu").read_text().replace("\tobj\t", "\tlist\t")
    (tmp_path / "test.conllu").write_text(odd)
    files = {name: str(tmp_path / f"{name}.conllu") for name in ("train", "dev", "test")}
    task = source.load(DataConfig(**files))
    assert "list" not in task.labels
    assert any("test.conllu: list (" in note and "counted as wrong" in note for note in task.notes)
    gold = [task.kind.gold(e, task.labels)["relation"] for e in task.test.examples]
    assert any((g == -100).any() for g in gold)
    changed = (tmp_path / "test.conllu").read_text().replace("\tNOUN\t", "\tNOUNS\t")
    (tmp_path / "test.conllu").write_text(changed)
    with pytest.raises(InputError, match=r"test.conllu:\d+: found the label 'NOUNS' of word \d"):
        source.load(DataConfig(**files, kind="tag"))


def test_questions_that_a_model_cannot_leave_unanswered_are_said(tmp_path):
    for name in ("train", "dev", "test"):
        rows = [(f"{name}{n}", f"En 19{n} nació {name}.", "¿Año?", f"19{n}") for n in range(10, 20)]
        (tmp_path / f"{name}.json").write_text(squad(rows))
    none = json.loads((tmp_path / "test.json").read_text())
    for paragraph in none["data"][0]["paragraphs"][:3]:
        paragraph["qas"][0]["answers"] = []
    (tmp_path / "test.json").write_text(json.dumps(none))
    files = {name: str(tmp_path / f"{name}.json") for name in ("train", "dev", "test")}
    task = source.load(DataConfig(**files))
    expected = "test.json: no answer (3) does not occur in train.json; counted as wrong"
    assert expected in task.notes


def test_what_is_not_at_hand_comes_from_the_hub_if_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    entry = catalog.find("topics-sib200")
    head = "index_id\tcategory\ttext\n"
    rows = {
        name: head + f"1\tsports\tGol {name}.\n2\ttravel\tTren {name}.\n" for name in entry.files
    }
    files = {f"data/spa_Latn/{name}.tsv": text.encode() for name, text in rows.items()}
    repository = Repository(files)
    hub = HubFiles("Davlan/sib200", repository.commit, entry.hub.files)
    monkeypatch.setitem(catalog.TASKS, entry.name, replace(entry, hub=hub))
    folder = tmp_path / "data" / "topics-sib200"
    folder.mkdir(parents=True)
    (folder / "test.tsv").write_text(rows["test"].replace("Gol", "Partido"))
    config = DataConfig(task=entry.name, folder=str(tmp_path / "data"))
    with pytest.raises(InputError, match=r"--hub true fetches it .*Davlan/sib200.*licence: Apache"):
        source.load(config)
    with HubServer({"datasets/Davlan/sib200": repository}) as server:
        point_to(monkeypatch, server.url)
        task = source.load(replace(config, hub=True))
        assert server.fetched == ["data/spa_Latn/train.tsv", "data/spa_Latn/dev.tsv"]
        own = f"hf://datasets/Davlan/sib200@{repository.commit}/data/spa_Latn/train.tsv"
        mine = source.load(DataConfig(train=own, dev=own))
    assert [e.texts[0] for e in task.train.examples] == ["Gol train.", "Tren train."]
    assert task.test.examples[0].texts == ("Partido test.",)
    assert mine.train.examples == task.train.examples


def test_a_task_tells_all_about_itself(tmp_path, capsys):
    assert main(["tasks", "sqac", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for expected in ("PlanTL-GOB-ES/SQAC@f9928e88", "CC BY-SA 4.0", "MarIA", "missing", "78.65"):
        assert expected in out
    assert main(["tasks", "sqca"]) == 2
    assert "did you mean sqac" in capsys.readouterr().err

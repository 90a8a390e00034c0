"""What is said of a distillation's settings before anything is trained, and by what a run is known."""

import json
from dataclasses import replace

import pytest

import small
from ligero import compress
from ligero.cli import main
from ligero.config import DataConfig, DistillConfig, PoolConfig, TaughtConfig
from ligero.errors import LigeroError
from ligero.tasks import source
from ligero.train import stages


@pytest.fixture
def task(data):
    return source.load(DataConfig(train=str(data / "train.conll"), dev=str(data / "dev.conll")))


@pytest.fixture
def begun(monkeypatch, known):
    """The names of the models whose training has begun: all that there is of it."""
    names = []

    def train(stage, *rest):
        stage.begins()
        names.append(stage.name)
        raise LigeroError("that is enough")

    monkeypatch.setattr(stages, "finetune", train)
    monkeypatch.setattr(stages, "distill", train)
    return names


@pytest.fixture
def road(data, tmp_path):
    return small.compress(data, tmp_path / "out", tmp_path / "cache")


def text(tmp_path, content):
    path = tmp_path / "texto.txt"
    path.write_text(f"{content}\n", encoding="utf-8")
    return ["--unlabeled", str(path)]


@pytest.mark.parametrize("named", ["nada.txt", "vacío.txt", "nada.txt,"])
def test_a_compression_reads_text_before_it_trains(road, begun, tmp_path, capsys, named):
    (tmp_path / "vacío.txt").write_text("\n")
    assert main([*road, "--unlabeled", str(tmp_path / named)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not begun and not (tmp_path / "out").exists()


def test_a_compression_is_known_by_its_text(road, begun, tmp_path, capsys):
    def run():
        code = main([*road, *text(tmp_path, content)])
        return code, capsys.readouterr().err

    content = "Ayer el tren de Logroño salió con dos horas de retraso."
    assert run()[0] == run()[0] == 1 and begun == ["teacher", "teacher"]
    content = content.replace("dos", "tres")
    code, said = run()
    assert code == 2 and "found a run begun with unlabelled = " in said and len(begun) == 2


def test_a_compression_without_text_is_known_as_before(road, begun, tmp_path):
    assert main(road) == 1
    identity = json.loads((tmp_path / "out" / "config.json").read_text())["identity"]
    assert "unlabelled" not in identity and {"content", "weights", "data"} - identity.keys() == {
        "data"
    }


@pytest.mark.parametrize("teachers", [",", "{0},", ",{0}", "{0}, ,{0}"])
def test_an_empty_name_is_no_teacher(data, begun, calm, tmp_path, monkeypatch, capsys, teachers):
    # Where a model of this very task would be found.
    monkeypatch.chdir(calm.out / "teacher")
    named = teachers.format(calm.out / "teacher")
    flags = [*small.files(data), "--student", small.STUDENT, "--out", str(tmp_path / "x")]
    assert main(["distill", *flags, "--teacher", named]) == 2
    assert "found a model without a name; expected" in capsys.readouterr().err
    assert not begun and not (tmp_path / "x").exists()


PLAIN = TaughtConfig()
IDLE = {
    "pool.ratio = 2.0 does nothing without unlabeled": {"pool": PoolConfig(ratio=2.0)},
    "pool.text_field = x does nothing without unlabeled": {"pool": PoolConfig(text_field="x")},
    "pool.ratio = 0.01 of 48 examples is no text without labels": {
        "unlabeled": "x.txt", "pool": PoolConfig(ratio=0.01),
    },
    "distill.average = probabilities does nothing without several teachers": {
        "distill": DistillConfig(average="probabilities")
    },
    "distill.temperature = 2 does nothing without distill.loss kl or ce": {
        "distill": DistillConfig(loss="mse", temperature=2)
    },
    "distill.relation_heads = 4 does nothing without distill.relations": {
        "distill": DistillConfig(hidden=1.0, relation_heads=4)
    },
    "distill.teacher_layer = 1 does nothing without distill.relations or distill.hidden": {
        "distill": DistillConfig(teacher_layer=1)
    },
    "distill.student_layer = 1 does nothing without distill.relations or distill.hidden": {
        "distill": DistillConfig(student_layer=1)
    },
}  # fmt: skip


@pytest.mark.parametrize("said", IDLE)
def test_what_has_no_effect_is_said(task, said):
    assert stages.without_effect(replace(PLAIN, **IDLE[said]), task, teachers=1) == [said]


@pytest.mark.parametrize(
    ("given", "teachers"),
    [
        ({}, 1),
        ({"unlabeled": "x.txt", "pool": PoolConfig(ratio=0.02, confidence=0.5, limit=9)}, 1),
        ({"distill": DistillConfig(average="probabilities", temperature=2)}, 2),
        ({"distill": DistillConfig(relations=1.0, relation_heads=4, teacher_layer=1)}, 1),
        ({"distill": DistillConfig(hidden=1.0, teacher_layer=1, student_layer=1)}, 1),
        ({"distill": DistillConfig(loss="mse")}, 1),
    ],
)
def test_what_has_one_is_not(task, given, teachers):
    assert stages.without_effect(replace(PLAIN, **given), task, teachers) == []


def test_it_is_said_at_the_beginning_and_stops_nothing(road, begun, data, calm, tmp_path, capsys):
    idle = ["--pool.ratio", "2", "--distill.average", "probabilities"]
    assert main([*road, *idle]) == 1 and begun == ["teacher"]
    distil = ["distill", *small.files(data), "--student", small.STUDENT, "--threads", "1"]
    distil += ["--out", str(tmp_path / "x"), "--cache", str(tmp_path / "cache")]
    teacher = str(calm.out / "teacher")
    notes = capsys.readouterr().err
    assert main([*distil, "--teacher", teacher, *idle]) == 1
    for said in (notes, capsys.readouterr().err):
        assert "note pool.ratio = 2.0 does nothing without unlabeled" in said
        assert "note distill.average = probabilities does nothing" in said
    # Of two teachers one of them has a use for it.
    assert main([*distil, "--teacher", f"{teacher},{teacher}", *idle]) == 1
    assert "average" not in capsys.readouterr().err


def test_text_is_gathered_as_it_was_asked_for(task, tmp_path):
    named = text(tmp_path, "Ayer el tren de Logroño salió con dos horas de retraso.")[1]
    asked = replace(PLAIN, unlabeled=named)
    assert len(compress._unlabelled(asked, task).examples) == 1
    assert compress._unlabelled(PLAIN, task) is None

"""Several teachers as one: what is averaged, and a student that learns from two vocabularies."""

import json

import numpy as np
import pytest

import small
from ligero.cli import main
from ligero.train.teacher import average


def entry(*scores):
    return {"tag": np.asarray(scores, dtype=np.float32)}


FIRST = [entry([2.0, 0.0, -np.inf], [0.0, 0.0, 0.0])]
SECOND = [entry([0.0, 4.0, -np.inf], [0.0, 3.0, 0.0])]


def test_logits_are_averaged_as_they_are():
    (found,) = average([FIRST, SECOND], "logits")
    np.testing.assert_array_equal(found["tag"], [[1, 2, -np.inf], [0, 1.5, 0]])
    assert found["tag"].dtype == np.float32


def test_probabilities_are_averaged_as_such():
    (found,) = average([FIRST, SECOND], "probabilities")

    def softmax(scores):
        powers = np.exp(scores)
        return powers / powers.sum(axis=1, keepdims=True)

    wanted = (softmax(FIRST[0]["tag"]) + softmax(SECOND[0]["tag"])) / 2
    np.testing.assert_allclose(np.exp(found["tag"]), wanted, atol=1e-6)
    np.testing.assert_allclose(np.exp(found["tag"]).sum(axis=1), 1, atol=1e-6)
    assert found["tag"][0, 2] == -np.inf


@pytest.mark.parametrize("space", ["logits", "probabilities"])
def test_equal_teachers_are_one(space):
    (found,) = average([SECOND, SECOND, SECOND], space)
    values = found["tag"]
    np.testing.assert_allclose(values[:, 1] - values[:, 0], [4, 3], atol=1e-5)


@pytest.mark.usefixtures("known", "one_thread")
@pytest.mark.parametrize("ending", ["conll", "conllu"])
def test_a_student_learns_from_two_vocabularies(tmp_path, data, ending, capsys):
    flags = [*small.files(data, ending), *small.fit(epochs=2), "--threads", "1"]
    for name, algorithm in (("a", "unigram"), ("b", "bpe")):
        made = [
            "--model",
            small.STUDENT,
            "--vocab.algorithm",
            algorithm,
            "--out",
            str(tmp_path / name),
        ]
        assert main(["finetune", *flags, *made]) == 0
    teachers = f"{tmp_path / 'a'},{tmp_path / 'b'}"
    taught = ["--teacher", teachers, "--student", small.STUDENT, "--out", str(tmp_path / "c")]
    taught += ["--cache", str(tmp_path / "cache"), "--vocab.size", "250"]
    assert main(["distill", *flags, *taught]) == 0
    models = json.loads((tmp_path / "c" / "results.json").read_text())["models"]
    assert list(models) == ["teacher 1", "teacher 2", "student"]
    assert len([p for p in (tmp_path / "cache" / "teachers").iterdir() if p.is_dir()]) == 2
    # A folder whose name has a comma is one teacher.
    (tmp_path / "a").rename(tmp_path / "a,b")
    one = ["--teacher", str(tmp_path / "a,b"), "--student", small.STUDENT, "--vocab.size", "250"]
    one += ["--out", str(tmp_path / "d"), "--cache", str(tmp_path / "cache")]
    assert main(["distill", *flags, *one]) == 0
    (tmp_path / "a,b").rename(tmp_path / "a")
    again = ["--distill.average", "probabilities"]
    capsys.readouterr()
    assert main(["distill", *flags, *taught, *again]) == 2
    assert "average" in capsys.readouterr().err

"""Distillation from inside: losses against loops, the whole objective, its stages, and whole runs."""

import functools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from test_learning import (
    asked,
    classified,
    features,
    gradient,
    model_for,
    parsed,
    tagged,
    tokenizer,
)
from test_learning import other_tokenizer as train_other

import small
from ligero.cli import main
from ligero.config import DataConfig, DistillConfig, FitConfig, PoolConfig, identity
from ligero.errors import InputError
from ligero.models import build
from ligero.runs import sha256
from ligero.tasks import source
from ligero.tasks.words import worded
from ligero.train import inside, loop
from ligero.train.distill import Distill
from ligero.train.progress import Progress
from ligero.train.scorer import score
from ligero.train.trained import Trained
from ligero.train.unlabelled import Pool, Unlabelled

__all__ = ["tokenizer"]

pytestmark = pytest.mark.usefixtures("one_thread")

MAKERS = [tagged, classified, asked, parsed]
ALL = DistillConfig(alpha=0.3, relations=0.5, hidden=0.25)
PLAIN = FitConfig()
COUNTS = (5, 1, 0, 3)
other_tokenizer = functools.cache(train_other)


def pairs(count, seed=0, longest=40):
    return classified(count, seed, longest, texts=2)


@pytest.fixture
def vectors():
    """Words' vectors of four examples, 5, 1, 0 and 3 words: of width 12 and 8; which are there."""
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(4, 5, width, generator=generator, dtype=torch.float64) for width in (12, 8)]
    return *made, torch.arange(5) < torch.tensor(COUNTS).unsqueeze(1)


def relations(own, heads):
    """[heads][words, words]: each word's distribution over all."""
    size = own.shape[1] // heads
    cut = [own[:, n * size : (n + 1) * size] for n in range(heads)]
    return [torch.softmax(part @ part.T / math.sqrt(size), dim=1) for part in cut]


def naive(student, teacher, heads):
    """The mean over heads and words of KL(teacher || student), a word and a head at a time."""
    total = 0.0
    for p, q in zip(relations(teacher, heads), relations(student, heads), strict=True):
        for word in range(len(p)):
            total += float((p[word] * (p[word] / q[word]).log()).sum())
    return total / (heads * len(teacher)) if len(teacher) else 0.0


@pytest.mark.parametrize("most", [1, 30, 1000])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_relations_against_a_loop(vectors, heads, most, monkeypatch):
    monkeypatch.setattr(inside, "MOST_RELATIONS", most)
    student, teacher, present = vectors
    found = inside.relation_loss(student, teacher, present, heads)
    expected = [naive(student[i, :n], teacher[i, :n], heads) for i, n in enumerate(COUNTS)]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)
    assert found[0] > 0.01 and found[1] == found[2] == 0
    assert inside.relation_loss(teacher, teacher, present, heads).abs().max() < 1e-12


def test_states_against_a_loop(vectors):
    _, teacher, present = vectors
    student = teacher.flip(0, 1)
    found = inside.state_loss(student, teacher, present)
    for i, n in enumerate(COUNTS):
        squares = [(student[i, w, c] - teacher[i, w, c]) ** 2 for w in range(n) for c in range(8)]
        assert float(found[i]) == pytest.approx(sum(squares) / max(1, len(squares)))
    assert inside.state_loss(teacher, teacher, present).abs().max() == 0


@pytest.mark.parametrize("most", [1, 1000])
def test_gradients_are_right_and_words_that_are_not_there_have_none(vectors, most, monkeypatch):
    monkeypatch.setattr(inside, "MOST_RELATIONS", most)
    student, teacher, present = vectors
    of_one_width = teacher.clone().mul(0.5).requires_grad_()
    student.requires_grad_()
    for own, loss in (
        (student, lambda x: inside.relation_loss(x, teacher, present, 2)),
        (of_one_width, lambda x: inside.state_loss(x, teacher, present)),
    ):
        assert torch.autograd.gradcheck(loss, own)
        (grad,) = torch.autograd.grad(loss(own).sum(), own)
        assert torch.isfinite(grad).all()
        assert (grad[~present] == 0).all() and grad[present].abs().sum() > 0


def test_heads_divide_both_widths():
    assert inside._heads(0, 768, 768) == 48 and inside._heads(0, 1024, 384) == 64
    assert inside._heads(0, 768, 312) == 24 and inside._heads(0, 768, 256) == 32
    assert inside._heads(0, 7, 8) == 1 and inside._heads(6, 768, 312) == 6
    with pytest.raises(InputError, match=r"5 relation heads for widths of 12 and 8; .* 1, 2, 4,"):
        inside._heads(5, 12, 8)


def trained(read, tokenizer, **changes):
    model = model_for(read, tokenizer, **changes)
    return Trained(model, tokenizer, read.kind, read.labels, read.window)


def taught(examples, tokenizer, config=ALL, fit=PLAIN, seed=0, others=()):
    """A student's objective and the student: the teacher has another vocabulary, window and width.

    others: examples without labels, of which an epoch has a third as many as of the labelled ones.
    """
    examples, others = [worded(e) for e in examples], [worded(e) for e in others]
    own = features(examples, tokenizer, window=32)
    student = trained(own, tokenizer)
    shape = {"family": "beto-cased", "hidden_size": 48, "num_attention_heads": 4}
    read = features(examples, other_tokenizer(), window=48)
    teacher = trained(read, other_tokenizer(), seed=7, **shape)
    more = Unlabelled(others, PoolConfig(ratio=1 / 3))
    pool = Pool(more, teacher.scores, student.features) if others else None
    outputs = Distill(own, own, score(teacher.model, read), config, pool)
    pair = inside.pair(teacher.model.config, student.model.config, config)
    made = inside.deepen(outputs, student, teacher, pair, fit, seed)
    made.enter(0)
    return made, student.model


@pytest.mark.parametrize("make", [*MAKERS, pairs])
def test_the_objective_is_what_examples_one_by_one_make(make, tokenizer):
    """No batch, no padding: each example alone, its words read one by one."""
    objective, student = taught(make(6, longest=60), tokenizer)
    assert objective.rows.max() > 1 and student.projection.weight.shape == (48, 32)
    batch = objective.batch(np.arange(6), 0)
    found = objective.loss(student, batch)
    outputs = objective.outputs.loss(student, batch.student)
    assert found.weight == outputs.weight == objective.units.sum()
    total = float(outputs.total.detach())
    for i in range(6):
        seen = []
        for reader, model in (
            (objective.outputs.train, student),
            (objective.read, objective.model),
        ):
            with inside.look(model, 0) as layer:
                one = reader.batch(np.asarray([i]))
                model.base_model(**one.inputs)
            at = [(int(row), int(place)) for row, place in one.words]
            parts = (layer.queries, layer.keys, layer.values, layer.states)
            seen.append([torch.stack([part[p] for p in at]).detach() for part in parts])
        (*own, states), (*told, theirs) = seen
        assert len(states) == len(theirs) == len(objective.read.examples[i].words)
        apart = sum(naive(a, b, objective.pair.heads) for a, b in zip(own, told, strict=True))
        squares = (states @ student.projection.weight.T - theirs).square().mean()
        total += objective.units[i] * (0.5 * apart + 0.25 * squares.item())
    assert float(found.total.detach()) == pytest.approx(total, rel=1e-5)


def test_an_epoch_is_made_ready_once_and_not_before_it_is_gone_into(tokenizer, monkeypatch):
    take, starts = Pool.take, []

    def noted(pool, start, count):
        starts.append(start)
        return take(pool, start, count)

    monkeypatch.setattr(Pool, "take", noted)
    objective, _ = taught(tagged(9), tokenizer, others=tagged(9, 1))  # which goes into the first
    objective.enter(2)
    assert starts == [0, 6] and objective.size == 12 == len(objective.rows)


@pytest.mark.parametrize("make", MAKERS)
def test_gradient_does_not_depend_on_how_a_batch_is_cut(make, tokenizer):
    objective, student = taught(make(24, longest=60), tokenizer)
    ids = np.arange(24)
    plain = gradient(student, objective, ids, batch_tokens=10**6)
    assert plain["projection.weight"].abs().max() > 1e-4
    for cut in ({"accumulation": 4, "batch_tokens": 10**6}, {"batch_tokens": 64}):
        other = gradient(student, objective, np.random.default_rng(5).permutation(ids), **cut)
        apart = torch.cat([(other[k] - v).flatten() for k, v in plain.items()]).norm()
        whole = torch.cat([v.flatten() for v in plain.values()]).norm()
        assert float(apart / whole) < 1e-6, cut


def test_a_student_that_is_its_teacher_has_nothing_to_learn(tokenizer):
    config = DistillConfig(relations=1.0, hidden=1.0)
    for make in MAKERS:
        read = features([worded(e) for e in make(6)], tokenizer)
        student, teacher = trained(read, tokenizer), trained(read, tokenizer)
        model = student.model
        outputs = Distill(read, read, score(model, read), config)
        pair = inside.pair(teacher.model.config, model.config, config)
        objective = inside.deepen(outputs, student, teacher, pair, PLAIN, seed=0)
        objective.enter(0)
        assert not hasattr(model, inside.PROJECTION)

        def whole(objective=objective, model=model):
            return objective.loss(model, objective.batch(np.arange(6), 0)).total.item()

        assert whole() < 1e-4
        with torch.no_grad():
            model.base_model.embeddings.tok_embeddings.weight.mul_(-1.5)
        assert whole() > 1e-2


def test_bf16_is_near_and_losses_are_fp32(tokenizer):
    objective, student = taught(tagged(16), tokenizer)
    ids = np.arange(16)
    whole, half = (
        torch.cat([g.flatten() for g in gradient(student, objective, ids, precision=p).values()])
        for p in ("fp32", "bf16")
    )
    assert 0 < float((whole - half).norm() / whole.norm()) < 0.05
    with torch.autocast("cpu", torch.bfloat16):
        assert objective.loss(student, objective.batch(ids, 0)).total.dtype == torch.float32


@pytest.mark.parametrize("make", [classified, pairs])
def test_words_for_texts_change_no_score(make, tokenizer):
    examples = [*make(6, longest=60), without_words(make)]
    with_words = [worded(e) for e in examples]
    assert all(worded(e) is e for e in with_words) and with_words[-1].words == ()
    words = with_words[0].words
    assert " ".join(with_words[0].texts[-1][a:b] for a, b in words).split() == [
        with_words[0].texts[-1][a:b] for a, b in words
    ]
    plain, read = (
        features(examples, tokenizer, window=32),
        features(with_words, tokenizer, window=32),
    )
    model = model_for(plain, tokenizer)
    for one, other in zip(score(model, plain), score(model, read), strict=True):
        assert (one["label"] == other["label"]).all()
    # A batch without any words has a loss, too, and a gradient.
    objective, student = taught(examples, tokenizer)
    assert objective.read.examples[-1].words == ()
    found = gradient(student, objective, np.asarray([6]))
    assert all(torch.isfinite(g).all() for g in found.values())


def without_words(make):
    (example,) = make(1, seed=9)
    return replace(example, id="6", texts=(*example.texts[:-1], " "))


@pytest.mark.parametrize(
    ("bucketed", "share", "steps", "alone"),
    [(True, 0.5, 0, 8), (False, 0.4, 7, 3), (True, 1, 3, 3), (True, 0, 2, 0)],
)
def test_the_first_stage_is_a_share_of_the_steps(
    tokenizer, tmp_path, monkeypatch, bucketed, share, steps, alone
):
    """Of an epoch's five steps, too, whose examples and lengths are not those of the one before."""
    fit = FitConfig(
        epochs=3, steps=steps, batch_size=6, batch_tokens=128, bucketed=bucketed, select="last"
    )
    config = replace(ALL, first=share)
    objective, student = taught(
        tagged(22, longest=9), tokenizer, config, fit, seed=3, others=tagged(30, 1, longest=15)
    )
    head = student.classifier.weight.detach().clone()
    numbers, found = [], set()
    plain_step, plain_batch = loop.step, objective.batch

    def step(*given, number, **how):
        numbers.append(number)
        return plain_step(*given, number=number, **how)

    def batch(ids, epoch):
        made = plain_batch(ids, epoch)
        # Both have read the same words.
        assert len(made.student.words) == len(made.teacher.words)
        assert [objective.read.examples[i] for i in ids] == [
            objective.outputs.train.examples[i] for i in ids
        ]
        found.add((numbers[-1], made.alone))
        return made

    monkeypatch.setattr(loop, "step", step)
    monkeypatch.setattr(objective, "batch", batch)
    progress = Progress("student")
    loop.fit(student, objective, config=fit, peak=1e-3, seed=3, folder=tmp_path, progress=progress)
    assert found == {(n, n <= alone) for n in range(1, (steps or 15) + 1)}
    # What the outputs alone would teach has not moved before its turn.
    assert torch.equal(student.classifier.weight, head) == (share == 1)


class KilledError(Exception):
    pass


def test_a_killed_run_comes_to_the_same_bits(tokenizer, tmp_path):
    """Killed within a step, in the first stage and after it; the map learns along either way."""
    fit = FitConfig(epochs=1, batch_size=6, checkpoint_seconds=0, select="last")
    config = replace(ALL, first=0.5)

    def run(folder, dies=0):
        objective, student = taught(tagged(24, longest=9), tokenizer, config, fit)
        drawn = student.projection.weight.detach().clone()
        plain, steps = objective.loss, []

        def loss(model, batch):
            steps.append(batch)
            if len(steps) == dies:
                raise KilledError
            return plain(model, batch)

        objective.loss = loss
        loop.fit(
            student, objective, config=fit, peak=1e-3, seed=0, folder=folder,
            progress=Progress("student"),
        )  # fmt: skip
        assert not torch.equal(student.projection.weight, drawn)
        return len(steps), {n: p.detach().clone() for n, p in student.named_parameters()}

    _, expected = run(tmp_path / "calm")
    assert "projection.weight" in expected
    for at in (2, 4):
        with pytest.raises(KilledError):
            run(tmp_path / str(at), dies=at)
        steps, found = run(tmp_path / str(at))
        assert steps == 4 - (at - 1)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[n], p) for n, p in expected.items())


NEW = {"relations", "hidden", "relation_heads", "teacher_layer", "student_layer", "first"}


def flags(data, out, teacher, *more):
    return [
        "distill", *small.files(data, "tsv"), "--teacher", teacher,
        "--student", small.STUDENT, *small.fit(epochs=1),
        "--vocab.size", "250", "--threads", "1", "--out", str(out),
        "--cache", str(out.parent / "cache"), *more,
    ]  # fmt: skip


@pytest.fixture
def teacher(tmp_path, data, known):
    """A teacher of topics that is wider than the students and has learned nothing."""
    task = source.load(DataConfig(**{n: str(data / f"{n}.tsv") for n in ("train", "dev", "test")}))
    read = features(task.train.examples, other_tokenizer())
    shape = {"family": "beto-cased", "hidden_size": 48, "num_attention_heads": 3}
    model = model_for(read, other_tokenizer(), **shape)
    Trained(model, other_tokenizer(), task.kind, task.labels, 48).save(tmp_path / "teacher")
    return str(tmp_path / "teacher")


def test_a_run_leaves_a_student_like_any_other(tmp_path, data, teacher, capsys):
    plain, deep = tmp_path / "plain", tmp_path / "deep"
    assert main(flags(data, plain, teacher)) == 0
    # A run without the new settings is known as it was before there were any.
    begun = json.loads((plain / "config.json").read_text())["identity"]["distill"]
    assert begun.keys().isdisjoint(NEW)
    before = sha256(plain / "manifest.json")
    zeros = [text for name in NEW for text in (f"--distill.{name.replace('_', '-')}", "0")]
    assert main(flags(data, plain, teacher, *zeros)) == 0
    assert sha256(plain / "manifest.json") == before

    ask = ["--distill.relations", "1", "--distill.hidden", "0.5", "--distill.first", "0.5"]
    assert main(flags(data, deep, teacher, *ask)) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "layer 2 of the teacher beside 2 of the student, 2 relation heads" in said
    models = [load_file(out / "model" / "model.safetensors") for out in (plain, deep)]
    assert models[0].keys() == models[1].keys()
    assert not all(torch.equal(w, models[1][n]) for n, w in models[0].items())
    rows = [
        json.loads((p / "results.json").read_text())["models"]["student"] for p in (plain, deep)
    ]
    assert rows[0]["parameters"] == rows[1]["parameters"]
    assert main(["predict", str(deep), "gol en la liga"]) == 0
    begun = json.loads((deep / "config.json").read_text())["identity"]["distill"]
    assert (begun["relations"], begun["hidden"], begun["first"]) == (1, 0.5, 0.5)
    capsys.readouterr()
    assert main(flags(data, deep, teacher, *ask, "--distill.relation-heads", "4")) == 2
    assert "relation_heads" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--distill.teacher-layer", "9"], "found layer 9; expected 1 to"),
        (["--distill.student-layer", "9"], "found layer 9; expected 1 to"),
        (["--distill.relation-heads", "5"], "5 relation heads for widths of 48 and 32"),
        (["--distill.first", "0.5", "--patience", "2"], "found patience 2 with distill.first = 0.5"),
        (["--distill.first", "0.5", "--distill.relations", "0"], "found distill.first = 0.5; expected"),
        (["--distill.first", "2"], "from 0 to 1"),
    ],
)  # fmt: skip
def test_bad_settings_are_said_in_one_line(tmp_path, data, teacher, capsys, given, message):
    assert main(flags(data, tmp_path / "out", teacher, "--distill.relations", "1", *given)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def stranger(folder, tokenizer):
    """A student of a family whose queries, keys and values are not known."""
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    shape = transformers.MPNetConfig(vocab_size=300, hidden_size=32, **sizes)
    build.save(transformers.MPNetModel(shape), tokenizer, folder, max_length=64)
    return str(folder)


def test_a_family_that_is_not_known_is_refused_before_anything_is_trained(
    tmp_path, data, teacher, tokenizer, capsys
):
    student = stranger(tmp_path / "mpnet", tokenizer)
    ask = ["--student", student, "--distill.hidden", "1"]
    assert main(flags(data, tmp_path / "out", teacher, *ask)) == 2
    assert "found a model of type mpnet; expected layers with" in capsys.readouterr().err
    assert main([*small.compress(data, tmp_path / "out", tmp_path / "cache"), *ask]) == 2
    assert "found a model of type mpnet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("known")
def test_a_compression_says_so_before_it_trains_a_teacher(tmp_path, data, capsys):
    ask = ["--distill.hidden", "1", "--distill.student-layer", "3"]
    assert main([*small.compress(data, tmp_path / "out", tmp_path / "cache"), *ask]) == 2
    assert "found layer 3; expected 1 to 2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_not_asked_for_is_not_there():
    assert not inside.is_asked(DistillConfig(), PLAIN) and inside.is_asked(ALL, PLAIN)
    assert identity(DistillConfig()).keys().isdisjoint(NEW)
    assert identity(DistillConfig(hidden=0.5)).keys() & NEW == {"hidden"}

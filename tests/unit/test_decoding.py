"""Ways of choosing a sentence's tags, along the road: trained, saved, exported, taught."""

import itertools
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import transformers

import small
from ligero import compress, config
from ligero.cli import main
from ligero.config import DistillConfig, FitConfig
from ligero.errors import DamagedError, InputError
from ligero.export import build as exporting
from ligero.export.gate import Gate
from ligero.models import build, crf
from ligero.reader import open_reader
from ligero.runs import read_json
from ligero.runtime import Predictor
from ligero.runtime.card import HEAD, Card
from ligero.tasks import kinds, source
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import softmax
from ligero.tasks.kinds.tag import Tag
from ligero.train import loop, optim
from ligero.train.distill import Distill
from ligero.train.finetune import Supervised, cross_entropy, gold_loss
from ligero.train.scorer import choices, evaluate, score
from ligero.train.teacher import TeacherCache, example_digest
from ligero.train.trained import load

pytestmark = pytest.mark.usefixtures("one_thread", "known")
BIO = ("O", "B-PER", "I-PER")
LEARNED = ("start", "moves", "end")
TEXT = "Ayer llegó Íñigo Peña a La Rioja ."


def finetune(data, out, *more):
    return [*small.finetune(data, out), "--window", "40", *more]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, data):
    """One short run for each way of decoding."""
    place = tmp_path_factory.mktemp("decoding")
    with small.known():
        for decoding in ("independent", "valid", "crf"):
            assert main(finetune(data, place / decoding, "--decoding", decoding)) == 0
    return place


@pytest.fixture(scope="module")
def task(data):
    files = {name: str(data / f"{name}.conll") for name in ("train", "dev", "test")}
    return source.load(config.DataConfig(**files))


@pytest.fixture(scope="module")
def exports(runs, task, tmp_path_factory):
    """What `ligero export` assembles of each run, in fp32."""
    place = tmp_path_factory.mktemp("exports")
    for decoding in ("independent", "valid", "crf"):
        trained = load(str(runs / decoding))
        facts = {"name": decoding, "buckets": exporting.lengths(trained.window), "task": None}
        exporting.assemble(place / decoding, trained, "openvino", "fp32", [], facts)
    return place


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_each_way_chooses_what_it_says():
    scores = {"tag": np.asarray([[0, 1, 3], [2, 0, 3], [2, 0, 3]], dtype=np.float32)}
    example, tag = Example("", ("a b c",), ((0, 1), (2, 3), (4, 5))), kinds.find("tag")
    assert tag.predict(example, scores, BIO)["tag"] == ("I-PER", "I-PER", "I-PER")
    valid = kinds.decoded(tag, BIO, "valid")
    assert valid.predict(example, scores, BIO)["tag"] == ("B-PER", "I-PER", "I-PER")
    # A new CRF knows no more than what is allowed; a word's chance is then over whole sentences.
    learned = kinds.decoded(tag, BIO, "crf", crf.CRF(BIO))
    assert learned.predict(example, scores, BIO) == valid.predict(example, scores, BIO)
    (one,) = valid.present(example, scores, BIO)
    assert one["probability"] == pytest.approx(softmax(scores["tag"])[0, 1])
    (one,) = learned.present(example, scores, BIO)
    chances = softmax(learned.beliefs(scores)["tag"])
    assert one["probability"] == pytest.approx(min(chances[0, 1], *chances[1:, 2]))
    assert chances[0, 2] == 0
    # Where tags are chosen alone all is as it was before.
    assert tag.beliefs(scores) is scores and valid.beliefs(scores)["tag"] is scores["tag"]
    assert tag.present(example, scores, BIO)[0]["probability"] == pytest.approx(
        softmax(scores["tag"]).max(axis=1).min()
    )


def test_gold_tags_of_another_scheme_are_learned_in_this_one():
    example = Example("", ("a b",), ((0, 1), (2, 3)), {"tag": ("I-PER", "I-PER")})
    tag = kinds.find("tag")
    assert list(tag.gold(example, BIO)["tag"]) == [2, 2]
    assert list(kinds.decoded(tag, BIO, "valid").gold(example, BIO)["tag"]) == [1, 2]


@pytest.mark.parametrize(
    ("labels", "way"),
    [
        (BIO, "valid"),
        (("O", "B-PER", "I-PER", "E-PER", "S-PER"), "valid"),
        # Of another scheme, of none, and categories that look like one.
        (("O", "I-PER"), "independent"),
        (("O", "B-PER", "I-PER", "E-PER"), "independent"),
        (("O", "B-PER", "I-PER", "L-PER", "U-PER"), "independent"),
        (("ADJ", "NOUN"), "independent"),
        (("O",), "independent"),
    ],
)
def test_left_to_ligero_tags_follow_the_scheme_that_they_are_of(labels, way):
    tag = kinds.find("tag")
    assert kinds.settled(tag, labels, "auto") == way
    assert (kinds.decoded(tag, labels, "auto") is tag) == (way == "independent")
    for kind in ("classify", "answer", "parse"):
        assert kinds.settled(kinds.find(kind), labels, "auto") == "independent"


def test_a_run_left_to_ligero_is_one_with_valid_tags(runs, data, tmp_path):
    assert main(finetune(data, tmp_path / "run")) == 0
    ours, valid = (load(str(folder)) for folder in (tmp_path / "run", runs / "valid"))
    assert ours.decoding == valid.decoding == "valid"
    first, second = (weights(trained.model) for trained in (ours, valid))
    assert all(torch.equal(first[n], second[n]) for n in first)


def test_how_tags_are_chosen_is_part_of_what_a_run_is():
    # A run of before chose each tag alone without a word of it, and is not gone on with in another way.
    assert config.identity(config.FinetuneConfig())["fit"]["decoding"] == "auto"
    flags = [config.flag(o) for o in config.options(config.CompressConfig)]
    assert {"--teacher-fit.decoding", "--student-fit.decoding"} <= set(flags)


def test_a_run_with_another_decoding_is_another_run(runs, data, capsys):
    assert main(finetune(data, runs / "crf", "--decoding", "crf")) == 0
    assert "already finished" in capsys.readouterr().err
    assert main(finetune(data, runs / "crf")) == 2
    assert "fit.decoding = 'crf'" in capsys.readouterr().err
    # Nothing is told of what plain transformers does, too.
    card = read_json(runs / "independent" / "model" / "ligero.json")
    assert card.keys() == {"kind", "labels", "window"}
    assert read_json(runs / "crf" / "model" / "ligero.json")["decoding"] == "crf"
    first, second = (weights(load(str(runs / d)).model) for d in ("independent", "valid"))
    assert first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def test_what_is_saved_is_what_was_trained(runs, task):
    trained = load(str(runs / "crf"))
    assert isinstance(trained.kind, Tag) and trained.decoding == "crf"
    learned = crf.of(trained.model)
    assert all(getattr(learned, name).abs().sum() > 0.01 for name in LEARNED)
    # The figures of the run are those of the way that it decodes by.
    results = read_json(runs / "crf" / "results.json")["models"]["model"]
    assert evaluate(trained.model, trained.features(task.dev.examples)) == results["dev"]
    # In another order of the labels it says the same.
    turned = load(str(runs / "crf"), labels=task.labels[::-1])
    for example in task.test.examples:
        one, other = (
            t.kind.predict(example, t.scores([example])[0], t.labels) for t in (trained, turned)
        )
        assert one == other
    assert np.allclose(crf.of(turned.model).chain().moves, learned.chain().moves[::-1, ::-1])


def test_a_run_that_was_stopped_comes_to_the_same_bits(runs, data, tmp_path):
    table = {
        "data": {name: str(data / f"{name}.conll") for name in ("train", "dev", "test")},
        "model": small.STUDENT, "vocab": {"size": 300},
        "fit": {"epochs": 3, "batch_size": 8, "checkpoint_seconds": 0, "select": "loss", "window": 40,
                "decoding": "crf"},
        "place": {"out": str(tmp_path / "x"), "threads": 1},
    }  # fmt: skip
    chosen = config.build(config.FinetuneConfig, table)

    def stop(metric):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress.finetune(chosen, watch=stop)
    compress.finetune(chosen)
    one, other = (weights(load(str(p)).model) for p in (runs / "crf", tmp_path / "x"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_plain_transformers_reads_the_folder(runs):
    trained = load(str(runs / "crf"))
    plain = transformers.AutoModelForTokenClassification.from_pretrained(runs / "crf" / "model")
    ids = torch.tensor([trained.tokenizer.encode(TEXT).ids])
    assert torch.equal(plain(ids).logits, trained.model(ids).logits)


def test_a_model_goes_on_from_the_transitions_that_it_has(runs, data, tmp_path, task):
    more = ["--steps", "0", "--epochs", "0", "--decoding", "crf"]
    again = [*finetune(data, tmp_path / "x"), *more]
    again[again.index("--model") + 1] = str(runs / "crf")
    assert main(again) == 0
    before, after = (weights(load(str(p)).model) for p in (runs / "crf", tmp_path / "x"))
    assert all(torch.equal(before[name], after[name]) for name in before)
    # For other labels there is nothing to go on from, and without it the encoder still is.
    model = load(str(runs / "crf")).model
    assert crf.attach(model, BIO, runs / "crf" / "model").moves.abs().sum() == 0
    folder = runs / "crf" / "model"
    assert crf.of(build.load(folder, kind="tag", labels=task.labels, seed=0)) is None


def batch_of(trained, task):
    features = trained.features(task.train.examples)
    return features, features.batch(np.arange(8))


def test_the_loss_is_that_of_whole_sentences(runs, task):
    trained = load(str(runs / "crf"))
    features, batch = batch_of(trained, task)
    scores = choices(trained.model, "tag", batch)
    alone = [
        gold_loss(trained.model, choices(trained.model, "tag", b), b)
        for b in (features.batch(np.asarray([i])) for i in range(8))
    ]
    together = gold_loss(trained.model, scores, batch)
    assert float(together.detach()) == pytest.approx(float(sum(alone).detach()), rel=1e-4)
    plain = load(str(runs / "independent"))
    scores = choices(plain.model, "tag", batch)
    assert torch.equal(gold_loss(plain.model, scores, batch), cross_entropy(scores, batch.gold))


def test_pieces_of_a_step_add_up(runs, task):
    trained = load(str(runs / "crf"))
    for module in trained.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.0
    objective = Supervised(*(trained.features(s.examples) for s in (task.train, task.dev)))
    found = []
    for pieces in (1, 4):
        loop.gradient(trained.model, objective, np.arange(16), FitConfig(accumulation=pieces))
        found.append({n: p.grad.clone() for n, p in trained.model.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], atol=1e-5, rtol=1e-3)


def test_transitions_have_a_rate_of_their_own(runs):
    optimizer = optim.create(load(str(runs / "crf")).model, FitConfig())
    *others, own = optimizer.param_groups
    assert own["peak"] == crf.CRF.peak and len(own["params"]) == 3 and own["weight_decay"] == 0
    assert not any("peak" in group for group in others)
    assert len(optim.create(load(str(runs / "independent")).model, FitConfig()).param_groups) == 2


@pytest.mark.parametrize("decoding", ["valid", "crf"])
def test_an_export_decodes_as_the_original(runs, exports, task, decoding):
    card, trained = Card.read(exports / decoding), load(str(runs / decoding))
    assert card.decoding == decoding
    assert (exports / decoding / HEAD).is_file() == (decoding == "crf")
    predictor = Predictor(exports / decoding, threads=1)
    for example in task.test.examples:
        said = [
            r.kind.present(example, r.scores([example])[0], r.labels) for r in (trained, predictor)
        ]
        assert [{**f, "probability": 0} for f in said[0]] == [
            {**f, "probability": 0} for f in said[1]
        ]
        for one, other in zip(*said, strict=True):
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-3)


def test_transitions_decide_in_the_export_too(runs, exports, tmp_path):
    """As in the model, and unlike in one whose transitions are another's."""
    trained = load(str(runs / "crf"))
    with torch.no_grad():
        crf.of(trained.model).moves.fill_(-50.0)
        crf.of(trained.model).moves[:, trained.labels.index("B-LOC")] = 50.0
    facts = {"name": "x", "buckets": exporting.lengths(trained.window), "task": None}
    exporting.assemble(tmp_path / "x", trained, "openvino", "fp32", [], facts)
    (example,) = [trained.kind.read(TEXT)]
    for reader in (trained, Predictor(tmp_path / "x", threads=1)):
        found = reader.kind.predict(example, reader.scores([example])[0], reader.labels)["tag"]
        assert set(found[1:]) == {"B-LOC"}
    one, other = (Predictor(p, threads=1) for p in (tmp_path / "x", exports / "crf"))
    assert one(TEXT) != other(TEXT)


def found_in(reader, task):
    examples = task.test.examples
    scores = reader.scores(examples)
    return [reader.kind.predict(e, s, reader.labels) for e, s in zip(examples, scores, strict=True)]


def broken(task, found):
    """I-tags that follow nothing of their category."""
    return sum(
        tag.startswith("I-") and (before == "O" or before[2:] != tag[2:])
        for one in found
        for before, tag in itertools.pairwise(("O", *one["tag"]))
    )


@pytest.fixture(scope="module")
def clumsy(runs, tmp_path_factory):
    """A checkpoint that calls the rest of a person a place; without ligero's card, as of the hub."""
    folder = tmp_path_factory.mktemp("clumsy")
    trained = load(str(runs / "independent"))
    with torch.no_grad():
        bias = trained.model.classifier.bias
        bias[trained.labels.index("I-LOC")] += 3.0
        bias[trained.labels.index("I-PER")] -= 3.0
    build.save(trained.model, trained.tokenizer, folder, max_length=trained.window)
    return folder


def test_a_finished_model_is_read_in_another_way(clumsy, runs, exports, task):
    alone, together = (open_reader(str(clumsy), way) for way in ("own", "valid"))
    assert broken(task, found_in(alone, task)) > broken(task, found_in(together, task)) == 0
    assert found_in(open_reader(str(clumsy), "auto"), task) == found_in(together, task)
    # What was trained to one way, exported or not, is read in the other, and a CRF that is not asked is
    # not missed.
    for place in (runs, exports):
        for way, other in (("independent", "valid"), ("valid", "independent")):
            one = open_reader(str(place / way), other)
            assert found_in(one, task) == found_in(open_reader(str(place / other)), task)
        assert broken(task, found_in(open_reader(str(place / "crf"), "valid"), task)) == 0


@pytest.mark.parametrize(("way", "said"), [("crf", "CRF"), ("beam", "independent, valid")])
def test_a_way_that_a_model_does_not_have(runs, exports, way, said):
    for place in (runs, exports):
        with pytest.raises(InputError, match=said):
            open_reader(str(place / "independent"), way)


def test_the_way_is_a_flag_where_figures_and_exports_are_made(clumsy, data, tmp_path, capsys):
    def f1(folder, *more):
        capsys.readouterr()
        assert main(["evaluate", str(folder), str(data / "test.conll"), "--json", *more]) == 0
        (row,) = json.loads(capsys.readouterr().out)["models"].values()
        return row["test"]["f1"]

    model = tmp_path / "model"
    # With a window of few lengths, so that the gate is soon through.
    replace(load(str(clumsy)), window=40).save(model)
    assert f1(model, "--decoding", "valid") > f1(model)
    files = [f"--{name}={data / name}.conll" for name in ("train", "dev")]
    made = ["export", str(model), *files, "--precision", "fp32", "--threads", "1"]
    assert main([*made, "--decoding", "valid", "--out", str(tmp_path / "x")]) == 0
    assert Card.read(tmp_path / "x").decoding == "valid"
    assert f1(tmp_path / "x") == pytest.approx(f1(model, "--decoding", "valid"), abs=0.5)
    assert f1(tmp_path / "x", "--decoding", "independent") == pytest.approx(f1(model), abs=0.5)


def test_the_gate_decodes_by_the_export(runs, exports, task, tmp_path, monkeypatch):
    trained = load(str(runs / "crf"))
    gate = Gate(trained, task.dev.examples, (40,), 0)
    verdict = gate(Predictor(exports / "crf", threads=1))
    assert not verdict.failed and verdict.score["f1"] == pytest.approx(gate.score)
    # Transitions that went wrong on their way do not pass, though the words' scores are right.
    wrong = {"start": np.zeros(5), "moves": np.zeros((5, 5)), "end": np.zeros(5)}
    wrong["moves"][:, 0] = 1000.0
    monkeypatch.setattr(exporting, "_transitions", lambda chain: wrong)
    facts = {"name": "x", "buckets": (40,), "task": None}
    exporting.assemble(tmp_path / "x", trained, "openvino", "fp32", [], facts)
    (check,) = gate(Predictor(tmp_path / "x", threads=1)).failed
    assert check.name == "f1 lost"


def test_old_exports_and_lost_transitions(exports, tmp_path):
    card = read_json(exports / "independent" / "export.json")
    del card["decoding"]
    assert Card(**card).decoding == "independent"
    manifest = exports / "crf" / "manifest.json"
    text = manifest.read_text()
    vouched = json.loads(text)
    del vouched["files"][HEAD]
    manifest.write_text(json.dumps(vouched))
    with pytest.raises(DamagedError, match=HEAD):
        Predictor(exports / "crf")
    manifest.write_text(text)


def test_a_teacher_with_a_crf_teaches_marginals(runs, task, tmp_path):
    for decoding in ("independent", "valid", "crf"):
        trained = load(str(runs / decoding))
        features = trained.features(task.train.examples[:8])
        digests = [example_digest(e) for e in features.examples]
        cache = TeacherCache(tmp_path, decoding, print)
        entries = cache.entries(trained.model, features, digests)
        for found, scores in zip(entries, score(trained.model, features), strict=True):
            if decoding == "crf":
                assert np.exp(found["tag"]).sum(axis=1) == pytest.approx(1, abs=1e-5)
                wanted = crf.of(trained.model).chain().log_marginals(scores["tag"])
                np.testing.assert_allclose(found["tag"], wanted, rtol=1e-5)
                assert np.isneginf(found["tag"][0]).any()
            else:
                np.testing.assert_array_equal(found["tag"], scores["tag"])


@pytest.mark.parametrize("loss", ["kl", "ce", "mse"])
@pytest.mark.parametrize("teacher", ["independent", "crf"])
def test_transitions_learn_from_a_teacher_alone(runs, task, loss, teacher):
    student, taught_by = load(str(runs / "crf")), load(str(runs / teacher))
    features = student.features(task.train.examples)
    read = taught_by.features(task.train.examples)
    targets = [taught_by.kind.beliefs(s) for s in score(taught_by.model, read)]
    objective = Distill(features, features, targets, DistillConfig(loss=loss))
    student.model.eval()
    total, weight = objective.loss(student.model, objective.batch(np.arange(8), 0))
    total.backward()
    gradient = crf.of(student.model).moves.grad
    assert weight == len(features.batch(np.arange(8)).words)
    assert torch.isfinite(gradient).all()
    if teacher == "crf":
        # It is its own teacher: there is nothing to learn.
        assert loss == "ce" or float(total.detach()) == pytest.approx(0, abs=1e-3)
        assert gradient.abs().max() < 1e-3
    else:
        assert total.detach() > 0 and gradient.abs().max() > 1e-3


@pytest.mark.parametrize("loss", ["kl", "ce", "mse"])
def test_a_student_without_a_crf_is_taught_what_a_teachers_rules_out(runs, task, loss):
    student, teacher = load(str(runs / "independent")), load(str(runs / "crf"))
    features, read = (each.features(task.train.examples) for each in (student, teacher))
    targets = [teacher.kind.beliefs(s) for s in score(teacher.model, read)]
    later = student.labels.index("I-PER")
    # As a student that has learned nothing of it: no sentence may begin with an I-.
    torch.nn.init.zeros_(student.model.classifier.weight)
    torch.nn.init.zeros_(student.model.classifier.bias)
    assert all(np.isneginf(target["tag"][0, later]) for target in targets)
    objective = Distill(features, features, targets, DistillConfig(loss=loss))
    ids = np.arange(8)
    for i in ids:
        # Of a first word alone, which is all that the gradient is of.
        objective.targets[i] = {"tag": objective.targets[i]["tag"].copy()}
        objective.targets[i]["tag"][1:] = 0.0
    objective.loss(student.model, objective.batch(ids, 0)).total.backward()
    assert student.model.classifier.bias.grad[later] > 0.5


def test_the_whole_road(data, tmp_path):
    flags = [*small.compress(data, tmp_path / "out", tmp_path / "cache"), "--teacher-fit.decoding"]
    flags += ["crf", "--student-fit.decoding", "crf", "--distill.alpha", "0"]
    flags += ["--teacher-fit.epochs", "2", "--student-fit.epochs", "2"]
    assert main(flags) == 0
    student = load(str(tmp_path / "out"))
    assert crf.of(student.model).moves.abs().sum() > 0.01
    rows = read_json(tmp_path / "out" / "results.json")["models"]
    assert rows["student-alone"]["test"]["f1"] > 50 and np.isfinite(rows["student"]["dev"]["loss"])


def test_what_cannot_be_is_said_before_anything_begins(data, tmp_path, capsys):
    out = tmp_path / "x"
    topics = [*small.finetune(data, out, ending="tsv"), "--decoding", "crf"]
    assert main(topics) == 2
    assert "kind classify; expected auto or independent" in capsys.readouterr().err
    parts = [*small.finetune(data, out, ending="conllu"), "--kind", "tag"]
    assert main([*parts, "--decoding", "valid"]) == 2
    assert "no entities (DET, NOUN, VERB" in capsys.readouterr().err
    assert main([*small.finetune(data, out), "--decoding", "beam"]) == 2
    assert "independent, valid, crf" in capsys.readouterr().err
    taught = [*small.compress(data, out, tmp_path / "cache"), "--student-fit.decoding", "crf"]
    taught = [text.replace(".conll", ".tsv") for text in taught]
    assert main(taught) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not out.exists()
    # Parts of speech may be chosen together, though none of them is forbidden.
    assert main([*parts, "--decoding", "crf", "--epochs", "1"]) == 0


def test_a_card_that_promises_a_crf(runs, tmp_path):
    folder = tmp_path / "x"
    trained = load(str(runs / "independent"))
    trained.decoding = "crf"
    trained.save(folder)
    with pytest.raises(InputError, match="no weights of the CRF"):
        load(str(folder))
    assert asdict(FitConfig())["decoding"] == "auto"

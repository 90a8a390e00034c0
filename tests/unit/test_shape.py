"""Models that know word shapes: what they computed before, what they learn, and where they go."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

import shapes
import small
import small_text
from ligero import config as settings
from ligero import vocab
from ligero.cli import main
from ligero.config import (
    CompressConfig,
    DistillRunConfig,
    FinetuneConfig,
    FitConfig,
    MaskConfig,
    PretrainConfig,
    ReplacedConfig,
)
from ligero.corpus import shards
from ligero.corpus.shards import Shards
from ligero.errors import InputError
from ligero.export import build as exporting
from ligero.models import build, catalog, language, shape
from ligero.pretrain import stage
from ligero.pretrain.replaced import Judged, ReplacedTokens
from ligero.pretrain.windows import Windows
from ligero.runtime import Predictor
from ligero.tasks import kinds
from ligero.tasks.example import Example
from ligero.tasks.word_shapes import NAMES
from ligero.train.trained import Trained, load

pytestmark = pytest.mark.usefixtures("one_thread")

COUNT = len(NAMES)
WITH_TYPES = ("beto-uncased", "albeto-tiny")
UNCASED = ["--vocab.lowercase", "true"]


@pytest.fixture(scope="module", autouse=True)
def models():
    """The small models, known to every test here, and one of ALBERT's shape."""
    with small.known():
        albert = shapes.small("albeto-tiny")
        catalog.MODELS["small-albert"] = replace(
            albert, name="small-albert", hub=None, learning_rate=2e-3,
            config={**albert.config, **small.TINY, "embedding_size": 16, "num_hidden_layers": 2},
        )  # fmt: skip
        yield


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(shapes.TEXTS * 5, algorithm="wordpiece", size=200, lowercase=True)


def create(name, tokenizer, kind="tag"):
    labels = shapes.LABELS[kind]
    return build.create(shapes.small(name), kind=kind, labels=labels, tokenizer=tokenizer, seed=0)


def drawn_types(inputs, count):
    torch.manual_seed(0)
    return torch.randint(count, inputs["input_ids"].shape)


@pytest.mark.parametrize("name", WITH_TYPES)
@pytest.mark.parametrize("kind", ["tag", "classify", "parse"])
def test_whatever_the_shapes_a_checkpoint_computes_what_it_did(tokenizer, tmp_path, name, kind):
    build.save(create(name, tokenizer, kind), tokenizer, tmp_path, max_length=32)
    labels = shapes.LABELS[kind]
    before, after = (build.load(tmp_path, kind=kind, labels=labels, seed=0) for _ in range(2))
    shape.add(after, tokenizer)
    assert shape.step(after.config) == 2 and shape.step(before.config) == 0
    segments = drawn_types(shapes.batch(tokenizer), 2)
    wanted = shapes.scores(before, shapes.batch(tokenizer, token_type_ids=segments))
    for number in range(COUNT):
        given = shapes.batch(tokenizer, token_type_ids=segments + 2 * number)
        assert torch.equal(shapes.scores(after, given), wanted)
    mixed = segments + 2 * drawn_types(shapes.batch(tokenizer), COUNT)
    assert torch.equal(shapes.scores(after, shapes.batch(tokenizer, token_type_ids=mixed)), wanted)


@pytest.mark.parametrize("name", WITH_TYPES)
def test_the_folder_is_transformers_own_and_says_what_it_knows(tokenizer, tmp_path, name):
    plain, model = create(name, tokenizer), create(name, tokenizer)
    shape.add(model, tokenizer)
    build.save(model, tokenizer, tmp_path, max_length=32)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["type_vocab_size"] == 2 * COUNT and config["word_shapes"] == list(NAMES)
    stock = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    inputs = shapes.batch(tokenizer)
    assert torch.equal(shapes.scores(stock, inputs), shapes.scores(plain, inputs))
    again = build.load(tmp_path, kind="tag", labels=shapes.LABELS["tag"], seed=0)
    assert shapes.equal(again, model) and not shapes.equal(again, plain)
    assert shape.step(again.config) == 2
    # Known already: nothing is added to it.
    shape.add(again, tokenizer)
    assert shapes.equal(again, model)
    assert shape.step(build.cut(model, 1).config) == 2


@pytest.mark.parametrize("name", WITH_TYPES)
def test_a_language_model_keeps_its_shapes_for_a_task(tokenizer, tmp_path, name):
    model = language.create(shapes.small(name), tokenizer=tokenizer, seed=0)
    shape.add(model, tokenizer)
    rows = model.base_model.embeddings.token_type_embeddings.weight
    with torch.no_grad():
        rows += torch.arange(len(rows)).unsqueeze(1)
    build.save(model, tokenizer, tmp_path, max_length=32)
    tuned = build.load(tmp_path, kind="tag", labels=shapes.LABELS["tag"], layers=2, seed=0)
    assert shape.step(tuned.config) == 2
    assert torch.equal(tuned.base_model.embeddings.token_type_embeddings.weight, rows)


def test_shapes_learn_apart(tokenizer):
    model = create("beto-uncased", tokenizer)
    shape.add(model, tokenizer)
    types = torch.zeros_like(shapes.batch(tokenizer)["input_ids"])
    types[:, 1] = 2 * NAMES.index("title")
    model(**shapes.batch(tokenizer, token_type_ids=types)).logits.sum().backward()
    gradient = model.base_model.embeddings.token_type_embeddings.weight.grad
    touched = gradient.abs().sum(dim=1).nonzero().flatten().tolist()
    assert touched == [0, 2 * NAMES.index("title")]


@pytest.mark.parametrize("name", ["distilbeto", "bertin", "ligero-tiny"])
def test_models_without_token_types_are_refused(tokenizer, name):
    family = catalog.find(name).family
    with pytest.raises(InputError, match=f"a model of type {family}, which has no token types"):
        shape.add(create(name, tokenizer), tokenizer)


def test_a_vocabulary_that_keeps_case_is_refused():
    keeps = vocab.train(shapes.TEXTS * 5, algorithm="wordpiece", size=200)
    model = create("beto-cased", keeps)
    with pytest.raises(InputError, match="keeps case, which has nothing to gain"):
        shape.add(model, keeps)
    assert model.config.type_vocab_size == 2


@pytest.mark.parametrize(
    "cls", [FitConfig, FinetuneConfig, DistillRunConfig, CompressConfig, PretrainConfig]
)
def test_runs_without_shapes_are_known_as_before(cls):
    assert '"case"' not in json.dumps(settings.identity(cls()))
    asked = settings.build(FinetuneConfig, {"fit": {"case": True}})
    assert settings.identity(asked)["fit"]["case"] is True
    assert settings.identity(settings.build(PretrainConfig, {"case": True}))["case"] is True


def capitals(folder):
    """Texts of two classes that differ in capitals alone: a name, or a thing of that name."""
    folder.mkdir()
    rows = [
        f"{label}\thoy {word} está en la {place}"
        for place in ("casa", "calle", "mesa", "plaza")
        for thing in ("rosa", "paz", "luz", "pilar")
        for label, word in (("cosa", thing), ("nombre", thing.capitalize()))
    ]
    for name in ("train", "dev", "test"):
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return capitals(tmp_path_factory.mktemp("capitals") / "data")


def fit(data, out, steps, *more):
    return [
        *small.files(data, "tsv"), "--steps", str(steps), "--evaluate-steps", str(steps),
        "--batch-size", "8", "--learning-rate", "5e-3", "--select", "last", "--vocab.size", "300",
        "--window", "24", "--threads", "1", "--out", str(out), *more,
    ]  # fmt: skip


def finetune(data, out, steps, *more, model=small.TEACHER):
    return ["finetune", "--model", model, *UNCASED, *fit(data, out, steps, *more)]


@pytest.fixture(scope="module")
def taught(data, models, tmp_path_factory):
    """Finished runs on capitals alone, of a model that knows shapes and of one that does not."""
    place = tmp_path_factory.mktemp("taught")
    torch.set_num_threads(1)
    assert main(finetune(data, place / "seeing", 60, "--case", "true")) == 0
    assert main(finetune(data, place / "blind", 60)) == 0
    return place


def accuracy(run, name="model"):
    return json.loads((run / "results.json").read_text())["models"][name]["dev"]["accuracy"]


def test_what_differs_in_capitals_alone_is_learned_by_shapes_alone(taught):
    assert accuracy(taught / "seeing") > 95
    assert accuracy(taught / "blind") == 50


def examples():
    words = ("Rosa", "rosa", "ROSA", "rosA")
    return [Example(word, (f"hoy {word} está en la casa",)) for word in words]


def scores(model):
    return np.concatenate([each["label"] for each in model.scores(examples())])


def test_an_export_passes_its_gate_and_reads_what_its_original_reads(taught, data, tmp_path):
    out = tmp_path / "out"
    flags = [*small.files(data, "tsv"), "--precision", "fp32", "--threads", "1", "--out", str(out)]
    assert main(["export", str(taught / "seeing"), *flags]) == 0
    report = json.loads((out / "gate.json").read_text())
    assert report["original"]["accuracy"] > 95 and report["verdicts"][0]["passed"]
    predictor, trained = Predictor(out, threads=1), load(str(taught / "seeing"))
    wanted = scores(trained)
    np.testing.assert_allclose(scores(predictor), wanted, atol=1e-4)
    # Shapes that training never met are still alike.
    np.testing.assert_allclose(wanted[2], wanted[3], atol=1e-5)
    assert abs(wanted[0] - wanted[1]).max() > 0.5
    capital, plain = predictor(["hoy Luz está en la mesa", "hoy luz está en la mesa"])
    assert (capital[0]["label"], plain[0]["label"]) == ("nombre", "cosa")


@pytest.mark.parametrize("name", WITH_TYPES)
@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_graphs_take_the_shapes_of_both_texts(tokenizer, tmp_path, name, runtime):
    model = create(name, tokenizer, "classify")
    shape.add(model, tokenizer)
    with torch.no_grad():
        model.base_model.embeddings.token_type_embeddings.weight.normal_(0, 0.3)
        model.classifier.weight.mul_(100)
    labels = shapes.LABELS["classify"]
    trained = Trained(model, tokenizer, kinds.find("classify"), labels, 32)
    facts = {"name": name, "buckets": (32,), "task": None}
    exporting.assemble(tmp_path / "out", trained, runtime, "fp32", (), facts)
    predictor = Predictor(tmp_path / "out", threads=1)
    pairs = [Example("p", ("Rosa come", other)) for other in ("pan", "Pan", "PAN", "la casa. Pan")]
    given = [*examples(), *pairs]
    found, wanted = (
        np.concatenate([each["label"] for each in m.scores(given)]) for m in (predictor, trained)
    )
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert len(np.unique(wanted.round(2), axis=0)) == len(given)


def test_predict_and_evaluate_are_not_told_again(taught, data, tmp_path, capsys):
    run, out = str(taught / "seeing"), tmp_path / "scores.json"
    assert main(["predict", run, "hoy Paz está en la calle", "--json"]) == 0
    assert '"nombre"' in capsys.readouterr().out
    assert main(["evaluate", run, str(data / "dev.tsv"), "--out", str(out)]) == 0
    (row,) = json.loads(out.read_text())["models"].values()
    assert row["test"]["accuracy"] > 95


def test_either_of_teacher_and_student_may_know_shapes(taught, data, tmp_path):
    def distil(name, teacher, student, steps, *more):
        asked = ["--teacher", str(taught / teacher), "--student", student]
        cache = ["--cache", str(tmp_path / "cache")]
        flags = fit(data, tmp_path / name, steps, *cache, *more)
        assert main(["distill", *asked, *flags]) == 0
        return shape.step(load(str(tmp_path / name)).model.config)

    shaped = [*UNCASED, "--case", "true"]
    assert distil("both", "seeing", small.TEACHER, 60, *shaped) == 2
    assert accuracy(tmp_path / "both", "student") > 95
    assert accuracy(tmp_path / "both", "teacher") > 95
    assert distil("teacher", "seeing", small.STUDENT, 2) == 0
    assert distil("student", "blind", small.TEACHER, 2, *shaped) == 2
    # One for each teacher: a cache is known by what its teacher reads too.
    assert len(list((tmp_path / "cache" / "teachers").iterdir())) == 2


@pytest.mark.parametrize(
    ("model", "more", "said"),
    [
        (small.STUDENT, UNCASED, "a model of type modernbert, which has no token types"),
        (small.TEACHER, (), "a new vocabulary that keeps case.*--vocab.lowercase true"),
    ],
)
def test_what_cannot_have_shapes_is_refused_before_anything_begins(
    data, tmp_path, capsys, model, more, said
):
    out = tmp_path / "out"
    files = small.files(data, "tsv")
    common = ["--out", str(out), "--threads", "1", *more]
    asked = ["compress", *files, "--teacher", small.TEACHER, "--student", model, *common]
    for command in (
        ["finetune", *files, "--model", model, "--case", "true", *common],
        [*asked, "--student-fit.case", "true"],
    ):
        assert main(command) == 2
        assert re.search(said, capsys.readouterr().err)
        assert not out.exists()


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """An uncased vocabulary, and shards with shapes."""
    place = tmp_path_factory.mktemp("text")
    texts = small_text.documents(24)
    made = vocab.train(texts, algorithm="wordpiece", size=300, lowercase=True)
    vocab.save(made, place / "vocab", max_length=64)
    for name, some in (("train", texts), ("valid", small_text.documents(8, 1))):
        small_text.write(place / f"plain-{name}", some, place / "vocab", 1)
        shards.build(place / f"plain-{name}-text", place / "vocab", place / name, 1, case=True)
    return place


def pretrain(text, out, **changes):
    values = small_text.settings(text, out, **changes)
    values = {**values, "then": [], "phase": {**values["phase"], "steps": 4}}
    return stage.pretrain(settings.build(PretrainConfig, values))


@pytest.mark.parametrize(
    ("objective", "model"),
    [
        ("masked", small.TEACHER), ("masked+order", "small-albert"),
        ("replaced", small.TEACHER), ("distilbert", "small-albert"),
    ],
)  # fmt: skip
def test_what_is_pretrained_with_shapes_is_fine_tuned_with_them(
    text, data, tmp_path, objective, model
):
    changes = {"objective": objective, "model": model}
    if objective == "distilbert":
        tokenizer = build.load_tokenizer(text / "vocab")
        teacher = language.create(catalog.MODELS[model], tokenizer=tokenizer, seed=3)
        build.save(teacher, tokenizer, tmp_path / "teacher", max_length=64)
        changes["distilbert"] = {"teacher": str(tmp_path / "teacher")}
    pretrain(text, tmp_path / "pre", case=True, **changes)
    made = tmp_path / "pre" / "model"
    assert json.loads((made / "config.json").read_text())["word_shapes"] == list(NAMES)
    saved = transformers.AutoModel.from_pretrained(made)
    rows = saved.embeddings.token_type_embeddings.weight.detach()
    assert rows.shape[0] == 2 * COUNT
    # Those of the shapes that the text has parted from the ones they were copies of.
    assert not torch.equal(rows[2], rows[0])
    if objective != "masked":
        return
    command = finetune(data, tmp_path / "tuned", 2, model=str(tmp_path / "pre"))
    assert main(command) == 0
    tuned = load(str(tmp_path / "tuned"))
    assert shape.step(tuned.model.config) == 2
    (once, other) = tuned.features(examples()[:2]).encoded
    assert once.types[0].tolist() != other.types[0].tolist()
    # A run that goes on from it needs shards with shapes too, without being told.
    plain = {"shards": str(text / "plain-train"), "valid": str(text / "plain-valid")}
    with pytest.raises(InputError, match="without word shapes"):
        pretrain(text, tmp_path / "on", **{**changes, **plain, "model": str(tmp_path / "pre")})
    assert not (tmp_path / "on").exists()


def test_a_distilbert_cannot_learn_from_a_bert_with_shapes(text, tmp_path):
    tokenizer = build.load_tokenizer(text / "vocab")
    teacher = language.create(catalog.MODELS[small.TEACHER], tokenizer=tokenizer, seed=3)
    build.save(teacher, tokenizer, tmp_path / "teacher", max_length=64)
    asked = {"objective": "distilbert", "distilbert": {"teacher": str(tmp_path / "teacher")}}
    with pytest.raises(InputError, match="a DistilBERT, has no token types"):
        pretrain(text, tmp_path / "out", case=True, **asked)
    assert not (tmp_path / "out").exists()


def test_generator_and_judge_both_see_the_shapes(text):
    tokenizer = build.load_tokenizer(text / "vocab")
    wanted = language.create(catalog.MODELS[small.TEACHER], tokenizer=tokenizer, seed=0)
    shape.add(wanted, tokenizer)
    model = Judged(wanted, 1, 0)
    read = Windows(Shards(text / "train"), tokenizer, 24, seed=0, shape_step=2)
    objective = ReplacedTokens(read, read, MaskConfig(), 0, 4, ReplacedConfig())
    batch = objective.batch(np.arange(4), 0)
    seen = []
    table = wanted.base_model.embeddings.token_type_embeddings
    table.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    objective.loss(model, batch)
    assert len(seen) == 2 and batch.inputs["token_type_ids"].any()
    assert all(torch.equal(types, batch.inputs["token_type_ids"]) for types in seen)

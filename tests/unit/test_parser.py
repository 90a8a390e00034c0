"""Parsers as models: of any family, saved, loaded, cut, and read by plain transformers."""

import dataclasses
import json

import pytest
import torch
from transformers import AutoModel

from ligero import vocab
from ligero.errors import InputError
from ligero.models import build, catalog
from shapes import LABELS, ONE_OF_EACH, TEXTS, batch, changed, equal, head, scores, small

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(TEXTS * 3, size=300)


def made(name: str, kind: str, tokenizer):
    return build.create(small(name), kind=kind, labels=LABELS[kind], tokenizer=tokenizer, seed=1)


@pytest.mark.parametrize("kind", ["answer", "parse"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_answers_and_trees_survive_cutting_and_half_precision(name, kind, tokenizer, tmp_path):
    model = made(name, kind, tokenizer)
    build.save(model, tokenizer, tmp_path / "whole", max_length=512)
    student = build.load(tmp_path / "whole", kind=kind, labels=LABELS[kind], layers=2, seed=1)
    assert student.config.num_hidden_layers == 2
    build.save(student, tokenizer, tmp_path / "cut", max_length=512)
    assert equal(build.load(tmp_path / "cut", kind=kind, labels=LABELS[kind], seed=9), student)
    model.to(torch.float16).save_pretrained(tmp_path / "half")
    wide = build.load(tmp_path / "half", kind=kind, labels=LABELS[kind], seed=9)
    assert {p.dtype for p in wide.parameters()} == {torch.float32}
    assert all(torch.equal(value, head(model)[key].float()) for key, value in head(wide).items())


@pytest.mark.parametrize("name", catalog.MODELS)
def test_a_parser_is_a_model_of_its_family(name, tokenizer, tmp_path):
    model = made(name, "parse", tokenizer)
    build.save(model, tokenizer, tmp_path, max_length=512)
    config = json.loads((tmp_path / "config.json").read_text())
    tagger = type(made(name, "tag", tokenizer)).__name__
    assert config["architectures"] == [
        tagger.replace("ForTokenClassification", "ForDependencyParsing")
    ]
    assert "auto_map" not in config and {path.suffix for path in tmp_path.iterdir()} == {
        ".json",
        ".safetensors",
    }
    inputs = batch(tokenizer)
    ours = build.load(tmp_path, kind="parse", labels=LABELS["parse"], seed=9)
    assert equal(ours, model)
    assert torch.equal(scores(ours, inputs), scores(model, inputs))
    # Plain transformers reads the encoder out of the folder, and so does a model for another task.
    with torch.no_grad():
        plain = AutoModel.from_pretrained(tmp_path).eval()
        expected = model.base_model(**inputs).last_hidden_state
        torch.testing.assert_close(plain(**inputs).last_hidden_state, expected, atol=1e-6, rtol=0)
    other = build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1)
    for key, value in other.base_model.state_dict().items():
        assert torch.equal(value, model.base_model.state_dict()[key])


def test_a_parsers_sizes_are_the_checkpoints(tokenizer, tmp_path):
    architecture = small("beto-cased")
    sizes = {"arc_size": 24, "relation_size": 12, "parser_dropout": 0.5}
    wanted = dataclasses.replace(architecture, config={**architecture.config, **sizes})
    labels = LABELS["parse"]
    model = build.create(wanted, kind="parse", labels=labels, tokenizer=tokenizer, seed=1)
    assert model.parser.arc.weight.shape == (24, 24) and model.parser.dropout.p == 0.5
    assert model.parser.relation.weight.shape == (len(labels), 13 * 13)
    build.save(model, tokenizer, tmp_path, max_length=512)
    assert equal(build.load(tmp_path, kind="parse", labels=labels, seed=2), model)
    # Another set of relations is another last layer; what scores heads is kept.
    other = build.load(tmp_path, kind="parse", labels=("a", "b"), seed=2)
    assert torch.equal(other.parser.arc.weight, model.parser.arc.weight)
    assert other.parser.relation.weight.shape == (2, 13 * 13)
    for wrong in ("veinte", 0, 24.0):
        changed(tmp_path, arc_size=wrong)
        with pytest.raises(InputError, match="arc_size"):
            build.load(tmp_path, kind="parse", labels=labels, seed=2)

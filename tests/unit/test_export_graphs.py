"""Graphs compute what the models of transformers compute, on both engines."""

import dataclasses

import numpy as np
import pytest
import torch

import shapes
from ligero import vocab
from ligero.errors import InputError
from ligero.export import build as exporting
from ligero.export.attention import Heads
from ligero.export.gate import distance, drawn
from ligero.export.graph import Graph
from ligero.models import build
from ligero.runtime import Predictor
from ligero.tasks import kinds
from ligero.tasks.words import Encoder
from ligero.train.trained import Trained

pytestmark = pytest.mark.usefixtures("one_thread")
WINDOW = 24
TEXTS = [
    "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza.",
    "Sí",
    "Un texto más largo que la ventana, con muchas palabras que no dicen nada, y dos comas, o tres.",
]
LABELS = {**shapes.LABELS, "answer": ("answer",)}


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(TEXTS * 5, size=200)


def trained(name, kind, tokenizer, seed=1, **changes):
    """A model whose weights are far from their first values, so that no part is without effect."""
    small = shapes.small(name)
    small = dataclasses.replace(small, config={**small.config, **changes})
    found = kinds.find(kind)
    model = build.create(
        small, kind=kind, labels=found.rows(LABELS[kind]), tokenizer=tokenizer, seed=seed
    )
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return Trained(model, tokenizer, found, LABELS[kind], WINDOW)


def examples(kind):
    found = kinds.find(kind)
    return [found.read(text, TEXTS[2] if kind == "answer" else None) for text in TEXTS]


def exported(folder, model, runtime="openvino", precision="fp32"):
    facts = {"name": "x", "buckets": exporting.lengths(WINDOW), "task": None}
    exporting.assemble(folder, model, runtime, precision, examples(model.kind.name), facts)
    return Predictor(folder, threads=1)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
@pytest.mark.parametrize("kind", ["tag", "classify", "answer", "parse"])
@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_scores_are_the_models_own(tmp_path, tokenizer, name, kind, runtime):
    model = trained(name, kind, tokenizer)
    found = exported(tmp_path / "x", model, runtime).scores(examples(kind))
    wanted = model.scores(examples(kind))
    assert distance(found, wanted) < 5e-6
    for mine, right in zip(found, wanted, strict=True):
        for choice, scores in right.items():
            assert mine[choice].shape == scores.shape
            assert (np.isfinite(mine[choice]) == np.isfinite(scores)).all()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("ligero-tiny", {"classifier_pooling": "cls", "local_attention": 8}),
        ("albeto-tiny", {"num_hidden_groups": 2, "inner_group_num": 2}),
        ("albeto-tiny", {"hidden_act": "gelu_new"}),
        ("beto-cased", {"hidden_act": "relu"}),
        ("distilbeto", {"activation": "relu"}),
    ],
)
def test_settings_that_checkpoints_may_have(tmp_path, tokenizer, name, changes):
    model = trained(name, "classify", tokenizer, **changes)
    found = exported(tmp_path / "x", model).scores(examples("classify"))
    assert distance(found, model.scores(examples("classify"))) < 5e-6


@pytest.mark.parametrize("kind", ["tag", "classify"])
@pytest.mark.parametrize("name", ["albeto-tiny", "beto-cased", "ligero-tiny"])
def test_narrow_heads_are_widened_without_effect(tmp_path, tokenizer, name, kind):
    model = trained(name, kind, tokenizer, hidden_size=78, num_attention_heads=3)
    assert Heads.of(model.model.config) == Heads(3, 26) and Heads(3, 26).wide == 32
    found = exported(tmp_path / "x", model).scores(examples(kind))
    assert distance(found, model.scores(examples(kind))) < 5e-6


@pytest.mark.parametrize(
    ("width", "wide"), [(16, 16), (24, 24), (26, 32), (32, 32), (64, 64), (80, 96)]
)
def test_heads_are_widened_where_it_is_cheap(width, wide):
    assert Heads(2, width).wide == wide


def test_a_setting_without_a_graph_is_refused(tmp_path, tokenizer):
    with pytest.raises(InputError, match="silu"):
        exported(tmp_path / "x", trained("beto-cased", "tag", tokenizer, hidden_act="silu"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["tag", "classify"])
@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_tied_layers_are_stored_once(tmp_path, tokenizer, runtime, kind):
    sizes = []
    for layers in (1, 12):
        model = trained("albeto-tiny", kind, tokenizer, num_hidden_layers=layers)
        folder = tmp_path / str(layers)
        exported(folder, model, runtime)
        stored = [f for f in folder.iterdir() if f.suffix in (".bin", ".onnx")]
        sizes.append(sum(f.stat().st_size for f in stored))
    # The nodes of eleven more applications, but none of their weights.
    nodes = 0 if runtime == "openvino" else 11 * 6_000
    assert sizes[1] - sizes[0] <= nodes + 1_000


@pytest.mark.parametrize(("precision", "bound"), [("bf16", 0.05), ("int8", 0.3)])
@pytest.mark.parametrize("name", ["albeto-tiny", "ligero-tiny"])
def test_lower_precisions_stay_near_and_are_smaller(tmp_path, tokenizer, name, precision, bound):
    model = trained(name, "tag", tokenizer)
    whole = exported(tmp_path / "fp32", model)
    part = exported(tmp_path / "low", model, precision=precision)
    wanted = whole.scores(examples("tag"))
    apart = distance(part.scores(examples("tag")), wanted)
    assert 0 < apart < bound
    sizes = [(tmp_path / n / "model.bin").stat().st_size for n in ("fp32", "low")]
    assert sizes[1] < 0.55 * sizes[0]


def test_onnx_in_int8(tmp_path, tokenizer):
    model = trained("albeto-tiny", "tag", tokenizer)
    found = exported(tmp_path / "x", model, "onnx", "int8").scores(examples("tag"))
    assert 0 < distance(found, model.scores(examples("tag"))) < 0.3
    with pytest.raises(InputError, match="bf16 with onnxruntime"):
        exported(tmp_path / "y", model, "onnx", "bf16")


def test_a_weight_is_one_constant_however_often_it_is_used():
    graph = Graph({"a.weight": np.ones((3, 2), np.float32), "a.bias": np.ones(3, np.float32)})
    for _ in range(3):
        found = graph.linear("x", "a")
    made = graph.model({"x": ("float32", ("rows", 2))}, {found: ("output", ("rows", 3))})
    assert len(made.graph.initializer) == 2
    assert len(made.graph.node) == 7


def test_inputs_that_are_drawn_are_real_mixed_and_padded(tokenizer):
    encoded = Encoder(tokenizer, 64)(examples("tag"))
    for bucket in (16, 24, 64):
        found = drawn(encoded, bucket, 0)
        widths = {e.width for e in found}
        assert len(found) == 200 and max(widths) <= bucket and len(widths) > 3
        assert any(e.width < bucket for e in found)
        for e in found:
            assert e.ids[0][-1] == encoded[0].ids[0][-1]
            assert not len(e.words) or e.words[:, 1].max() < e.width - 1
    again = drawn(encoded, 24, 0)
    assert all(
        (a.ids[0] == b.ids[0]).all() for a, b in zip(again, drawn(encoded, 24, 0), strict=True)
    )


def test_distance():
    one = [{"tag": np.asarray([[1.0, 2.0, -np.inf]], np.float32)}]
    assert distance(one, one) == 0
    shifted = [{"tag": one[0]["tag"] + 5}]
    assert distance(shifted, one) == pytest.approx(0, abs=1e-6)
    turned = [{"tag": np.asarray([[2.0, 1.0, -np.inf]], np.float32)}]
    assert distance(turned, one) == pytest.approx(2)
    wrong = [{"tag": np.asarray([[np.nan, 1.0, -np.inf]], np.float32)}]
    assert not distance(wrong, one) < 1

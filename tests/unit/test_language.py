"""Language models: transformers' own scores, and what becomes of dropout, layers and heads."""

import copy

import numpy as np
import pytest
import torch
import transformers

import shapes
import small_text
from ligero import vocab
from ligero.config import FitConfig
from ligero.errors import InputError
from ligero.models import build, language
from ligero.pretrain.general import GeneralDistillation
from ligero.pretrain.masked import Batch
from ligero.train import loop

pytestmark = pytest.mark.usefixtures("one_thread")

WITH_ORDER = ("beto-cased", "albeto-tiny")


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(small_text.documents(20), algorithm="unigram", size=300)


def create(name, tokenizer, seed=0, pairs=False):
    return language.create(shapes.small(name), tokenizer=tokenizer, seed=seed, pairs=pairs)


def inputs(model, rows=3, length=20):
    entries = model.config.vocab_size
    ids = np.random.default_rng(0).integers(5, entries, (rows, length))
    return {"input_ids": torch.from_numpy(ids)}


def stirred(model):
    """Biases and normalisation too: fresh ones are 0 and 1, and hide what is left out."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * 0.1)
    return model


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_scores_are_those_of_the_whole_model(name, tokenizer):
    model = stirred(create(name, tokenizer)).eval()
    given = inputs(model)
    with torch.no_grad():
        states = model.base_model(**given).last_hidden_state
        torch.testing.assert_close(language.words(model, states), model(**given).logits)


@pytest.mark.parametrize("name", WITH_ORDER)
def test_order_scores_are_those_of_the_whole_model(name, tokenizer):
    model = stirred(create(name, tokenizer, pairs=True)).eval()
    given = inputs(model)
    with torch.no_grad():
        whole, inner = model(**given), model.base_model(**given)
        torch.testing.assert_close(
            language.words(model, inner.last_hidden_state), whole.prediction_logits
        )
        scores = whole.seq_relationship_logits if name == "beto-cased" else whole.sop_logits
        torch.testing.assert_close(language.order(model, inner.pooler_output), scores)


@pytest.mark.parametrize("name", ["distilbeto", "bertin", "ligero-tiny"])
def test_families_that_learn_no_order_are_refused(name, tokenizer):
    with pytest.raises(InputError, match="albert, bert, which learn sentence order"):
        create(name, tokenizer, pairs=True)


def test_families_without_a_language_model_here_are_refused():
    with pytest.raises(InputError, match="a model of type gpt2; expected one of albert, bert,"):
        language.language_class(transformers.GPT2Config())


def test_weights_follow_from_the_seed(tokenizer):
    one, same, other = (create("ligero-tiny", tokenizer, seed) for seed in (1, 1, 2))
    assert shapes.equal(one, same) and not shapes.equal(one, other)


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_dropout_is_off_everywhere_and_the_configuration_keeps_it(name, tokenizer):
    pairs = name in WITH_ORDER
    architecture = shapes.small(name)
    rates = [key for key in architecture.config if "dropout" in key]
    assert rates
    config = build.configuration(architecture, labels=None, tokenizer=tokenizer)
    for key in rates:
        setattr(config, key, 0.3)
    model = language.drawn(config, seed=0, pairs=pairs).train()
    given = inputs(model)

    def passes():
        torch.manual_seed(len(seen))
        seen.append(
            model(**given)[0] if not pairs else torch.cat([x.flatten() for x in model(**given)[:2]])
        )
        return seen[-1]

    seen: list = []
    with torch.no_grad():
        assert not torch.equal(passes(), passes())
        before = copy.deepcopy(model.config.to_dict())
        language.set_dropout(model, 0.0)
        first = passes()
        assert all(torch.equal(first, passes()) for _ in range(3))
        model.eval()
        torch.testing.assert_close(first, passes())
        language.set_dropout(model.train(), 0.3)
        assert not torch.equal(passes(), passes())
    assert model.config.to_dict() == before


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_recomputed_activations_give_the_same_gradients(name, tokenizer):
    model = stirred(create(name, tokenizer)).train()
    language.set_dropout(model, 0.0)
    given = inputs(model)
    calls = []
    layer = _a_layer(model)
    layer.register_forward_hook(lambda *_: calls.append(1))

    def gradients():
        model.zero_grad()
        calls.clear()
        loss = model(**given).logits.square().mean()
        loss.backward()
        return {n: p.grad.clone() for n, p in model.named_parameters()}

    plain = gradients()
    once = len(calls)
    language.recompute(model)
    again = gradients()
    assert len(calls) == 2 * once, "nothing was computed again"
    for key, value in plain.items():
        torch.testing.assert_close(again[key], value, rtol=1e-5, atol=1e-7)
    model.eval()
    with torch.inference_mode():
        assert torch.isfinite(model(**given).logits).all()


def _a_layer(model):
    """A module within the first layer."""
    return next(
        module for name, module in model.base_model.named_modules()
        if name.endswith(("attention", "attn")) and ".0." in name
    )  # fmt: skip


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_saved_and_loaded_it_is_the_same_here_and_in_transformers(name, tokenizer, tmp_path):
    model = stirred(create(name, tokenizer)).eval()
    build.save(model, tokenizer, tmp_path, max_length=64)
    given = inputs(model)
    with torch.no_grad():
        expected = model(**given).logits
        loaded = language.load(tmp_path, seed=5, whole=True)
        assert torch.equal(loaded.eval()(**given).logits, expected)
        stock = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path)
        torch.testing.assert_close(stock(**given).logits, expected, rtol=1e-5, atol=1e-5)
    fewer = language.load(tmp_path, layers=2, seed=5)
    assert fewer.config.num_hidden_layers == 2


def test_heads_that_a_checkpoint_lacks_follow_from_the_seed_or_are_asked_for(tokenizer, tmp_path):
    model = stirred(create("beto-cased", tokenizer))
    build.save(model, tokenizer, tmp_path, max_length=64)
    one, same, other = (language.load(tmp_path, seed=s, pairs=True) for s in (1, 1, 2))
    assert shapes.equal(one, same) and not shapes.equal(one, other)
    assert torch.equal(
        one.cls.predictions.transform.dense.weight, model.cls.predictions.transform.dense.weight
    )
    with pytest.raises(InputError, match="a model that guesses hidden sub-words"):
        language.load(tmp_path, seed=1, pairs=True, whole=True)
    build.save(model.base_model, tokenizer, tmp_path / "bare", max_length=64)
    assert language.load(tmp_path / "bare", seed=1) is not None
    with pytest.raises(InputError, match=r"no cls\.predictions"):
        language.load(tmp_path / "bare", seed=1, whole=True)


def distil(teacher, student, batch, temperature=2.0):
    """The objective's parts, without any windows."""
    from ligero.config import GeneralConfig

    objective = object.__new__(GeneralDistillation)
    objective.teacher = teacher.eval()
    objective.weights = GeneralConfig(temperature=temperature)
    objective.expected = 3.0
    objective.train = type("Of", (), {"length": batch.inputs["input_ids"].shape[1]})
    return objective, objective.parts(student, batch)


def batch_for(model, rows=3, length=20):
    given = inputs(model, rows, length)
    places = torch.tensor([2, 5, 21, 22, 40, 59])
    return Batch(given, places, given["input_ids"].reshape(-1)[places].roll(1))


def test_bert_with_all_its_layers_as_a_distilbert_is_the_same_model(tokenizer):
    teacher = stirred(create("beto-cased", tokenizer)).eval()
    student = language.layers_of(teacher, 4).eval()
    assert student.config.model_type == "distilbert" and student.config.n_layers == 4
    given = inputs(teacher)
    with torch.no_grad():
        theirs = teacher.base_model(**given).last_hidden_state
        own = student.base_model(**given).last_hidden_state
        torch.testing.assert_close(own, theirs, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(student(**given).logits, teacher(**given).logits,
                                   rtol=1e-5, atol=1e-4)  # fmt: skip
        _, parts = distil(teacher, student, batch_for(teacher))
    assert abs(float(parts["kl"])) < 1e-4 and abs(float(parts["cosine"])) < 1e-4
    assert float(parts["mlm"]) > 1


@pytest.mark.parametrize("count, kept", [(1, [0]), (2, [0, 3]), (3, [0, 2, 3])])
def test_fewer_layers_are_the_teachers_own(count, kept, tokenizer):
    teacher = stirred(create("beto-cased", tokenizer)).eval()
    student = language.layers_of(teacher, count).eval()
    for new, old in enumerate(kept):
        state = torch.randn(1, 6, 64, generator=torch.Generator().manual_seed(1))
        given = {"attention_mask": None}
        with torch.no_grad():
            theirs = teacher.bert.encoder.layer[old](state, **given)
            own = student.distilbert.transformer.layer[new](state, **given)
        first = [x[0] if isinstance(x, tuple) else x for x in (own, theirs)]
        torch.testing.assert_close(*first, rtol=1e-5, atol=1e-5)


def test_other_families_students_are_of_their_own(tokenizer):
    teacher = create("ligero-tiny", tokenizer)
    student = language.layers_of(teacher, 2)
    assert student.config.model_type == "modernbert" and student.config.num_hidden_layers == 2


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_distilberts_parts_are_those_of_the_plain_formula(temperature, tokenizer):
    teacher, other = (stirred(create("beto-cased", tokenizer, s)).eval() for s in (0, 1))
    student = language.layers_of(other, 2).eval()
    batch = batch_for(teacher)
    with torch.no_grad():
        objective, parts = distil(teacher, student, batch, temperature)
        theirs, own = teacher(**batch.inputs), student(**batch.inputs)
        t, s = (
            x.logits.double().reshape(-1, x.logits.shape[-1])[batch.places] for x in (theirs, own)
        )
        p = torch.exp(t / temperature) / torch.exp(t / temperature).sum(1, keepdim=True)
        q = torch.exp(s / temperature) / torch.exp(s / temperature).sum(1, keepdim=True)
        kl = (p * (p / q).log()).sum() * temperature**2 / 3.0
        gold = torch.exp(s) / torch.exp(s).sum(1, keepdim=True)
        mlm = -gold[torch.arange(len(batch.gold)), batch.gold].log().sum() / 3.0
        a = teacher.base_model(**batch.inputs).last_hidden_state.double()
        b = student.base_model(**batch.inputs).last_hidden_state.double()
        angle = (a * b).sum(-1) / a.norm(dim=-1) / b.norm(dim=-1)
        cosine = (1 - angle).sum() / 20
        loss = objective.loss(student, batch)
    for name, value in {"kl": kl, "mlm": mlm, "cosine": cosine}.items():
        assert float(parts[name]) == pytest.approx(float(value), rel=1e-4), name
    assert float(loss.total) == pytest.approx(float(5 * kl + 2 * mlm + cosine), rel=1e-4)
    assert loss.weight == 3


def test_the_teacher_learns_nothing_and_drops_nothing_out(tokenizer):
    teacher = stirred(create("beto-cased", tokenizer))
    student = language.layers_of(teacher, 2)
    teacher.train()
    objective, _ = distil(teacher, student, batch_for(teacher))
    objective.rows = objective.widths = np.ones(3, dtype=np.int64)
    objective.batch = lambda ids, epoch: batch_for(teacher)
    loop.gradient(student, objective, np.arange(3), FitConfig())
    assert not teacher.training and student.training
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in student.parameters())

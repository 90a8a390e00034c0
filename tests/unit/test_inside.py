"""What is seen inside an encoder, against transformers' own states and each family's linear maps."""

import pytest
import torch
import transformers

import shapes
from ligero import vocab
from ligero.errors import InputError
from ligero.models import build
from ligero.models.inside import check, layer_number, look

SIZES = {
    "vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2,
    "intermediate_size": 48,
}  # fmt: skip
PARTS = ("states", "queries", "keys", "values")


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(shapes.TEXTS * 9, algorithm="bpe", size=300)


@pytest.fixture(scope="module")
def models(tokenizer):
    """A tagger of each family that ligero knows, and an ALBERT with two groups of tied layers."""
    torch.manual_seed(0)
    made = {
        name: build.create(
            shapes.small(name), kind="tag", labels=shapes.LABELS["tag"], tokenizer=tokenizer, seed=0
        )
        for name in shapes.ONE_OF_EACH
    }
    groups = transformers.AlbertConfig(**SIZES, embedding_size=16, num_hidden_groups=2)
    made["two groups"] = transformers.AlbertForTokenClassification(groups)
    electra = transformers.ElectraConfig(**SIZES, embedding_size=16)
    made["electra"] = transformers.ElectraForTokenClassification(electra)
    return {name: model.eval() for name, model in made.items()}


def mapped(name, model, layer, states):
    """Queries, keys and values of a layer (from 0), computed from what it is given."""
    encoder = model.base_model
    if name == "ligero-tiny":
        attention = encoder.layers[layer]
        return attention.attn.Wqkv(attention.attn_norm(states)).chunk(3, dim=-1)
    if name == "distilbeto":
        own = encoder.transformer.layer[layer].attention
        return own.q_lin(states), own.k_lin(states), own.v_lin(states)
    if name in ("albeto-tiny", "two groups"):
        groups = encoder.encoder.albert_layer_groups
        own = groups[layer * len(groups) // 4].albert_layers[0].attention
    else:
        own = encoder.encoder.layer[layer].attention.self
    return own.query(states), own.key(states), own.value(states)


@pytest.mark.parametrize("name", [*shapes.ONE_OF_EACH, "two groups", "electra"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@torch.no_grad()
def test_each_layer_is_seen_as_it_is(name, attention, models, tokenizer):
    model, inputs = models[name], shapes.batch(tokenizer)
    model.set_attn_implementation(attention)
    states = model(**inputs, output_hidden_states=True).hidden_states
    for layer in range(1, 5):
        with look(model, layer) as seen:
            for _ in range(2):  # the last pass counts, not the first
                model(**inputs)
        assert torch.equal(seen.states, states[layer])
        expected = mapped(name, model, layer - 1, states[layer - 1])
        for found, wanted in zip((seen.queries, seen.keys, seen.values), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
            assert not torch.equal(found, seen.states)
    with look(model, 0) as seen:
        model(**inputs)
    assert torch.equal(seen.states, states[-1])


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_nothing_is_left_behind_and_nothing_changed(name, models, tokenizer):
    model, inputs = models[name], shapes.batch(tokenizer)
    before = hooks(model)
    plain = model(**inputs).logits
    with look(model, 2) as seen:
        assert hooks(model) > before
        watched = model(**inputs).logits
    assert torch.equal(plain, watched)
    assert hooks(model) == before
    # Gradients go through what was seen.
    sum(getattr(seen, part).square().sum() for part in PARTS).backward()
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0
    model.zero_grad()
    with pytest.raises(ZeroDivisionError), look(model, 2):
        raise ZeroDivisionError
    assert hooks(model) == before


def test_a_layer_that_is_not_there(models):
    model = models["beto-cased"]
    before = hooks(model)
    assert [layer_number(model.config, layer) for layer in (0, 1, 4)] == [4, 1, 4]
    for layer in (-1, 5):
        with pytest.raises(InputError, match=f"found layer {layer}; expected 1 to 4"):
            layer_number(model.config, layer)
        with pytest.raises(InputError, match="1 to 4"), look(model, layer):
            pass
    assert hooks(model) == before


def test_a_family_whose_inside_is_not_known():
    config = transformers.GPT2Config(vocab_size=50, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    model = transformers.GPT2ForTokenClassification(config)
    with pytest.raises(InputError, match="type gpt2"), look(model, 1):
        pass
    with pytest.raises(InputError, match="type gpt2"):
        check(config)


def test_what_can_be_seen_is_told_by_a_configuration_alone(models):
    drawn = torch.random.get_rng_state()
    for model in models.values():
        check(model.config)
    for config in (transformers.MPNetConfig(), transformers.DebertaV2Config()):
        with pytest.raises(InputError, match=f"type {config.model_type}"):
            check(config)
    assert torch.equal(drawn, torch.random.get_rng_state())

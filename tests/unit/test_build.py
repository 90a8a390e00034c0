"""Models made, loaded, cut and saved: for every architecture of the catalog, at a tiny size."""

import json
import re

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from ligero import vocab
from ligero.errors import InputError
from ligero.models import build, catalog, weights
from shapes import LABELS, ONE_OF_EACH, TEXTS, batch, changed, equal, head, scores, small

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = {
    "tag": AutoModelForTokenClassification,
    "classify": AutoModelForSequenceClassification,
    "answer": AutoModelForQuestionAnswering,
}


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(TEXTS * 3, size=300)


@pytest.fixture
def make(tokenizer):
    def make(name: str, kind: str = "tag", seed: int = 1, labels=None):
        labels = labels or LABELS[kind]
        return build.create(small(name), kind=kind, labels=labels, tokenizer=tokenizer, seed=seed)

    return make


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("name", catalog.MODELS)
def test_plain_transformers_gives_the_same(name, kind, make, tokenizer, tmp_path):
    model = make(name, kind)
    build.save(model, tokenizer, tmp_path, max_length=512)
    names = {path.name for path in tmp_path.iterdir()}
    files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert names == files
    inputs = batch(tokenizer)
    expected = scores(model, inputs)
    plain = PLAIN[kind].from_pretrained(tmp_path)
    torch.testing.assert_close(scores(plain, inputs), expected, atol=1e-5, rtol=0)
    assert list(plain.config.id2label.values()) == list(LABELS[kind])
    # What their tokenizer gives fits their model, padding and token types included.
    theirs = AutoTokenizer.from_pretrained(tmp_path)(TEXTS, padding=True, return_tensors="pt")
    torch.testing.assert_close(scores(plain, theirs), expected, atol=1e-5, rtol=0)
    ours = build.load(tmp_path, kind=kind, labels=LABELS[kind], seed=9)
    assert equal(ours, model)
    assert json.loads((tmp_path / "config.json").read_text()).get("_name_or_path") in (None, "")


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_fused_attention_equals_the_reference(name, make, tokenizer):
    model = make(name)
    inputs = batch(tokenizer)
    fused = scores(model, inputs)
    assert model.config._attn_implementation == "sdpa"
    model.set_attn_implementation("eager")
    torch.testing.assert_close(scores(model, inputs), fused, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_padding_changes_nothing(name, make, tokenizer):
    model = make(name, "classify")
    together = scores(model, batch(tokenizer))
    alone = torch.tensor([tokenizer.encode(TEXTS[1]).ids])
    single = scores(model, {"input_ids": alone, "attention_mask": torch.ones_like(alone)})
    torch.testing.assert_close(together[1:2], single, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_chance_is_a_function_of_the_seed(name, make, tokenizer, tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = make(name, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert equal(first, make(name, seed=3))
    assert not equal(first, make(name, seed=4))
    assert torch.is_grad_enabled() and not first.training
    build.save(first, tokenizer, tmp_path, max_length=512)
    before = torch.get_rng_state()
    fresh = {"kind": "classify", "labels": ("a", "b")}
    one = build.load(tmp_path, **fresh, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(7)
    assert equal(one, build.load(tmp_path, **fresh, seed=1))
    assert not equal(one, build.load(tmp_path, **fresh, seed=2))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_new_head_is_drawn_as_transformers_draws_it(name, make, tokenizer, tmp_path):
    build.save(make(name), tokenizer, tmp_path, max_length=512)
    for labels in (("a", "b"), ("p", "q", "r", "s")):
        model = build.load(tmp_path, kind="tag", labels=labels, seed=1)
        assert list(model.config.id2label.values()) == list(labels)
        weight, bias = head(model).values()
        assert weight.shape == (len(labels), 64) and not bias.any()
        # ModernBERT draws its head with 1 / sqrt(width), the others with 0.02.
        spread = 64**-0.5 if name.startswith("ligero") else 0.02
        assert 0.6 * spread < weight.std() < 1.4 * spread
        assert not any(p.isnan().any() for p in model.parameters())
    # The encoder is the checkpoint's.
    saved = AutoModel.from_pretrained(tmp_path).state_dict()
    for key, value in model.base_model.state_dict().items():
        assert torch.equal(value, saved[key])


@pytest.mark.parametrize("kind", ["tag", "classify", "parse"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_head_is_kept_and_its_rows_follow_the_labels(name, kind, make, tokenizer, tmp_path):
    model = make(name, kind)
    with torch.no_grad():
        for parameter in build._label_layer(model)[1].parameters():
            parameter.normal_()
    build.save(model, tokenizer, tmp_path, max_length=512)
    turned = LABELS[kind][::-1]
    other = build.load(tmp_path, kind=kind, labels=turned, seed=1)
    inputs = batch(tokenizer)
    torch.testing.assert_close(scores(other, inputs), scores(model, inputs).flip(-1))
    assert list(other.config.id2label.values()) == list(turned)
    assert other.config.label2id == {label: index for index, label in enumerate(turned)}
    # Another kind of task, or one name more, is another head.
    changed = build.load(tmp_path, kind=kind, labels=(*turned, "otra"), seed=1)
    assert changed.config.num_labels == len(turned) + 1
    again = build.load(tmp_path, kind=kind, labels=("x", *turned[1:]), seed=1)
    assert not torch.equal(*(next(iter(head(m).values())) for m in (again, model)))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_cutting_layers(name, make, tokenizer, tmp_path):
    model = make(name)
    build.save(model, tokenizer, tmp_path / "whole", max_length=512)
    labels = LABELS["tag"]
    student = build.load(tmp_path / "whole", kind="tag", labels=labels, layers=2, seed=1)
    assert student.config.num_hidden_layers == 2
    build.save(student, tokenizer, tmp_path / "cut", max_length=512)
    plain = PLAIN["tag"].from_pretrained(tmp_path / "cut")
    assert plain.config.num_hidden_layers == 2
    inputs = batch(tokenizer)
    torch.testing.assert_close(scores(plain, inputs), scores(student, inputs), atol=1e-5, rtol=0)
    assert not equal(student, model)
    if name == "albeto-tiny":
        assert sum(p.numel() for p in student.parameters()) == sum(
            p.numel() for p in model.parameters()
        )
        # The same model stopped half-way through its own layers.
        model.config.num_hidden_layers = 2
        model.albert.encoder.config.num_hidden_layers = 2
        torch.testing.assert_close(scores(model, inputs), scores(student, inputs))
        return
    # 2 of 4 are the first and the last.
    whole, half = model.state_dict(), student.state_dict()
    last = next(k for k in half if ".1." in k and k.endswith("weight") and "ayer" in k)
    assert torch.equal(half[last], whole[last.replace(".1.", ".3.", 1)])
    assert torch.equal(head(student)["classifier.weight"], head(model)["classifier.weight"])


def test_layers_are_spread_as_distilbert_took_them():
    assert weights.spread(12, 6) == [0, 2, 4, 7, 9, 11]
    assert weights.spread(12, 1) == [0]
    assert weights.spread(4, 4) == [0, 1, 2, 3]
    for total in range(1, 25):
        for layers in range(1, total + 1):
            chosen = weights.spread(total, layers)
            assert len(set(chosen)) == layers and chosen == sorted(chosen)


def test_cut_keeps_the_kind_of_attention_of_each_layer(make):
    model = make("ligero-tiny")
    assert build.cut(model, 3).config.layer_types == [
        "full_attention",
        "sliding_attention",
        "full_attention",
    ]
    assert build.cut(model, 4) is model
    for layers in (0, 5):
        with pytest.raises(InputError, match="1 to 4"):
            build.cut(model, layers)


def test_a_masked_lm_checkpoint_gets_a_head_and_a_pooler(tokenizer, tmp_path):
    architecture = small("beto-cased")
    config = build.configuration(architecture, labels=("a", "b"), tokenizer=tokenizer)
    AutoModelForMaskedLM.from_config(config).save_pretrained(tmp_path)
    for kind in build.KINDS:
        one = build.load(tmp_path, kind=kind, labels=LABELS[kind], seed=1)
        torch.manual_seed(99)
        assert equal(one, build.load(tmp_path, kind=kind, labels=LABELS[kind], seed=1))


def test_shards_load(make, tokenizer, tmp_path):
    model = make("albeto-tiny")
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    assert not (tmp_path / "model.safetensors").exists()
    assert equal(build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1), model)


def test_half_precision_is_widened(make, tmp_path):
    make("albeto-tiny").to(torch.float16).save_pretrained(tmp_path)
    model = build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model_type": "mio", "auto_map": {"AutoModel": "mio.Mio"}}, "auto_map"),
        ({"model_type": "mio"}, "model_type 'mio'"),
        ({"model_type": ["bert"]}, "model_type"),
        ({"model_type": None}, "model_type 'None'"),
        ({"model_type": "vit"}, "head for tag"),
        ({"num_hidden_layers": "dos"}, "no valid configuration"),
        ({"hidden_size": 96}, "of another shape"),
        ({"num_hidden_layers": 9}, "weights missing"),
    ],
)
def test_configurations_that_cannot_be_used(settings, says, make, tmp_path):
    make("beto-cased").save_pretrained(tmp_path)
    changed(tmp_path, **settings)
    (tmp_path / "mio.py").write_text("raise SystemExit('remote code ran')")
    with pytest.raises(InputError) as caught:
        build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_known_models_ignore_the_code_they_bring(make, tmp_path):
    make("beto-cased").save_pretrained(tmp_path)
    changed(tmp_path, auto_map={"AutoModelForTokenClassification": "mio.Mio"})
    (tmp_path / "mio.py").write_text("raise SystemExit('remote code ran')")
    assert equal(build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1), make("beto-cased"))


def test_an_encoder_with_a_part_missing_is_refused(make, tmp_path):
    model = make("beto-cased")
    model.save_pretrained(tmp_path)
    lost = "bert.encoder.layer.1.output.dense.weight"
    state = {k: v for k, v in model.state_dict().items() if k != lost}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=rf"1 weights missing.*{lost}"):
        build.load(tmp_path, kind="tag", labels=LABELS["tag"], seed=1)


def test_bad_arguments_are_one_line(make, tokenizer, tmp_path):
    with pytest.raises(InputError, match="did you mean tag"):
        make("beto-cased", kind="tagg", labels=("a", "b"))
    for labels in (("a", "a"), ()):
        with pytest.raises(InputError, match="distinct"):
            build.configuration(small("bertin"), labels=labels, tokenizer=tokenizer)
    model = make("beto-cased")
    larger = type(tokenizer).from_str(tokenizer.to_str())
    larger.add_tokens(["Logroño"])
    with pytest.raises(InputError, match="at most 512"):
        build.save(model, tokenizer, tmp_path, max_length=513)
    with pytest.raises(InputError, match="vocabulary of"):
        build.save(model, larger, tmp_path, max_length=512)
    with pytest.raises(InputError, match="no such folder"):
        build.load(tmp_path / "nada", kind="tag", labels=("a", "b"), seed=1)


@pytest.mark.parametrize("name", catalog.MODELS)
def test_the_longest_input_is_the_catalogs_window(name, make, tokenizer):
    model = make(name)
    assert build.longest(model) == catalog.find(name).max_length
    # RoBERTa's positions start after the padding id: the last one must still exist.
    ids = torch.full((1, build.longest(model)), 7)
    assert model(input_ids=ids).logits.shape[1] == 512


def test_the_hash_sees_weights_and_what_is_done_with_them(make):
    model = make("albeto-tiny")
    key = build.weights_hash(model)
    assert key == build.weights_hash(make("albeto-tiny").train()) and len(key) == 64
    # Same weights, fewer applications.
    assert key != build.weights_hash(build.cut(model, 2))
    with torch.no_grad():
        next(model.parameters())[0, 0] += 1e-6
    assert key != build.weights_hash(model)
    assert build.weights_hash(model.to(torch.bfloat16)) != build.weights_hash(model.float())


def test_tokenizers_come_back_without_windows(tokenizer, tmp_path):
    limited = type(tokenizer).from_str(tokenizer.to_str())
    limited.enable_truncation(3)
    limited.enable_padding(length=9)
    limited.save(str(tmp_path / "tokenizer.json"))
    loaded = build.load_tokenizer(tmp_path)
    assert loaded.to_str() == tokenizer.to_str()


def test_tokenizers_of_older_checkpoints_are_converted(tmp_path):
    words = ["[MASK]", "[PAD]", "[EOS]", "[UNK]", "[CLS]", "[SEP]", "niño", "nino", "##s", "el"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    settings = '{"do_lower_case": true, "strip_accents": false}'
    (tmp_path / "tokenizer_config.json").write_text(settings)
    loaded = build.load_tokenizer(tmp_path)
    assert loaded.encode("El niños").tokens == ["[CLS]", "el", "niño", "##s", "[SEP]"]
    assert vocab.special_ids(loaded) == {"pad_id": 1, "cls_id": 4, "sep_id": 5}


def test_tokenizers_that_cannot_be_read_are_one_line(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "albert"}')
    for name, body in (("spiece.model", b"\x00nada"), ("tokenizer.json", b'{"model": 1}')):
        (tmp_path / name).write_bytes(body)
        with pytest.raises(InputError) as caught:
            build.load_tokenizer(tmp_path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["beto-cased", "distilbeto", "roberta-bne-base", "ligero-tiny"])
def test_stacked_layers_are_the_models_own_again(make, name):
    model = build.cut(make(name), 3)
    deeper = build.sized(model, 6)
    assert deeper.config.num_hidden_layers == 6
    own, other = model.state_dict(), deeper.state_dict()
    layer = re.compile(r"(.*\.layers?\.)(\d+)(\..*)")
    for key, tensor in other.items():
        if (found := layer.fullmatch(key)) is None:
            torch.testing.assert_close(tensor, own[key], rtol=0, atol=0)
            continue
        source = [0, 1, 2, 1, 2, 1][int(found[2])]
        torch.testing.assert_close(tensor, own[f"{found[1]}{source}{found[3]}"], rtol=0, atol=0)
    assert len([key for key in other if layer.fullmatch(key)]) > len(own) / 2
    assert build.sized(model, 3) is model
    # A cut gives the first and the last back.
    first = build.sized(deeper, 1).state_dict()
    assert all(torch.equal(first[k], own[k]) for k in first if layer.fullmatch(k))


def test_a_tied_layer_is_applied_more_often(make):
    model = build.cut(make("albeto-tiny"), 2)
    deeper = build.sized(model, 5)
    assert deeper.config.num_hidden_layers == 5
    assert sum(p.numel() for p in deeper.parameters()) == sum(p.numel() for p in model.parameters())


def test_a_single_layer_is_stacked_too(make):
    model = build.cut(make("ligero-tiny"), 1)
    deeper = build.sized(model, 3)
    assert deeper.config.num_hidden_layers == 3
    with pytest.raises(InputError, match="2 layers"):
        weights.stack(deeper, 2)

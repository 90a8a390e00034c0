"""The gradient, the teacher cache, windows and evaluation, on small random models."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ligero import vocab
from ligero.config import DistillConfig, FitConfig
from ligero.models import build, catalog
from ligero.tasks import kinds
from ligero.tasks.example import Example
from ligero.tasks.metrics import entity_scores
from ligero.train import loop
from ligero.train.distill import Distill
from ligero.train.features import Features
from ligero.train.finetune import Supervised
from ligero.train.scorer import evaluate, score
from ligero.train.teacher import TeacherCache, cache_key, example_digest
from ligero.train.trained import takes_segments

WORDS = "El la niño Ana García vive en Logroño Córdoba , y . ¿ ? vino ayer mañana a las 10".split()
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
TOPICS = ("deporte", "economía", "ciencia")


def small(family="ligero-micro", **changes):
    """An architecture of the catalog at a size that a test can afford."""
    known = catalog.MODELS[family]
    if known.family == "modernbert":
        changes = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48, **changes}
    else:
        changes = {
            "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 48, "embedding_size": 16, **changes,
        }  # fmt: skip
    dropout = {k: 0.0 for k in (*known.config, "parser_dropout") if "dropout" in k}
    return replace(known, config={**known.config, **dropout, **changes})


def tagged(count, seed=0, longest=40):
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        words = [str(w) for w in rng.choice(WORDS, rng.integers(1, longest))]
        ends = np.cumsum([len(w) + 1 for w in words])
        spans = tuple((int(e) - len(w) - 1, int(e) - 1) for e, w in zip(ends, words, strict=True))
        tags = tuple(str(t) for t in rng.choice(TAGS, len(words)))
        made.append(Example(str(number), (" ".join(words),), spans, {"tag": tags}))
    return made


def classified(count, seed=0, longest=40, texts=1):
    rng = np.random.default_rng(seed)
    return [
        Example(
            str(number),
            tuple(" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(texts)),
            None,
            {"label": (str(rng.choice(TOPICS)),)},
        )
        for number in range(count)
    ]


def asked(count, seed=0, longest=40):
    """Questions whose answer is a random span of their context; every fifth has none."""
    rng = np.random.default_rng(seed)
    made = []
    for context in tagged(count, seed, longest):
        spans = context.words
        first = int(rng.integers(len(spans)))
        last = min(len(spans) - 1, first + int(rng.integers(3)))
        answers = () if int(context.id) % 5 == 4 else ((spans[first][0], spans[last][1]),)
        question = " ".join(rng.choice(WORDS, rng.integers(1, 6)))
        made.append(Example(context.id, (question, context.texts[0]), spans, {}, answers=answers))
    return made


def parsed(count, seed=0, longest=40):
    """Sentences with random trees: a word's head comes before it."""
    rng = np.random.default_rng(seed)
    return [
        replace(e, gold={
            "head": tuple(str(rng.integers(1, i + 1)) if i else "0" for i in range(len(e.words))),
            "relation": tuple(str(r) for r in rng.choice(["root", "det", "obj"], len(e.words))),
        })
        for e in tagged(count, seed, longest)
    ]  # fmt: skip


KINDS = {"tag": "tag", "label": "classify", "relation": "parse"}


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train([" ".join(WORDS)] * 9, algorithm="bpe", size=260)


def other_tokenizer():
    return vocab.train([" ".join(WORDS)] * 9, algorithm="wordpiece", size=300, lowercase=True)


def features(examples, tokenizer, window=64, segments=False):
    of = next((KINDS[name] for name in examples[0].gold if name in KINDS), "answer")
    kind = kinds.find(of)
    return Features(
        examples, tokenizer=tokenizer, window=window, kind=kind,
        labels=kind.labels(examples), segments=segments,
    )  # fmt: skip


def model_for(read, tokenizer, seed=0, **changes):
    return build.create(
        small(**changes), kind=read.kind.name, labels=read.kind.rows(read.labels),
        tokenizer=tokenizer, seed=seed,
    )  # fmt: skip


def gradient(model, objective, ids, **settings):
    loop.gradient(model, objective, ids, FitConfig(**settings))
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def objectives(examples, tokenizer):
    read = features(examples, tokenizer, window=32)
    yield "supervised", Supervised(read, read), model_for(read, tokenizer)
    rng = np.random.default_rng(1)
    targets = [
        {
            choice.name: rng.normal(
                size=(
                    len(gold[choice.name]),
                    len(read.labels) if choice.options == "labels" else 1 + len(example.words),
                )
            ).astype(np.float32)
            for choice in read.kind.choices
        }
        for example, gold in zip(read.examples, read.gold, strict=True)
    ]
    for scores in targets:
        if "head" in scores:
            np.fill_diagonal(scores["head"][:, 1:], -np.inf)  # no word is its own head
    for loss in ("kl", "ce", "mse"):
        taught = Distill(read, read, targets, DistillConfig(alpha=0.3, loss=loss, temperature=2))
        yield loss, taught, model_for(read, tokenizer)


@pytest.mark.parametrize("make", [tagged, classified, asked, parsed])
def test_gradient_does_not_depend_on_how_a_batch_is_cut(make, tokenizer):
    for name, objective, model in objectives(make(24, longest=60), tokenizer):
        assert objective.rows.max() > 1, "some examples must have several windows"
        ids = np.arange(24)
        plain = gradient(model, objective, ids, accumulation=1, batch_tokens=10**6)
        assert max(float(g.abs().max()) for g in plain.values()) > 1e-3
        cuts = [{"accumulation": n, "batch_tokens": 10**6} for n in (2, 4, 8)]
        cuts += [{"batch_tokens": n} for n in (64, 256)]
        for cut in cuts:
            # Another order too: buckets change it.
            other = gradient(model, objective, np.random.default_rng(5).permutation(ids), **cut)
            apart = torch.cat([(other[k] - v).flatten() for k, v in plain.items()]).norm()
            whole = torch.cat([v.flatten() for v in plain.values()]).norm()
            assert float(apart / whole) < 1e-6, (name, cut)


def test_bf16_is_near_and_leaves_weights_in_fp32(tokenizer):
    read = features(tagged(16), tokenizer)
    model = model_for(read, tokenizer)
    objective = Supervised(read, read)
    plain = gradient(model, objective, np.arange(16))
    half = gradient(model, objective, np.arange(16), precision="bf16")
    whole = torch.cat([g.flatten() for g in plain.values()])
    other = torch.cat([g.flatten() for g in half.values()])
    assert 0 < float((whole - other).norm() / whole.norm()) < 0.05
    assert all(p.dtype == torch.float32 for p in model.parameters())


def cache_of(tmp_path, model, tokenizer, read, examples, notes=None):
    digests = [example_digest(e) for e in examples]
    weights, definition = build.weights_hash(model), tokenizer.to_str()
    key = cache_key(weights, definition, read, digests)
    cache = TeacherCache(tmp_path, key, (notes if notes is not None else []).append)
    return cache, cache.entries(model, read, digests)


@pytest.mark.parametrize("make", [tagged, classified, asked, parsed])
def test_cached_and_live_teacher_outputs_agree(make, tokenizer, tmp_path):
    examples = make(90, longest=60)
    read = features(examples, tokenizer, window=32)
    model = model_for(read, tokenizer)
    first, computed = cache_of(tmp_path, model, tokenizer, read, examples)
    second, cached = cache_of(tmp_path, model, tokenizer, read, examples)
    assert first.computed == 90 and second.computed == 0
    # Live: batches of another size and composition than those the cache was made with.
    for start in range(0, 90, 7):
        ids = np.arange(start, min(start + 7, 90))
        for i, live in zip(ids, score(model, read, ids), strict=True):
            for name, scores in live.items():
                np.testing.assert_allclose(cached[i][name], scores, rtol=0, atol=1e-6)
                assert (cached[i][name] == computed[i][name]).all()


def test_cache_is_hit_whatever_the_order_and_missed_after_any_change(tokenizer, tmp_path):
    examples = tagged(40)
    read = features(examples, tokenizer)
    model = model_for(read, tokenizer)
    _, entries = cache_of(tmp_path, model, tokenizer, read, examples)

    turned = examples[::-1]
    hit, again = cache_of(tmp_path, model, tokenizer, features(turned, tokenizer), turned)
    assert hit.computed == 0
    assert all((a["tag"] == b["tag"]).all() for a, b in zip(again, entries[::-1], strict=True))

    def computed(**change):
        with_ = {
            "model": model,
            "tokenizer": tokenizer,
            "examples": examples,
            "window": 64,
        } | change
        read = features(with_["examples"], with_["tokenizer"], with_["window"])
        return cache_of(tmp_path, with_["model"], with_["tokenizer"], read, with_["examples"])[
            0
        ].computed

    assert computed() == 0
    retrained = model_for(read, tokenizer)
    with torch.no_grad():
        next(iter(retrained.parameters()))[5, 3] += 1e-6
    assert computed(model=retrained) == 40
    was = examples[3].gold["tag"]
    label = ("I-PER" if was[0] != "I-PER" else "O", *was[1:])
    assert (
        computed(examples=[*examples[:3], replace(examples[3], gold={"tag": label}), *examples[4:]])
        == 40
    )
    text = replace(examples[3], texts=("Ñ" + examples[3].texts[0][1:],))
    assert computed(examples=[*examples[:3], text, *examples[4:]]) == 40
    assert computed(window=48) == 40


def test_equal_examples_share_one_entry(tokenizer, tmp_path):
    examples = [*tagged(5), *tagged(5)]
    read = features(examples, tokenizer)
    cache, entries = cache_of(tmp_path, model_for(read, tokenizer), tokenizer, read, examples)
    assert cache.computed == 5
    assert all((a["tag"] == b["tag"]).all() for a, b in zip(entries[:5], entries[5:], strict=True))


@pytest.mark.parametrize("make", [tagged, asked, parsed])
def test_teacher_and_student_of_different_vocabularies_and_windows_meet_at_words(make, tokenizer):
    examples = make(12, longest=80)
    teacher = features(examples, other_tokenizer(), window=32)
    student = features(examples, tokenizer, window=48)
    assert teacher.rows.max() > 1 and student.rows.max() > 1
    assert not (teacher.rows == student.rows).all()
    targets = score(model_for(teacher, other_tokenizer(), seed=3), teacher)
    objective = Distill(student, student, targets, DistillConfig())
    batch = objective.batch(np.arange(12), 0)
    words = [len(e.words) for e in examples]
    assert len(batch.words) == sum(words)
    for choice in student.kind.choices:
        assert len(batch.targets[choice.name]) == (sum(words) if choice.units == "words" else 12)
        if choice.options == "words":
            each = sum(words) if choice.units == "words" else len(words)
            there = torch.isfinite(batch.targets[choice.name])
            assert there.shape == (each, 1 + max(words))
            repeated = np.repeat(words, words) if choice.units == "words" else np.asarray(words)
            # No word is its own head.
            own = choice.name == "head"
            assert (there.sum(dim=1).numpy() == 1 + repeated - own).all()
    model = model_for(student, tokenizer)
    loss = objective.loss(model, batch)
    assert loss.weight == sum(len(g) for g in batch.gold.values()) and torch.isfinite(loss.total)
    loss.total.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_long_sentence_in_windows_equals_a_model_that_sees_it_whole(tokenizer):
    """Two layers that look four sub-words to each side see eight: less than any window's margin.
    So each word must get to the bit-near the same scores as in one pass over the whole."""
    sentence = tagged(1, seed=4, longest=1239)[0]
    rng = np.random.default_rng(0)
    words = [str(w) for w in rng.choice(WORDS, 1238)]
    ends = np.cumsum([len(w) + 1 for w in words])
    spans = tuple((int(e) - len(w) - 1, int(e) - 1) for e, w in zip(ends, words, strict=True))
    sentence = replace(
        sentence, texts=(" ".join(words),), words=spans,
        gold={"tag": tuple(str(t) for t in rng.choice(TAGS, 1238))},
    )  # fmt: skip
    local = {
        "layer_types": ["sliding_attention"] * 2, "num_hidden_layers": 2, "local_attention": 8,
        "max_position_embeddings": 4096,
    }  # fmt: skip
    whole = features([sentence], tokenizer, window=4096)
    cut = features([sentence], tokenizer, window=96)
    assert whole.rows[0] == 1 and cut.rows[0] > 15
    model = model_for(whole, tokenizer, **local)
    (seen_whole,), (seen_cut,) = score(model, whole), score(model, cut)
    assert seen_cut["tag"].shape == (1238, len(TAGS))
    np.testing.assert_allclose(seen_cut["tag"], seen_whole["tag"], rtol=0, atol=1e-5)
    # And it is no triviality: read at the wrong place the scores differ by far more.
    assert np.abs(seen_whole["tag"][1:] - seen_whole["tag"][:-1]).max() > 1e-2


def test_long_text_is_classified_by_the_mean_of_its_windows(tokenizer):
    examples = classified(6, longest=200)
    read = features(examples, tokenizer, window=32)
    model = model_for(read, tokenizer)
    scores = score(model, read)
    for i, encoded in enumerate(read.encoded):
        with torch.no_grad():
            each = [model(input_ids=torch.tensor(w[None])).logits[0].numpy() for w in encoded.ids]
        np.testing.assert_allclose(scores[i]["label"][0], np.mean(each, axis=0), atol=1e-5)


def test_evaluation_counts_what_the_kind_counts(tokenizer):
    examples = tagged(30)
    read = features(examples, tokenizer)
    model = model_for(read, tokenizer)
    found = evaluate(model, read)
    predicted = [
        read.kind.predict(e, s, read.labels)
        for e, s in zip(examples, score(model, read), strict=True)
    ]
    expected = entity_scores([e.gold["tag"] for e in examples], [p["tag"] for p in predicted])
    assert found["f1"] == expected["f1"]
    right = [g == p for e, f in zip(examples, predicted, strict=True)
             for g, p in zip(e.gold["tag"], f["tag"], strict=True)]  # fmt: skip
    assert found["accuracy"] == pytest.approx(100 * np.mean(right))
    batch = read.batch(np.arange(30))
    with torch.no_grad():
        total = Supervised(read, read).loss(model, batch)
    assert found["loss"] == pytest.approx(float(total.total) / total.weight, rel=1e-5)


def test_pairs_have_segments_where_the_model_takes_them(tokenizer):
    examples = classified(4, texts=2)
    for name, expected in (("beto-cased", True), ("albeto-tiny", True), ("distilbeto", False),
                           ("bertin", False), ("ligero-micro", False)):  # fmt: skip
        read = features(examples, tokenizer)
        shape = small(name) if name != "distilbeto" else replace(
            catalog.MODELS[name],
            config={**catalog.MODELS[name].config, "dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 48},
        )  # fmt: skip
        model = build.create(
            shape, kind="classify", labels=read.labels, tokenizer=tokenizer, seed=0
        )
        assert takes_segments(model) is expected, name
        read = features(examples, tokenizer, segments=expected)
        batch = read.batch(np.arange(4))
        assert ("token_type_ids" in batch.inputs) is expected
        if expected:
            assert set(batch.inputs["token_type_ids"].unique().tolist()) == {0, 1}
        assert score(model, read)[0]["label"].shape == (1, len(read.labels))

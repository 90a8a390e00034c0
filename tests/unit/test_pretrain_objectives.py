"""Objectives of pre-training against transformers' own losses, and that all of them learn."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import AutoModel

import shapes
import small_text
from ligero.config import FitConfig, GeneralConfig, MaskConfig, ReplacedConfig
from ligero.corpus.shards import Shards
from ligero.models import build, language
from ligero.pretrain import replaced
from ligero.pretrain.general import GeneralDistillation
from ligero.pretrain.masked import UNLABELLED, MaskedWords
from ligero.pretrain.ordered import OrderedSentences
from ligero.pretrain.replaced import Judged, ReplacedTokens
from ligero.pretrain.windows import Windows
from ligero.train import loop, optim

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTH = 32
OBJECTIVES = ("masked", "masked+order", "replaced", "distilbert")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("objectives"), 60)


@pytest.fixture(scope="module")
def tokenizer(place):
    return Tokenizer.from_file(str(place / "vocab" / "tokenizer.json"))


@pytest.fixture(scope="module")
def text(place, tokenizer):
    """Windows for training and for validation."""
    return tuple(
        Windows(Shards(place / name), tokenizer, LENGTH, seed=0) for name in ("train", "valid")
    )


def create(name, tokenizer, seed=0, pairs=False, layers=2, dropout=0.0):
    architecture = shapes.small(name)
    config = build.configuration(architecture, labels=None, tokenizer=tokenizer)
    model = build.cut(language.drawn(config, seed=seed, pairs=pairs), layers)
    language.set_dropout(model, dropout)
    return model


def pair(kind, text, tokenizer, seed=0, **mask):
    """An objective and a model that it can train."""
    given = (*text, MaskConfig(**mask), seed, 24)
    if kind == "masked":
        return MaskedWords(*given), create("ligero-tiny", tokenizer)
    if kind == "masked+order":
        return OrderedSentences(*given), create("albeto-tiny", tokenizer, pairs=True)
    if kind == "replaced":
        model = Judged(create("ligero-tiny", tokenizer), 1, 0)
        language.set_dropout(model, 0.0)
        return ReplacedTokens(*given, ReplacedConfig()), model
    teacher = create("beto-cased", tokenizer, seed=3)
    student = language.layers_of(create("beto-cased", tokenizer, seed=4), 1)
    language.set_dropout(student, 0.0)
    return GeneralDistillation(*given, teacher, GeneralConfig()), student


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_the_loss_at_hidden_places_is_transformers_own(name, text, tokenizer):
    model = create(name, tokenizer).eval()
    objective = MaskedWords(*text, MaskConfig(), 0, 8)
    batch = objective.batch(np.arange(9), 0)
    labels = torch.full((9 * LENGTH,), -100)
    labels[batch.places] = batch.gold
    with torch.no_grad():
        expected = model(**batch.inputs, labels=labels.view(9, LENGTH)).loss
        loss = objective.loss(model, batch)
    assert loss.weight == 9 and batch.tokens == 9 * LENGTH
    mean = loss.total * objective.expected / len(batch.gold)
    torch.testing.assert_close(mean, expected, rtol=1e-5, atol=1e-5)
    assert objective.expected == pytest.approx(0.15 * (LENGTH - 2))


@pytest.mark.parametrize("name", ["beto-cased", "albeto-tiny"])
def test_the_loss_of_words_and_order_is_transformers_own(name, text, tokenizer):
    model = create(name, tokenizer, pairs=True).eval()
    objective = OrderedSentences(*text, MaskConfig(), 0, 8)
    batch = objective.batch(np.arange(40), 0)
    kept = (batch.swapped != UNLABELLED).nonzero().ravel()
    assert len(kept) > 15
    labels = torch.full((40 * LENGTH,), -100)
    labels[batch.places] = batch.gold
    order = "next_sentence_label" if name == "beto-cased" else "sentence_order_label"
    with torch.no_grad():
        # transformers divides both by their own counts.
        expected = model(
            **batch.inputs, labels=labels.view(40, LENGTH), **{order: batch.swapped}
        ).loss
        ours = objective.loss(model, batch)
        words = MaskedWords.loss(objective, model, batch)
        told = objective.tallies(model, batch)
    by_order = (ours.total - words.total) / len(kept)
    by_words = words.total * objective.expected / len(batch.gold)
    torch.testing.assert_close(by_words + by_order, expected, rtol=1e-5, atol=1e-5)
    assert told["order_loss"] == (pytest.approx(float(by_order) * len(kept), rel=1e-4), len(kept))
    assert 0 <= told["order_accuracy"][0] <= 100 * len(kept)


def test_half_the_pairs_are_swapped_and_all_lead_back_to_the_text(text):
    windows = text[0]
    # Nothing replaced, so that what is read is the text.
    objective = OrderedSentences(*text, MaskConfig(mask=0.0, random=0.0), 0, 8)
    ids = np.arange(windows.size)
    labelled = turned = 0
    for epoch in range(8):
        batch = objective.batch(ids, epoch)
        plain = windows.read(ids, epoch)
        rows, types = (batch.inputs[n].numpy() for n in ("input_ids", "token_type_ids"))
        for row, span in enumerate(windows.spans(ids, epoch)):
            swapped = int(batch.swapped[row])
            if swapped == UNLABELLED:
                assert (rows[row] == plain.ids[row]).all() and not types[row].any()
                starts = windows.sentence_starts(span)
                usable = starts[starts < windows.text - 1]
                assert span.documents[1:-1].any() or not len(usable)
                continue
            labelled += 1
            turned += swapped
            border = int(np.flatnonzero(types[row])[0]) - 1
            assert types[row].tolist() == [0] * (border + 1) + [1] * (LENGTH - border - 1)
            assert rows[row, 0] == windows.cls
            assert rows[row, border] == rows[row, -1] == windows.sep
            pieces = [rows[row, 1:border], rows[row, border + 1 : -1]]
            joined = np.concatenate(pieces[::-1] if swapped else pieces)
            assert (joined == span.ids[: windows.text - 1]).all()
            # It is cut where a sentence begins.
            cut = len(pieces[1 if swapped else 0])
            assert cut in windows.sentence_starts(span)
    share = turned / labelled
    assert labelled > 0.4 * 8 * len(ids)
    assert share == pytest.approx(0.5, abs=4 * 0.5 / labelled**0.5)


def test_pairs_hide_whole_words_of_both_segments_and_no_sign_between(text):
    windows = text[0]
    objective = OrderedSentences(*text, MaskConfig(), 0, 8)
    ids = np.arange(min(windows.size, 150))
    batch = objective.batch(ids, 0)
    assert not torch.isin(batch.gold, torch.tensor([windows.cls, windows.sep])).any()
    types = batch.inputs["token_type_ids"].reshape(-1)[batch.places]
    assert 0.2 < float(types[types >= 0].float().mean()) < 0.7
    few = objective.batch(ids[5:8], 0)
    for name, whole in batch.inputs.items():
        assert torch.equal(few.inputs[name], whole[5:8])


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_gradient_does_not_depend_on_how_a_batch_is_cut(kind, text, tokenizer):
    objective, model = pair(kind, text, tokenizer)
    ids = np.random.default_rng(0).permutation(objective.size)[:12]

    def gradient(ids, **cut):
        loss, tokens = loop.gradient(model, objective, ids, FitConfig(**cut), epoch=1, number=1)
        assert tokens == 12 * LENGTH
        flat = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        return loss, torch.cat(flat).clone()

    loss, plain = gradient(ids, batch_tokens=10**6)
    assert float(plain.abs().max()) > 1e-3
    cuts = [{"batch_tokens": n} for n in (LENGTH, 3 * LENGTH, 100)]
    cuts += [{"batch_tokens": 10**6, "accumulation": n} for n in (2, 5, 12)]
    for cut in cuts:
        other, grad = gradient(np.random.default_rng(5).permutation(ids), **cut)
        assert other == pytest.approx(loss, rel=1e-5)
        assert float((grad - plain).norm() / plain.norm()) < 1e-5, cut


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_evaluation_is_the_same_each_time_and_training_goes_on(kind, text, tokenizer):
    objective, model = pair(kind, text, tokenizer)
    language.set_dropout(model, 0.4)
    for training in (True, False):
        model.train(training)
        torch.manual_seed(1)
        first = objective.evaluate(model)
        torch.manual_seed(2)
        assert objective.evaluate(model) == first
        assert model.training is training
        assert all(m.training is training for m in model.modules())
    assert first["loss"] > 0 and objective.metric in first
    # What the mean is over: as many windows as asked, whatever their number at a time.
    assert {"loss", "accuracy"} <= first.keys()


def test_evaluation_is_the_mean_over_hidden_places(text, tokenizer):
    objective, model = pair("masked", text, tokenizer)
    objective = replace(objective, dev_windows=10**6)
    assert objective.dev.size < 10**6
    found = objective.evaluate(model)
    batch = objective.drawn(objective.dev, np.arange(objective.dev.size), 0, "dev")
    model.eval()
    with torch.no_grad():
        scores = model(**batch.inputs).logits.reshape(-1, model.config.vocab_size)[batch.places]
    assert found["loss"] == pytest.approx(float(F.cross_entropy(scores, batch.gold)), rel=1e-5)
    right = (scores.argmax(1) == batch.gold).float().mean()
    assert found["accuracy"] == pytest.approx(100 * float(right))


@pytest.fixture(scope="module")
def little(tmp_path_factory):
    """Text of eight sentences in any order: what is hidden can be known."""
    place = small_text.make(tmp_path_factory.mktemp("little"), 60, size=260, distinct=8)
    tokenizer = Tokenizer.from_file(str(place / "vocab" / "tokenizer.json"))
    train, dev = (Shards(place / name) for name in ("train", "valid"))
    return tuple(Windows(each, tokenizer, LENGTH, seed=0) for each in (train, dev)), tokenizer


def test_what_is_hidden_is_learned_from_its_surroundings(little):
    text, tokenizer = little
    objective, model = pair("masked", text, tokenizer)
    before = objective.evaluate(model)
    rng = np.random.default_rng(0)
    learn(objective, model, [rng.integers(0, objective.size, 16) for _ in range(250)], 3e-3)
    after = objective.evaluate(model)
    # How often each sub-word occurs would explain a loss of 4.2, and one in ten.
    assert before["loss"] > 5 and after["loss"] < 3.3 and after["accuracy"] > 25, after


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_every_objective_learns_a_batch_by_heart(kind, text, tokenizer):
    objective, model = pair(kind, text, tokenizer)
    if kind == "distilbert":
        # This teacher was never taught: what it says and what the text says are two things.
        objective.weights = GeneralConfig(mlm=0.0)
        torch.manual_seed(0)
        with torch.no_grad():
            for p in objective.teacher.parameters():
                p.add_(torch.randn_like(p) * 0.1)
    ids = np.arange(8)
    batch = objective.batch(ids, 0)

    def told():
        with torch.no_grad():
            pairs = objective.tallies(model.eval(), batch)
        found = {name: total / count for name, (total, count) in pairs.items()}
        if kind == "distilbert":
            found |= {
                name: float(part.detach()) for name, part in objective.parts(model, batch).items()
            }
        return found

    before = told()
    learn(objective, model, [ids] * 60, 2e-3)
    after = told()
    falling = {
        "masked": ["loss"],
        "masked+order": ["loss", "order_loss"],
        "replaced": ["loss", "generator_loss", "judge_loss"],
        "distilbert": ["kl", "cosine"],
    }
    for name in falling[kind]:
        assert after[name] < 0.6 * before[name], (name, before, after)


def learn(objective, model, steps, rate):
    """Steps of the optimiser on given windows, of the first epoch."""
    config = FitConfig(batch_size=16)
    optimizer = optim.create(model, config)
    for number, ids in enumerate(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (number + 1) / 10)
        loop.step(model, objective, optimizer, ids, config, epoch=0, number=number)


def test_bf16_is_near(text, tokenizer):
    for kind in OBJECTIVES:
        objective, model = pair(kind, text, tokenizer)
        ids = np.arange(8)
        found = []
        for precision in ("fp32", "bf16"):
            loop.gradient(model, objective, ids, FitConfig(precision=precision))
            found.append(
                torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
            )
        if kind == "replaced":
            # Other guesses may be drawn where two scores are near each other.
            assert torch.isfinite(found[1]).all()
            continue
        assert 0 < float((found[0] - found[1]).norm() / found[0].norm()) < 0.05, kind


# Replaced tokens.


def test_guesses_are_drawn_as_the_scores_say():
    scores = torch.tensor([[0.0, 1.0, -torch.inf, 2.0]]).expand(40_000, 4)
    draws = torch.from_numpy(np.random.default_rng(0).random(40_000))
    drawn = replaced.sample(scores, draws)
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    torch.testing.assert_close(shares, scores[0].softmax(0), rtol=0, atol=0.01)
    edges = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    assert replaced.sample(scores[:2], edges).tolist() == [0, 3]
    wide = torch.randn(50, 30_000, generator=torch.Generator().manual_seed(0)) * 3
    wanted = [torch.multinomial(row.softmax(0), 1) for row in wide]
    assert len(wanted) == len(replaced.sample(wide, draws[:50]))
    broken = torch.full((3, 7), torch.nan)
    assert (
        (replaced.sample(broken, draws[:3]) >= 0) & (replaced.sample(broken, draws[:3]) < 7)
    ).all()


def test_the_judge_is_told_what_was_replaced_and_not_what_was_guessed_right(
    text, tokenizer, monkeypatch
):
    objective, model = pair("replaced", text, tokenizer)
    batch = objective.batch(np.arange(16), 0)
    windows = text[0]
    ids = batch.inputs["input_ids"].reshape(-1)
    # As in the paper, whatever the settings say of the rest.
    assert (ids[batch.places] == windows.mask).all()
    assert batch.draws.shape == batch.gold.shape
    right = torch.arange(len(batch.gold)) % 3 == 0
    wrong = torch.where(batch.gold == 20, 21, 20)
    monkeypatch.setattr(
        replaced, "sample", lambda scores, draws: torch.where(right, batch.gold, wrong)
    )
    seen = {}
    original = F.binary_cross_entropy_with_logits

    def told(scores, truth, **how):
        seen.update(truth=truth.clone(), scores=scores)
        return original(scores, truth, **how)

    read = []
    model.judge.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"]), with_kwargs=True
    )
    monkeypatch.setattr(F, "binary_cross_entropy_with_logits", told)
    objective.loss(model.train(), batch)
    truth = seen["truth"].reshape(-1)
    expected = torch.zeros_like(truth)
    expected[batch.places[~right]] = 1
    assert torch.equal(truth, expected)
    filled = ids.clone()
    filled[batch.places] = torch.where(right, batch.gold, wrong)
    assert torch.equal(read[0].reshape(-1), filled)
    assert not (read[0] == windows.mask).any() or (ids[batch.places] == windows.mask).all()


@pytest.mark.parametrize("name", shapes.ONE_OF_EACH)
def test_generator_and_judge_share_embeddings_and_both_learn(name, text, tokenizer, tmp_path):
    judge = create(name, tokenizer)
    model = Judged(judge, 1, 0)
    language.set_dropout(model, 0.0)
    embeddings = model.judge.get_input_embeddings().weight
    assert model.generator.get_input_embeddings().weight is embeddings
    assert model.generator.get_output_embeddings().weight is embeddings
    assert model.generator.config.num_hidden_layers == 1
    assert judge.config.num_hidden_layers == 2
    objective = ReplacedTokens(*text, MaskConfig(), 0, 8, ReplacedConfig())
    loop.gradient(model, objective, np.arange(8), FitConfig())
    lacking = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert not {n for n in lacking if "pooler" not in n}, lacking
    for part in (model.generator, model.judge.base_model, model.dense, model.score):
        moved = [p.grad.abs().max() for p in part.parameters() if p.grad is not None]
        assert min(map(float, moved)) >= 0 and max(map(float, moved)) > 1e-5
    both = embeddings.grad.clone()
    for weight in (0.0, 50.0):
        # The judge's loss reaches the shared embeddings, but not what only the generator has.
        alone = ReplacedTokens(*text, MaskConfig(), 0, 8, ReplacedConfig(weight=weight))
        loop.gradient(model, alone, np.arange(8), FitConfig())
        same = torch.allclose(embeddings.grad, both, atol=1e-7)
        assert same is (weight == 50.0)
    build.save(model.judge.base_model, tokenizer, tmp_path, max_length=LENGTH)
    stock = AutoModel.from_pretrained(tmp_path).eval()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        torch.testing.assert_close(
            stock(input_ids=ids).last_hidden_state,
            model.judge.base_model.eval()(input_ids=ids).last_hidden_state,
        )


def test_dropout_is_turned_off_in_the_generator_too(tokenizer):
    model = Judged(create("beto-cased", tokenizer, dropout=0.1), 1, 0)
    language.set_dropout(model, 0.0)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.0}


def test_a_batch_says_how_many_sub_words_it_has(text, tokenizer):
    for kind in OBJECTIVES:
        objective, _ = pair(kind, text, tokenizer)
        batch = objective.batch(np.arange(7), 0)
        assert batch.tokens == 7 * LENGTH
        assert {f.name for f in dataclasses.fields(batch)} >= {"inputs", "places", "gold"}
        assert objective.names(np.array([4, 2])) == ["window 4", "window 2"]

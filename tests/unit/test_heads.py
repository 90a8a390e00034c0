"""Scores of answers and trees: where they are read, and that batches and windows change nothing."""

import re

import pytest
import torch
from torch.nn import functional as F

from ligero import vocab
from ligero.errors import InputError
from ligero.models import build, catalog
from ligero.models.heads import HEADS
from ligero.tasks import kinds
from ligero.tasks.example import Example
from ligero.train.features import Features
from shapes import ONE_OF_EACH, changed, head, small

pytestmark = pytest.mark.usefixtures("one_thread")

SENTENCES = (
    "Sí",
    "El niño de Logroño come pan",
    "La niña de Córdoba come pan con aceite y el niño no come nada de nada",
)
ROWS = {"answer": ("start", "end"), "parse": ("det", "nsubj", "root")}
LABELS = {"answer": ("answer", "no answer"), "parse": ROWS["parse"]}


@pytest.fixture(scope="module")
def tokenizer():
    return vocab.train(SENTENCES * 3, size=300)


@pytest.fixture(scope="module")
def read(tokenizer):
    """Batches of the sentences (with a question, for answers) in windows of a length."""

    def read(kind: str, ids, window: int = 64):
        features = Features(
            [example(kind, text) for text in SENTENCES],
            tokenizer=tokenizer,
            window=window,
            kind=kinds.find(kind),
            labels=LABELS[kind],
            segments=False,
        )
        return features.batch(torch.tensor(ids).numpy())

    return read


def example(kind: str, text: str) -> Example:
    words = tuple((m.start(), m.end()) for m in re.finditer(r"\w+", text))
    return Example("", (text,) if kind == "parse" else ("¿Quién come?", text), words)


def scores(kind: str, model, batch) -> dict[str, torch.Tensor]:
    return HEADS[kind](model, batch.inputs, batch.row_example, batch.words)


def made(name: str, kind: str, tokenizer):
    """A small model whose head is drawn widely, so that its scores differ."""
    model = build.create(small(name), kind=kind, labels=ROWS[kind], tokenizer=tokenizer, seed=1)
    inside = f"{model.base_model_prefix}."
    torch.manual_seed(2)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if not key.startswith(inside):
                parameter.normal_(std=0.1)
    return model


def counts() -> list[int]:
    return [len(text.split()) for text in SENTENCES]


def test_answers_are_read_at_words_and_at_no_answer(tokenizer, read):
    model = made("beto-cased", "answer", tokenizer)
    batch = read("answer", [0, 1, 2])
    found = scores("answer", model, batch)
    plain = model(**batch.inputs)
    assert set(found) == {"start", "end"}
    for name, logits in (("start", plain.start_logits), ("end", plain.end_logits)):
        assert found[name].shape == (3, 1 + max(counts()))
        at = 0
        for row, words in enumerate(counts()):
            torch.testing.assert_close(found[name][row, 0], logits[row, 0])
            for word in range(words):
                assert found[name][row, 1 + word] == logits[row, batch.words[at, 1]]
                at += 1
            assert (found[name][row, 1 + words :] == -torch.inf).all()
            assert found[name][row, : 1 + words].isfinite().all()


def test_there_is_no_answer_only_if_no_window_has_one(tokenizer, read):
    model = made("beto-cased", "answer", tokenizer)
    batch = read("answer", [0, 2, 1], window=18)
    windows = torch.bincount(batch.row_example)
    assert windows.tolist()[0] == 1 and windows[1] > 2
    logits = model(**batch.inputs).start_logits
    found = scores("answer", model, batch)["start"]
    for row in range(3):
        assert found[row, 0] == logits[batch.row_example == row, 0].min()
    # Each word is read in a window of its own example.
    owner = batch.row_example[batch.words[:, 0]]
    assert torch.bincount(owner).tolist() == [counts()[i] for i in (0, 2, 1)]
    expected = logits[batch.words[owner == 1, 0], batch.words[owner == 1, 1]]
    assert torch.equal(found[1, 1 : 1 + counts()[2]], expected)


def test_heads_are_words_of_the_same_sentence(tokenizer, read):
    model = made("beto-cased", "parse", tokenizer)
    found = scores("parse", model, read("parse", [0, 1, 2]))
    assert found["head"].shape == (sum(counts()), 1 + max(counts()))
    assert found["relation"].shape == (sum(counts()), len(ROWS["parse"]))
    assert found["relation"].isfinite().all()
    at = 0
    for words in counts():
        own = found["head"][at : at + words]
        missing = torch.ones_like(own, dtype=torch.bool)
        missing[:, : 1 + words] = torch.eye(1 + words, dtype=torch.bool)[1:]
        assert torch.equal(own == -torch.inf, missing) and own[~missing].isfinite().all()
        at += words


@pytest.mark.parametrize("kind", ["answer", "parse"])
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_batches_change_nothing(name, kind, tokenizer, read):
    model = made(name, kind, tokenizer)
    for window in (64, 24):
        together = scores(kind, model, read(kind, [2, 0, 1], window))
        alone = [scores(kind, model, read(kind, [i], window)) for i in (2, 0, 1)]
        for choice, values in together.items():
            rows = torch.split(values, [len(a[choice]) for a in alone])
            for mine, single in zip(rows, alone, strict=True):
                width = single[choice].shape[1]
                torch.testing.assert_close(mine[:, :width], single[choice], atol=1e-5, rtol=1e-5)
                assert (mine[:, width:] == -torch.inf).all()


def test_a_long_sentences_words_are_read_in_their_own_windows(tokenizer, read):
    model = made("beto-cased", "parse", tokenizer)
    batch = read("parse", [2], window=16)
    assert len(batch.row_example) > 1 and batch.words[:, 0].max() > 0
    states = model.bert(**batch.inputs).last_hidden_state
    read_at = torch.stack(
        [states[0, 0], *(states[row, position] for row, position in batch.words.tolist())]
    )
    present = torch.ones(1, len(read_at), dtype=torch.bool)
    heads, relations = model.parser(read_at[None], present)
    found = scores("parse", model, batch)
    torch.testing.assert_close(found["head"], heads[0])
    torch.testing.assert_close(found["relation"], relations[0])


def test_scores_are_the_published_form(tokenizer):
    """Dozat and Manning (2017), equations 2 to 6, word by word, with the expected head."""
    parser = made("beto-cased", "parse", tokenizer).parser
    states = torch.randn(1, 4, 64)
    heads, relations = parser(states, torch.ones(1, 4, dtype=torch.bool))
    parts = F.leaky_relu(states[0] @ parser.project.weight.T + parser.project.bias, 0.1)
    dependent, head, relation, relation_head = parts.split(parser.sizes, dim=-1)
    width = relation.shape[1] + 1
    one = torch.ones(1)
    for word in (1, 2, 3):
        arcs = torch.stack(
            [
                (parser.arc.weight @ dependent[word]) @ head[h] + parser.arc.bias @ head[h]
                for h in range(4)
                if h != word
            ]
        )
        options = [h for h in range(4) if h != word]
        torch.testing.assert_close(heads[0, word - 1, options], arcs)
        expected = (arcs.softmax(0)[:, None] * relation_head[options]).sum(0)
        for label in range(3):
            bilinear = parser.relation.weight[label].view(width, width)
            score = torch.cat([relation[word], one]) @ bilinear @ torch.cat([expected, one])
            torch.testing.assert_close(
                relations[0, word - 1, label], score + parser.relation.bias[label]
            )


@pytest.mark.parametrize("kind", ["answer", "parse"])
def test_gradients_are_finite(kind, tokenizer, read):
    model = made("ligero-tiny", kind, tokenizer).train()
    torch.use_deterministic_algorithms(True)
    try:
        for window in (64, 24):
            model.zero_grad()
            found = scores(kind, model, read(kind, [0, 1, 2], window))
            losses = [F.cross_entropy(s, s.argmin(1).clamp(max=0)) for s in found.values()]
            torch.stack(losses).sum().backward()
            gradients = [p.grad for p in model.parameters()]
            assert all(g is not None and g.isfinite().all() for g in gradients)
            assert all(g.any() for g in gradients[-2:])
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("kind", ["answer", "parse"])
def test_half_precision_scores_come_close(kind, tokenizer, read):
    model = made("ligero-tiny", kind, tokenizer)
    batch = read(kind, [0, 1, 2])
    full = scores(kind, model, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = scores(kind, model, batch)
    for choice, values in full.items():
        there = values.isfinite()
        assert torch.equal(half[choice].isfinite(), there)
        error = (half[choice].float() - values)[there].abs().max()
        assert error < 0.1 * values[there].abs().max()


def test_the_catalogs_smallest_stays_light(tokenizer):
    architecture = catalog.find("ligero-nano")
    labels = [f"relation {i}" for i in range(40)]
    model = build.create(architecture, kind="parse", labels=labels, tokenizer=tokenizer, seed=1)
    added = sum(p.numel() for p in model.parser.parameters())
    assert added < 0.1 * architecture.parameters


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_published_answer_heads_are_kept_whatever_their_rows_are_called(name, tokenizer, tmp_path):
    model = made(name, "answer", tokenizer)
    build.save(model, tokenizer, tmp_path, max_length=512)
    # As nearly all on the hub: the class says start and end by their place alone.
    names = {"0": "LABEL_0", "1": "LABEL_1"}
    changed(tmp_path, id2label=names, label2id={name: int(row) for row, name in names.items()})
    loaded = build.load(tmp_path, kind="answer", labels=ROWS["answer"], seed=9)
    assert all(torch.equal(value, head(model)[key]) for key, value in head(loaded).items())
    assert loaded.config.id2label == {0: "start", 1: "end"}
    for rows in (("end", "start"), ("answer",)):
        with pytest.raises(InputError, match="start and end"):
            build.load(tmp_path, kind="answer", labels=rows, seed=9)
        with pytest.raises(InputError, match="start and end"):
            build.create(small(name), kind="answer", labels=rows, tokenizer=tokenizer, seed=1)

"""Real files, with their dirt, through the same code as everything else."""

from dataclasses import replace

import numpy as np
import pytest

from ligero import vocab
from ligero.config import DataConfig
from ligero.models import build, catalog
from ligero.tasks import catalog as tasks
from ligero.tasks import source
from ligero.train.features import Features
from ligero.train.scorer import score


@pytest.fixture(scope="module")
def ner(real_data):
    return source.load(DataConfig(task="ner-conll2002", folder=str(real_data)))


def test_catalog_agrees_with_the_files(real_data, ner):
    entry = tasks.find("ner-conll2002")
    for name in ("train", "dev", "test"):
        assert len(getattr(ner, name).examples) == entry.counts[name]
    assert ner.labels[0] == "O" and len(ner.labels) == 9
    assert any("also in train" in note for note in ner.notes)
    topics = source.load(DataConfig(task="news-topics", folder=str(real_data)))
    counts = tasks.find("news-topics").counts
    assert len(topics.train.examples) + len(topics.dev.examples) == counts["train"]
    assert len(topics.test.examples) == counts["test"]
    assert len(topics.labels) == 9 and topics.metric == "accuracy"
    again = source.load(DataConfig(task="news-topics", folder=str(real_data)))
    assert [e.id for e in again.dev.examples] == [e.id for e in topics.dev.examples]


def test_longest_sentence_is_read_whole_in_windows(ner):
    """The 1,238 words of one sentence of esp.train, beside a model that sees it in one piece.

    Two layers that look four sub-words to each side depend on less than a window's margin, so both
    readings must agree; a word lost or read twice, or at the wrong place, would show.
    """
    sentence = max(ner.train.examples, key=lambda e: len(e.words or ()))
    assert len(sentence.words or ()) == 1238
    tokenizer = vocab.train(
        (e.texts[0] for e in ner.train.examples[:2000]), algorithm="bpe", size=2000
    )
    local = {
        "hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 96, "num_hidden_layers": 2,
        "layer_types": ["sliding_attention"] * 2, "local_attention": 8, "max_position_embeddings": 16384,
    }  # fmt: skip
    micro = catalog.find("ligero-micro")
    model = build.create(
        replace(micro, config={**micro.config, **local}),
        kind="tag", labels=ner.labels, tokenizer=tokenizer, seed=0,
    )  # fmt: skip

    def scores(window):
        read = Features(
            [sentence], tokenizer=tokenizer, window=window, kind=ner.kind, labels=ner.labels, segments=False
        )  # fmt: skip
        return read.rows[0], score(model, read)[0]["tag"]

    (one, whole), (several, cut) = scores(16384), scores(128)
    assert one == 1 and several > 10
    assert whole.shape == cut.shape == (1238, 9)
    np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-5)
    assert np.abs(whole[1:] - whole[:-1]).max() > 1e-2


def test_original_release_reads_the_same(ner, real_data, tmp_path):
    """Two columns, ISO-8859-1 and CRLF, as the shared task distributed it."""
    lines = (real_data / "glues" / "ner-conll2002" / "esp.testb").read_text(encoding="utf-8")
    two = "\r\n".join(
        " ".join((line.split(" ")[0], line.split(" ")[-1])) if line else ""
        for line in lines.split("\n")
    )
    (tmp_path / "esp.testb").write_bytes(two.encode("iso-8859-1"))
    from ligero.tasks import formats

    split = formats.read(tmp_path / "esp.testb")
    assert [(e.texts, e.gold) for e in split.examples] == [
        (e.texts, e.gold) for e in ner.test.examples
    ]
    assert any("ISO-8859-1" in note for note in split.notes)

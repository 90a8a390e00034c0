"""Words, sub-words and windows: nothing is cut silently, every word is read exactly once."""

import random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from ligero import vocab
from ligero.errors import InputError
from ligero.tasks import words
from ligero.tasks.example import Example
from ligero.tasks.words import Encoder

TEXTS = [
    "El niño come piñas en Logroño .",
    "Los EE.UU. pagaron 1.234,56 € ( un 3,5 % más ) en Córdoba .",
    "¿ Quién vio a Begoña Ibáñez ? ¡ Nadie !",
]


def spans(text):
    found, at = [], 0
    for word in text.split(" "):
        found.append((at, at + len(word)))
        at += len(word) + 1
    return tuple(found)


def example(text):
    return Example("1", (text,), spans(text))


@pytest.fixture(scope="module", params=["unigram", "bpe", "wordpiece"])
def tokenizer(request):
    return vocab.train(TEXTS * 5, algorithm=request.param, size=200)


def test_split_keeps_what_spanish_words_hold():
    text = (
        "¿Los EE.UU. pagaron 1.234,56 € a D. Íñigo-López (ñandú)? Véase https://a.es/b, o x@y.es..."
    )
    found = [text[s:e] for s, e in words.split(text)]
    assert found == [
        *("¿", "Los", "EE.UU.", "pagaron", "1.234,56", "€", "a", "D", ".", "Íñigo-López"),
        *("(", "ñandú", ")", "?", "Véase", "https://a.es/b", ",", "o", "x@y.es", "..."),
    ]


def test_each_word_is_read_where_it_begins(tokenizer):
    for text in TEXTS:
        (encoded,) = Encoder(tokenizer, 512)([example(text)])
        offsets = tokenizer.encode(text).offsets
        for (start, _), (window, position) in zip(spans(text), encoded.words, strict=True):
            assert window == 0
            first, end = offsets[position]
            assert first <= start < end
            # No earlier sub-word holds a character of the word.
            assert all(e <= start for _, e in offsets[1:position])


def test_special_tokens_are_the_tokenizers_own(tokenizer):
    pair = Example("1", ("¿ Quién ?", "Begoña Ibáñez"))
    (encoded,) = Encoder(tokenizer, 64)([pair])
    whole = tokenizer.encode(*pair.texts)
    assert encoded.ids[0].tolist() == whole.ids
    assert encoded.types[0].tolist() == whole.type_ids


def test_long_text_becomes_windows_that_lose_nothing(tokenizer):
    rng = random.Random(0)
    text = " ".join(rng.choice(TEXTS) for _ in range(120))
    window = 40
    (whole,) = Encoder(tokenizer, 100_000)([example(text)])
    (encoded,) = Encoder(tokenizer, window)([example(text)])
    assert len(encoded.ids) > 10
    assert all(len(ids) <= window for ids in encoded.ids)
    assert len(encoded.words) == len(whole.words) == len(spans(text))
    starts = whole.words[:, 1]
    for (w, p), at in zip(encoded.words, starts, strict=True):
        # The same sub-word, with the same neighbours on both sides as far as a text edge allows.
        left = min(at, 4)
        mine = encoded.ids[w][p - left + (at - left == 0) : p + 4].tolist()
        true = whole.ids[0][at - left + (at - left == 0) : at + 4].tolist()
        assert mine[: len(true)] == true[: len(mine)]
        assert mine[0] == true[0]


def test_a_word_is_read_where_most_of_its_surroundings_are():
    assert words._windows(10, 4) == [(0, 4), (3, 7), (6, 10)]
    assert words._windows(4, 4) == [(0, 4)]
    import numpy as np

    owner = words._owner([(0, 8), (6, 14)], np.arange(14))
    assert owner.tolist() == [0] * 7 + [1] * 7


def test_pairs_too_long_for_a_window_are_read_whole(tokenizer):
    long = " ".join(TEXTS * 6)
    for texts in ((long, TEXTS[0]), (TEXTS[0], long), (long, long)):
        (encoded,) = Encoder(tokenizer, 48)([Example("1", texts)])
        assert all(len(ids) <= 48 for ids in encoded.ids)
        pieces = [set(tokenizer.encode(t, add_special_tokens=False).ids) for t in texts]
        for number, wanted in enumerate(pieces):
            seen = {
                int(i)
                for ids, types in zip(encoded.ids, encoded.types, strict=True)
                for i, t in zip(ids, types, strict=True)
                if t == number
            }
            assert wanted <= seen


def test_windows_that_nobody_wants_are_not_made(tokenizer):
    long = " ".join(TEXTS * 6)
    pair = Example("1", (long, long))
    encoder = Encoder(tokenizer, 48)
    alone, both = (len(encoder([one])[0].ids) for one in (example(long), pair))
    assert len(encoder([example(long), pair], alone + both)) == 2
    for examples, most in (([example(long)], alone - 1), ([example(long), pair], alone + both - 1)):
        with pytest.raises(InputError, match=r"windows of 48 sub-words; expected at most"):
            encoder(examples, most)
    # A million windows are refused before they are there.
    endless = Example("1", ("¿ " * 20_000, "¡ " * 20_000))
    with pytest.raises(InputError, match=r"a pair of texts of [\d,]{7,} windows") as refused:
        encoder([endless], 256)
    assert str(refused.value).endswith("expected at most 256")


def test_word_that_the_tokenizer_drops_is_still_read_once(tokenizer):
    text = "Logroño \u200b come"
    (encoded,) = Encoder(tokenizer, 64)([Example("1", (text,), ((0, 7), (8, 9), (10, 14)))])
    assert len(encoded.words) == 3
    first, lost, last = encoded.words[:, 1]
    assert first <= lost < last


def test_only_dropped_words_are_read_at_the_first_special_token(tokenizer):
    (encoded,) = Encoder(tokenizer, 64)([Example("1", ("\u200b",), ((0, 1),))])
    assert encoded.words.tolist() == [[0, 0]]


def test_byte_level_vocabulary_with_spaces_in_its_offsets():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = ["<s>", "<pad>", "</s>", "<unk>", *alphabet]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(entries)}, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False
    )
    text = "Íñigo vio ñandúes"
    (encoded,) = Encoder(tokenizer, 64)([example(text)])
    offsets = tokenizer.encode(text).offsets
    for (start, end), (_, position) in zip(spans(text), encoded.words, strict=True):
        assert offsets[position][0] < end and offsets[position][1] > start


def test_many_examples_are_read_in_order(tokenizer, monkeypatch):
    examples = [example(TEXTS[i % 3]) for i in range(10)]
    whole = Encoder(tokenizer, 64)(examples)
    monkeypatch.setattr(words, "TOGETHER", 4)
    parts = Encoder(tokenizer, 64)(examples)
    assert [e.ids[0].tolist() for e in parts] == [e.ids[0].tolist() for e in whole]

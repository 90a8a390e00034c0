"""Windows are the text, whole and in order, with special tokens where they belong."""

import itertools

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import small_text
from ligero import vocab
from ligero.corpus.shards import Shards, Window
from ligero.errors import InputError
from ligero.pretrain.windows import Windows

LENGTHS = (16, 31, 64)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("windows"), 40)


@pytest.fixture(scope="module")
def text(place):
    """The shards, and their tokenizer."""
    return Shards(place / "train"), Tokenizer.from_file(str(place / "vocab" / "tokenizer.json"))


def windows(text, length, seed=0):
    return Windows(*text, length, seed=seed)


@pytest.mark.parametrize("length", LENGTHS)
def test_rows_are_the_text_between_special_tokens(text, length):
    """Rebuilt from the whole text, sub-word by sub-word."""
    held, tokenizer = text
    read = windows(text, length, seed=3)
    whole = held.span(0, held.tokens)
    ids = np.arange(read.size)
    rows, spans = read.read(ids, epoch=2), read.spans(ids, epoch=2)
    assert rows.ids.shape == rows.begins.shape == rows.inner.shape == (read.size, length)
    (start,) = {start for start in range(length - 2) if _is_at(whole, start, spans[0])}
    unguessable = {tokenizer.token_to_id(t) for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    with_break = 0
    for row in range(read.size):
        expected, begins = [read.cls], [False]
        for at in range(start, start + length - 2):
            if whole.documents[at] and at > start:
                expected.append(read.sep)
                begins.append(False)
                with_break += 1
            expected.append(int(whole.ids[at]))
            begins.append(bool(whole.words[at]) or at == start)
        assert rows.ids[row].tolist() == [*expected[: length - 1], read.sep]
        assert rows.begins[row].tolist() == [*begins[: length - 1], False]
        seen = [i not in unguessable for i in expected]
        assert rows.inner[row].tolist() == [*seen[: length - 1], False]
        start += length - 2
    assert with_break > 3
    assert read.cls == rows.ids[0, 0] != read.sep


def _is_at(whole, start, span):
    return np.array_equal(whole.ids[start : start + len(span.ids)], span.ids)


@pytest.mark.parametrize("length", LENGTHS)
def test_an_epoch_has_all_of_the_text_once_but_for_its_ends(text, length):
    held, _ = text
    read = windows(text, length)
    borders = held._starts[1:-1]
    assert len(borders) == 2
    whole = held.span(0, held.tokens)
    starts = set()
    for epoch in range(4):
        spans = read.spans(np.arange(read.size), epoch)
        (start,) = [start for start in range(read.text) if _is_at(whole, start, spans[0])]
        starts.add(start)
        joined = np.concatenate([span.ids for span in spans])
        stop = start + len(joined)
        assert np.array_equal(joined, whole.ids[start:stop])
        assert start < read.text and held.tokens - stop < 2 * read.text
        assert start < borders[0] and borders[-1] < stop
    assert len(starts) > 1, "every epoch cuts at the same places"


def test_rows_do_not_depend_on_what_is_read_with_them(text):
    read = windows(text, 32)
    all_ = read.read(np.arange(read.size), 1)
    some = np.array([7, 3, 11])
    few = read.read(some, 1)
    for name in ("ids", "begins", "inner"):
        assert np.array_equal(getattr(few, name), getattr(all_, name)[some])
    assert not np.array_equal(few.ids, read.read(some, 2).ids)
    other = [windows(text, 32, seed=seed).read(some, 1).ids.tolist() for seed in range(6)]
    assert any(ids != other[0] for ids in other)


def test_too_little_text_and_no_mask_are_refused(text, tmp_path, place):
    held, _ = text
    length = held.tokens // 2 + 2
    assert windows(text, length).size == 1
    with pytest.raises(InputError, match="sub-words of text"):
        windows(text, length + 1)
    without = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}))
    with pytest.raises(InputError, match="mask"):
        Windows(held, without, 16, seed=0)


SENTENCES = (
    "Vino Ana García. García calló, y Pedro no.",
    "¿Qué quieres? Él no dijo nada…",
    "Esto es de los EE.UU. y costó 3.000,5 euros.",
    "«Íñigo» salió.",
    "¡Ay! Después D. Juan se fue.",
)
# What begins a sentence there, as far as case and signs tell.
CASED = ["García calló", "¿Qué quieres", "Él no", "Esto es", "«Íñigo", "¡Ay", "Después D"]


def starts(algorithm, lowercase, texts):
    """The text from each start on, as the tokenizer reads it back."""
    tokenizer = vocab.train(
        small_text.documents(30), algorithm=algorithm, size=700, lowercase=lowercase
    )
    return found_in(tokenizer, texts)


def found_in(tokenizer, texts):
    held = _Held(len(texts) * 100)
    read = Windows(held, tokenizer, 16, seed=0)
    ids, words, lines = [], [], []
    for text in texts:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        numbers = [-1, *encoded.word_ids]
        ids += encoded.ids
        words += [a != b for a, b in itertools.pairwise(numbers)]
        lines += [True] + [False] * (len(encoded.ids) - 1)
    window = Window(*map(np.array, (ids, words, lines)), np.zeros(len(ids), dtype=bool))
    at = read.sentence_starts(window)
    assert 0 not in at
    return [tokenizer.decode(ids[i : i + 12]).replace(" ", "") for i in at], at, np.array(lines)


class _Held:
    """Only as much of shards as is asked before anything is read."""

    folder = "nowhere"

    def __init__(self, tokens):
        self.tokens = tokens


@pytest.mark.parametrize("algorithm", vocab.ALGORITHMS)
def test_sentences_begin_where_a_person_sees_it(algorithm):
    found, _, _ = starts(algorithm, False, [" ".join(SENTENCES)])
    assert len(found) == len(CASED), found
    for text, expected in zip(found, CASED, strict=True):
        assert text.startswith(expected.replace(" ", "")), found


@pytest.mark.parametrize("algorithm", vocab.ALGORITHMS)
def test_lines_begin_sentences(algorithm):
    _, at, lines = starts(algorithm, False, ["uno, dos", "tres y cuatro", "cinco"])
    assert at.tolist() == np.flatnonzero(lines)[1:].tolist()


@pytest.mark.parametrize("algorithm", vocab.ALGORITHMS)
def test_without_case_abbreviations_and_numbers_begin_nothing(algorithm):
    found, _, _ = starts(algorithm, True, [" ".join(SENTENCES)])
    wanted = [text.replace(" ", "").lower() for text in CASED]
    assert len(found) == len(wanted), found
    for text, expected in zip(found, wanted, strict=True):
        assert text.startswith(expected), found


def test_byte_level_entries_are_read_as_the_characters_they_stand_for():
    from tokenizers import trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900, show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator([*small_text.documents(30), *[" ".join(SENTENCES)] * 20], trainer)
    found, _, _ = found_in(tokenizer, ["Ya está. él no. ¿Qué tal? García. Él"])
    assert [text[:4] for text in found] == ["¿Qué", "Garc", "Él"]

"""Vocabularies: reproducible to the byte, Spanish to the letter, equal in transformers."""

import hashlib
import json
import random
import subprocess
import sys
from collections import Counter
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer

from ligero import vocab
from ligero.errors import InputError
from ligero.models import catalog

SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "la",
    "me",
    "ni",
    "ño",
    "xú",
    "zar",
    "ción",
    "mente",
    "que",
)


def made_up_text() -> list[str]:
    chance = random.Random(0)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(1500)]
    return [" ".join(chance.choices(words, k=12)).capitalize() + "." for _ in range(800)]


TEXT = made_up_text()
TINY = ["El niño come.", "Una casa en Logroño.", "¿Qué cuesta? 5 €"]


@pytest.fixture(scope="module", params=vocab.ALGORITHMS)
def algorithm(request):
    return request.param


@pytest.fixture(scope="module")
def trained(algorithm):
    return vocab.train(TEXT, algorithm=algorithm, size=900)


def words_of(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.encode(text, add_special_tokens=False).tokens


def test_another_process_gives_the_same_bytes(algorithm, trained):
    # Other hash seeds, as many threads as the library likes, and the texts in reverse.
    code = (
        "import sys, hashlib, json; from ligero import vocab\n"
        "t = vocab.train(reversed(json.load(sys.stdin)), algorithm=sys.argv[1], size=900)\n"
        "print(hashlib.sha256(t.to_str().encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, algorithm],
        input=json.dumps(TEXT),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert other == hashlib.sha256(trained.to_str().encode()).hexdigest()


def test_size_and_special_ids(trained):
    assert trained.get_vocab_size() == 900
    assert [trained.token_to_id(token) for token in vocab.SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert vocab.special_ids(trained) == {"pad_id": 0, "cls_id": 2, "sep_id": 3}


def test_templates(trained):
    one = trained.encode("Ceño.")
    assert one.tokens[0] == "[CLS]" and one.tokens[-1] == "[SEP]"
    assert set(one.type_ids) == {0}
    pair = trained.encode("Ceño.", "Meño.")
    middle = pair.tokens.index("[SEP]")
    assert pair.type_ids == [0] * (middle + 1) + [1] * (len(pair) - middle - 1)
    assert pair.tokens[-1] == "[SEP]" and pair.tokens.count("[CLS]") == 1


@pytest.mark.parametrize("text", ["Ñandú %/; pingüino «¡ay!» ¿KWh? 100 € nº 3ª — fin…", "kWhÍÚÜ%ñ"])
def test_letters_and_signs_of_spanish_are_never_unknown(trained, text):
    assert "[UNK]" not in words_of(trained, text)
    every = " ".join(vocab.ALPHABET) + " " + "a".join(c for c in vocab.ALPHABET if c.isalnum())
    # A word of WordPiece longer than a hundred letters is unknown by rule.
    pieces = [every[start : start + 90] for start in range(0, len(every), 90)]
    assert all("[UNK]" not in words_of(trained, piece) for piece in pieces)


def test_accents_tell_words_apart(trained):
    assert trained.encode("niño").ids != trained.encode("nino").ids
    assert trained.encode("qué").ids != trained.encode("que").ids
    # Composed or not, the same letter.
    assert trained.encode("nin\u0303o").ids == trained.encode("niño").ids


def test_invisible_characters_and_odd_spaces(trained):
    plain = trained.encode("cemente 20 %").ids
    assert trained.encode("\ufeffce\u00admen\u200bte\u00a020\u202f%\u200e\x07").ids == plain
    assert words_of(trained, "\u200b \u00a0") == []


def test_every_sub_word_lies_within_one_word_and_offsets_are_the_texts(trained):
    text = "¿Qué-ra abc123, (EE.UU.) 20€?"
    borders = [0, 1, 4, 5, 7, 8, 11, 14, 15, 16, 17, 19, 20, 22, 23, 24, 25, 27, 28, 29]
    encoded = trained.encode(text, add_special_tokens=False)
    for start, end in encoded.offsets:
        assert start < end
        assert not any(start < border < end for border in borders), text[start:end]
        assert " " not in text[start:end]
    covered = {place for start, end in encoded.offsets for place in range(start, end)}
    assert covered == {place for place, letter in enumerate(text) if letter != " "}


def test_lowercase_keeps_accents(algorithm):
    tokenizer = vocab.train(TINY, algorithm=algorithm, size=300, lowercase=True)
    assert tokenizer.encode("NIÑO É").ids == tokenizer.encode("niño é").ids
    assert tokenizer.encode("NIÑO").ids != tokenizer.encode("NINO").ids
    assert not any(c.isupper() for t in tokenizer.get_vocab() for c in t if t[0] != "[")


@pytest.mark.parametrize("texts", [TINY, ["a"], ["%"], ["日本語 日本語"]])
@pytest.mark.parametrize("size", [1, 50, 8000])
def test_short_text_gives_what_it_can(algorithm, texts, size):
    tokenizer = vocab.train(texts, algorithm=algorithm, size=size)
    assert "[UNK]" not in words_of(tokenizer, "Ñu; 5%")
    assert tokenizer.get_vocab_size() < 400
    assert sorted(tokenizer.get_vocab().values()) == list(range(tokenizer.get_vocab_size()))


def test_rare_letters_do_not_fill_the_vocabulary(algorithm):
    foreign = [" ".join(chr(code) for code in range(0x4E00, 0x4E00 + 3000))]
    tokenizer = vocab.train([*TEXT, *foreign], algorithm=algorithm, size=900)
    assert tokenizer.get_vocab_size() == 900
    assert sum("\u4e00" <= t <= "\u9fff" for t in tokenizer.get_vocab()) < 900 / 4
    assert sum(len(t) > 3 for t in tokenizer.get_vocab()) > 200


@pytest.mark.parametrize("texts", [[], [""], [" \n\u200b"]])
def test_no_words_is_one_line(algorithm, texts):
    with pytest.raises(InputError, match="no words"):
        vocab.train(texts, algorithm=algorithm)


def test_bad_options_are_one_line():
    with pytest.raises(InputError, match="did you mean unigram"):
        vocab.train(TINY, algorithm="unigrama")
    with pytest.raises(InputError, match="size of 0"):
        vocab.train(TINY, size=0)


@pytest.mark.parametrize("model_type", [None, "albert", "bert", "modernbert", "roberta"])
def test_transformers_gives_the_same_ids(trained, tmp_path, model_type):
    if model_type:
        # transformers chooses a tokenizer by the model beside it: ALBERT's drops accents.
        (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    trained.enable_truncation(4)
    trained.enable_padding(length=64)
    try:
        vocab.save(trained, tmp_path, max_length=512, token_types=model_type != "modernbert")
    finally:
        trained.no_truncation()
        trained.no_padding()
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in ("El niño de Cañete, ¿20 %?", "nino", "AÉÍÓÚü", " dos  espacios\u00a0", *TEXT[:20]):
        assert theirs(text)["input_ids"] == trained.encode(text).ids
    assert theirs("ceño", "niño")["input_ids"] == trained.encode("ceño", "niño").ids
    assert ("token_type_ids" in theirs("a")) == (model_type != "modernbert")
    assert theirs.model_max_length == 512
    assert (theirs.pad_token_id, theirs.cls_token_id, theirs.mask_token_id) == (0, 2, 4)


def test_special_tokens_of_other_vocabularies():
    def over(*tokens: str) -> Tokenizer:
        return Tokenizer(
            models.WordLevel({t: i for i, t in enumerate(tokens)}, unk_token=tokens[0])
        )

    roberta = over("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    assert vocab.special_ids(roberta) == {"pad_id": 1, "cls_id": 0, "sep_id": 2}
    albeto = over("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
    assert vocab.special_ids(albeto) == {"pad_id": 0, "cls_id": 2, "sep_id": 3}
    with pytest.raises(InputError, match="without a token for pad"):
        vocab.special_tokens(over("[CLS]", "[SEP]"))


ODD = "aÉñÑſßİ9²½٣ \n\t\r\x0b\x1c\x1f\x85\x07\u00a0\u00ad\u200b\u2028\u3000\u0301\u0345.%€¿▁_'日한👍\ufeff"


@given(st.lists(st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])))))
def test_words_are_counted_as_the_tokenizer_splits_them(texts):
    for algorithm in ("unigram", "wordpiece"):
        for lowercase in (False, True):
            cut = vocab.splits(algorithm, lowercase)
            slowly = Counter()
            for text in texts:
                normal = cut.normalizer.normalize_str(text)
                slowly.update(w for w, _ in cut.pre_tokenizer.pre_tokenize_str(normal))
            assert cut.count(texts) == slowly


def test_more_distinct_words_than_are_held_at_once(monkeypatch):
    cut = vocab.splits("bpe", False)
    expected = cut.count(TEXT)
    monkeypatch.setattr("ligero.vocab.count._HELD", 10)
    assert cut.count(TEXT) == expected


@pytest.mark.skipif(not version("tokenizers").startswith("0.23"), reason="of another library")
def test_what_was_learned_before_is_learned_still(algorithm, trained):
    # What was published once can be made again.
    known = {
        "unigram": "9b65b5d6becfe533",
        "bpe": "cc21f395813fb3c0",
        "wordpiece": "b3dd3f99e05a1c10",
    }
    assert hashlib.sha256(trained.to_str().encode()).hexdigest()[:16] == known[algorithm]


@pytest.mark.parametrize("family", vocab.FAMILIES)
def test_every_family_in_transformers(algorithm, family, tmp_path):
    expected = vocab.FAMILIES[family]
    made = vocab.train(TINY, algorithm=algorithm, size=300, naming=expected.naming)
    names = vocab.NAMINGS[expected.naming]
    assert [made.id_to_token(n) for n in range(5)] == list(names.values())
    assert vocab.special_tokens(made) == names
    vocab.save(made, tmp_path, max_length=64, token_types=expected.token_types)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in ("El niño de Cañete, ¿20 %?", "nino", "ÁÜñ 日", f"un {names['mask']}."):
        assert theirs(text)["input_ids"] == made.encode(text).ids
    pair = theirs("niño", "Ñu")
    assert pair["input_ids"] == made.encode("niño", "Ñu").ids
    assert ("token_type_ids" in pair) == expected.token_types
    assert set(made.encode("niño", "Ñu").type_ids) == ({0} if family == "roberta" else {0, 1})
    assert theirs.unk_token_id in theirs("日")["input_ids"]
    assert theirs.decode(theirs("niño")["input_ids"], skip_special_tokens=True) == "niño"


def test_robertas_pairs():
    made = vocab.train(TINY, algorithm="bpe", size=300, naming="roberta")
    tokens = made.encode("%", "%").tokens
    assert [t for t in tokens if t[0] == "<"] == ["<s>", "</s>", "</s>", "</s>"]
    middle = tokens.index("</s>")
    assert tokens[middle + 1] == "</s>" and tokens[-1] == "</s>"
    with pytest.raises(InputError, match="did you mean roberta"):
        vocab.train(TINY, naming="robert")


def test_every_model_of_the_catalog_has_a_naming():
    assert {model.family for model in catalog.MODELS.values()} == set(vocab.FAMILIES)


@pytest.mark.parametrize("lowercase", [False, True])
def test_the_least_size_is_what_spanish_takes(algorithm, lowercase):
    made = vocab.train(["a a a"], algorithm=algorithm, size=1, lowercase=lowercase)
    assert made.get_vocab_size() == vocab.least(algorithm, lowercase)

"""What a vocabulary is worth: figures worked out by hand, for tokenizers of several makes."""

import json

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from ligero.errors import InputError
from ligero.vocab import make, measure


@pytest.fixture
def pieces():
    """WordPiece over a handful of entries: neither "%" nor most letters."""
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "casa", "pag", "##ó", "e", "##l", "."]
    made = Tokenizer(models.WordPiece({e: n for n, e in enumerate(entries)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    return made


@pytest.fixture
def letters():
    """Every byte an entry of its own, the space counted to the word after it, as GPT-2 does."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({e: n for n, e in enumerate([*alphabet, "Ġc"])}, [("Ġ", "c")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def test_figures_over_text(pieces):
    found = measure.over(pieces, ["casa  pagó.\nel %", "", "casa"])
    assert found == {
        "characters": 4 + 5 + 2 + 1 + 4,
        "words": 4,
        "sub_words": 8,
        "sub_words_per_word": 6 / 4,
        "whole": 2 / 4,
        "unknown": 1 / 8,
        "characters_per_sub_word": 16 / 8,
        "single_letters": 3 / 8,
    }
    assert measure.over(pieces, [""])["sub_words_per_word"] is None


def test_an_unknown_word_is_not_whole(pieces):
    assert measure.over(pieces, ["zapato"])["whole"] == 0


def test_bytes_and_spaces_within_sub_words(letters):
    found = measure.over(letters, ["a c"])
    assert (found["words"], found["sub_words"], found["whole"]) == (2, 2, 1)
    # Two bytes for the letter, both within its word; a lone space counts to the word after it.
    found = measure.over(letters, ["añ ó"])
    assert (found["words"], found["sub_words_per_word"], found["unknown"]) == (2, 6 / 2, 0)
    assert measure.cut(letters, "a ñc") == "a ||ñ|c"


def test_decomposed_letters_are_one_word(letters):
    assert measure.over(letters, ["nin\u0303o"])["words"] == 1


def test_what_is_covered(pieces, letters):
    held = measure.itself(pieces)
    assert held["entries"] == 11 and held["single"] == 4
    assert held["coverage"]["signs"]["missing"][:2] == [",", ";"]
    assert {"%", "/", ";"} < set(held["coverage"]["signs"]["missing"])
    assert "." not in held["coverage"]["signs"]["missing"]
    assert held["coverage"]["digits"] == {"of": 10, "missing": list("0123456789"), "plain": []}
    assert held["longest"][:2] == ["casa", "pag"]
    assert not any(c["missing"] for c in measure.itself(letters)["coverage"].values())


def test_a_lost_accent_is_told(letters):
    letters.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
    assert measure.itself(letters)["coverage"]["lower case"]["plain"] == list("ñáéíóúü")


def test_cuts(pieces):
    assert measure.cut(pieces, "el casa: pagó.") == "e|l casa|⟦:⟧ pag|ó|."
    assert measure.cut(pieces, "") == ""


def test_loading_what_is_no_tokenizer(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        make.load(tmp_path / "none")
    (tmp_path / "tokenizer.json").write_text(json.dumps({"version": "1.0"}))
    with pytest.raises(InputError, match="no valid tokenizer"):
        make.load(tmp_path)

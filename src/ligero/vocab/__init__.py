"""Sub-word vocabularies: train one from Spanish text, save it as a tokenizer transformers reads.

The same text gives the same bytes, in any process: `learn.py` says how.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models

from ligero import errors
from ligero.vocab import learn
from ligero.vocab.count import SPACE, Words
from ligero.vocab.learn import ALPHABET
from ligero.vocab.special import (
    FAMILIES,
    NAMINGS,
    SPECIAL_TOKENS,
    special_ids,
    special_tokens,
    template,
)

__all__ = [
    "ALGORITHMS", "ALPHABET", "FAMILIES", "NAMINGS", "SPECIAL_TOKENS",
    "least", "save", "special_ids", "special_tokens", "splits", "train", "train_counted",
]  # fmt: skip

ALGORITHMS = ("unigram", "bpe", "wordpiece")


def train(
    texts: Iterable[str],
    *,
    algorithm: str = "unigram",
    size: int = 8000,
    lowercase: bool = False,
    naming: str = "bert",
) -> Tokenizer:
    """A tokenizer of about `size` entries, learned from `texts` (read once, never held whole).

    Text is NFC-normalised (accents and ñ stay), zero-width and control characters are dropped and
    every white space separates; a sub-word never spans a space, a sign, or a border between digits
    and letters. A text is encoded as [CLS] a [SEP], a pair as [CLS] a [SEP] b [SEP] with types 0/1.

    algorithm: "unigram" (Kudo, 2018; estimated as `learn.unigram` says), "bpe" or "wordpiece".
    size: entries wanted, special tokens included. Short text gives fewer; ALPHABET always goes in,
        so the least is what `least` says.
    lowercase: fold case, accents kept.
    naming: whose special tokens, a key of NAMINGS; RoBERTa's frames a pair in its own way.

    Raises InputError for an unknown algorithm or naming, a size below 1, or text without any word.
    """
    _check(algorithm, size, naming)
    counted = splits(algorithm, lowercase).count(texts)
    return train_counted(
        counted, algorithm=algorithm, size=size, lowercase=lowercase, naming=naming
    )


def train_counted(
    counted: Counter[str], *, algorithm: str, size: int, lowercase: bool, naming: str = "bert"
) -> Tokenizer:
    """As `train`, from what `splits(algorithm, lowercase).count` gave for the text."""
    _check(algorithm, size, naming)
    if not counted:
        raise errors.InputError("no words to learn a vocabulary from", expected="Spanish text")
    tokens = NAMINGS[naming]
    special = list(tokens.values())
    maker = {"bpe": learn.bpe, "unigram": learn.unigram, "wordpiece": learn.wordpiece}[algorithm]
    cut = splits(algorithm, lowercase)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = cut.normalizer
    tokenizer.pre_tokenizer = cut.pre_tokenizer
    tokenizer.model = maker(counted, _required(lowercase), size, special, tokens["unk"])
    tokenizer.add_special_tokens(special)
    tokenizer.decoder = (
        decoders.WordPiece(prefix=learn.CONTINUES, cleanup=False)
        if algorithm == "wordpiece"
        else decoders.Metaspace(replacement=SPACE, prepend_scheme="always", split=False)
    )
    tokenizer.post_processor = template(naming)
    return tokenizer


def splits(algorithm: str, lowercase: bool) -> Words:
    """How an algorithm's vocabulary splits text: WordPiece marks what continues a word, the others
    what begins one."""
    return Words(lowercase=lowercase, marks=algorithm != "wordpiece")


def least(algorithm: str, lowercase: bool) -> int:
    """The fewest entries that a vocabulary has: special tokens, letters and signs of Spanish."""
    letters = _required(lowercase)
    more = len(learn.inside(letters)) if algorithm == "wordpiece" else 1  # the mark SPACE
    return len(SPECIAL_TOKENS) + len(letters) + more


def save(
    tokenizer: Tokenizer, folder: str | Path, *, max_length: int, token_types: bool = True
) -> None:
    """Writes `tokenizer.json` and `tokenizer_config.json`, so that transformers' AutoTokenizer on
    `folder` (created when missing) gives the same ids.

    max_length: longest window in sub-words, special tokens included.
    token_types: whether the model reads token_type_ids (BERT, ALBERT) or rejects them.

    Raises InputError when the tokenizer has no padding, classification or separator token.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plain = Tokenizer.from_str(tokenizer.to_str())
    # A window baked into the file would cut text silently in whoever loads it.
    plain.no_truncation()
    plain.no_padding()
    inputs = ["input_ids", *(["token_type_ids"] if token_types else []), "attention_mask"]
    settings = {
        # The generic class reads tokenizer.json as it stands. By the model's type transformers
        # would pick AlbertTokenizer for ALBERT, which rebuilds it and drops accents.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": inputs,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
    } | {f"{role}_token": token for role, token in special_tokens(tokenizer).items()}
    text = json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    (folder / "tokenizer.json").write_text(plain.to_str(pretty=True), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def _check(algorithm: str, size: int, naming: str) -> None:
    if algorithm not in ALGORITHMS:
        raise errors.unknown("vocabulary algorithm", algorithm, ALGORITHMS)
    if naming not in NAMINGS:
        raise errors.unknown("naming of special tokens", naming, NAMINGS)
    if size < 1:
        raise errors.InputError(f"a vocabulary size of {size}", expected="at least 1")


def _required(lowercase: bool) -> list[str]:
    return sorted(set(ALPHABET.lower() if lowercase else ALPHABET))
